// The four systems that countersign was asked for, as emulations on loopback: `start(options)` gives
// `{ issuer, url, control, close }`.

export { startAuth0 } from "./auth0/server.mjs";
export { startCidaas } from "./cidaas/server.mjs";
export { startPagero } from "./pagero/server.mjs";
export { startUpbond } from "./upbond/server.mjs";
