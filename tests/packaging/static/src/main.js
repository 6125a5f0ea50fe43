import { createAuth } from "countersign";

export const auth = createAuth({
  issuer: "https://idp.example.com",
  clientId: "spa",
  scope: "openid profile offline_access",
  apiOrigins: ["https://api.example.com"],
});

const show = (id, text) => (document.getElementById(id).textContent = text);

const state = await auth.ready; // the callback, or the stored session
if (state.status === "signedIn") show("user", state.user.name);
else if (!state.error)
  await auth.login(); // leaves the page
else console.error(state.error.code, state.error.hint);

const response = await auth.fetch("https://api.example.com/me"); // with a fresh access token
show("api", (await response.json()).greeting);
