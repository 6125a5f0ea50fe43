// What is loaded when it is first needed, as one chunk: the glue of the Rust side, what that side calls, and the texts for
// what it tells.

export { createCore } from "./core.js";
export { createHost } from "./host.js";
export { ERRORS, WARNINGS } from "./texts.js";
