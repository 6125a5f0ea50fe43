import { typed } from "./options.js";

/** The application hears of it as of any uncaught error. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Who wants to know of which moment. A listener that throws harms neither the others nor us. */
export class Listeners<M extends object> {
  readonly #all = new Map<keyof M, Set<(event: never) => void>>();

  on<K extends keyof M>(
    type: K,
    listener: (event: M[K]) => void,
    signal?: AbortSignal,
  ): () => void {
    typed(listener ?? null, "listener", "function");
    // Of its own, so that one function that is given twice is called twice and ended once.
    const call = (event: M[K]) => listener(event);
    const end = () => void this.#all.get(type)?.delete(call);
    if (signal?.aborted) return end;
    if (!this.#all.has(type)) this.#all.set(type, new Set());
    this.#all.get(type)?.add(call);
    signal?.addEventListener("abort", end, { once: true });
    return end;
  }

  emit<K extends keyof M>(type: K, event: M[K]): void {
    for (const listener of [...(this.#all.get(type) ?? [])]) {
      try {
        listener(event as never);
      } catch (error) {
        reportLater(error);
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
