// What is loaded when it is first needed, as one chunk: the glue of the Rust side, and the texts for what it tells.

export { createCore } from "./core.js";
export { ERRORS, WARNINGS } from "./texts.js";
