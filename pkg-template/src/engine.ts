// What is loaded when it is first needed, as one chunk: the glue of the Rust side, what that side calls, and the texts for
// what it tells.

import { createCore as create } from "./core.js";

export { createHost } from "./host.js";
export { ERRORS, WARNINGS } from "./texts.js";

export const createCore: typeof create = (module, trapped) =>
  class extends create(module, trapped) {
    readonly #asked = new Map<string, Promise<string>>();

    /**
     * Equal wishes of one moment wait for one answer: the memory of wasm never shrinks, and a task for each of a thousand
     * takes 17 MB of it. Of one moment, since a later one may be of another user.
     */
    override refresh(options: string): Promise<string> {
      let answer = this.#asked.get(options);
      if (!answer) {
        answer = super.refresh(options) as Promise<string>;
        this.#asked.set(options, answer);
        queueMicrotask(() => this.#asked.delete(options));
      }
      return answer;
    }
  };
