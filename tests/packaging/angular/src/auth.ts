import { createAuth } from "countersign";

export const auth = createAuth({
  issuer: "https://idp.example.com",
  clientId: "spa",
  scope: "openid profile offline_access",
  apiOrigins: ["https://api.example.com"],
});
