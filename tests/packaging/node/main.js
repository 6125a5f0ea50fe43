import { createAuth } from "countersign";

export const auth = createAuth({
  issuer: "https://idp.example.com",
  clientId: "spa",
  scope: "openid profile offline_access",
});

// A server renders this, and has nothing to wait for.
console.log(auth.state.status);
