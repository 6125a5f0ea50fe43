import { typed } from "./options.js";

/** The application hears of it as of any uncaught error. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Who wants to know of which moment. A listener that throws harms neither the others nor us. */
export function makeListeners<M extends object>() {
  const all = new Set<{
    readonly type: keyof M;
    readonly call: (event: never) => void;
  }>();
  return {
    on<K extends keyof M>(
      type: K,
      call: (event: M[K]) => void,
      signal?: AbortSignal,
    ): () => void {
      typed(call ?? null, "listener", "function");
      // Of its own, so that one function that is given twice is called twice and ended once.
      const one = { type, call };
      const end = () => {
        all.delete(one);
        signal?.removeEventListener("abort", end);
      };
      signal?.addEventListener("abort", end);
      if (!signal?.aborted) all.add(one);
      return end;
    },

    emit<K extends keyof M>(type: K, event: M[K]): void {
      for (const one of [...all]) {
        const { call } = one;
        try {
          // One that has ended meanwhile hears nothing more.
          if (one.type === type && all.has(one)) call(event as never);
        } catch (error) {
          reportLater(error);
        }
      }
    },

    clear: () => all.clear(),
  };
}
