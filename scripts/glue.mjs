/** Turns the web module of wasm-bindgen into the module that the facade loads. */
export function finishGlue(source) {
  return source;
}
