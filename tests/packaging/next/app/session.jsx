"use client";

import { createAuth } from "countersign";
import { AuthProvider } from "countersign/react";

const auth = createAuth({
  issuer: "https://idp.example.com",
  clientId: "spa",
  scope: "openid profile offline_access",
  apiOrigins: ["https://api.example.com"],
});

export function Session({ children }) {
  return <AuthProvider auth={auth}>{children}</AuthProvider>;
}
