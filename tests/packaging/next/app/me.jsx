"use client";

import { RequireAuth, useAuth } from "countersign/react";
import { useEffect, useState } from "react";

/** Rendered on the server, where nobody is signed in yet. */
export function Me() {
  const { status } = useAuth();
  return (
    <>
      <p id="status">{status}</p>
      <RequireAuth>
        <User />
      </RequireAuth>
    </>
  );
}

function User() {
  const { user, fetch } = useAuth();
  const [greeting, setGreeting] = useState("");
  useEffect(() => {
    fetch("https://api.example.com/me") // with a fresh access token
      .then((response) => response.json())
      .then((me) => setGreeting(me.greeting));
  }, [fetch]);
  return (
    <>
      <p id="user">{user.name}</p>
      <p id="api">{greeting}</p>
    </>
  );
}
