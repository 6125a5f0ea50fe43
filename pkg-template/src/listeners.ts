/** The application hears of it as of any uncaught error. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Who wants to know. A listener that throws harms neither the others nor us. */
export class Listeners<S, M extends object> {
  readonly #states = new Set<(state: S) => void>();
  readonly #moments = new Map<keyof M, Set<(event: never) => void>>();

  /** Calls back at once and on every change. */
  subscribe(listener: (state: S) => void, state: S): () => void {
    // Of its own, so that one function subscribed twice is called twice and ended once.
    const call = (state: S) => listener(state);
    this.#states.add(call);
    call(state);
    return () => void this.#states.delete(call);
  }

  on<K extends keyof M>(
    type: K,
    listener: (event: M[K]) => void,
    signal?: AbortSignal,
  ): () => void {
    const call = (event: M[K]) => listener(event);
    const end = () => void this.#moments.get(type)?.delete(call);
    if (signal?.aborted) return end;
    if (!this.#moments.has(type)) this.#moments.set(type, new Set());
    this.#moments.get(type)?.add(call);
    signal?.addEventListener("abort", end, { once: true });
    return end;
  }

  change(state: S): void {
    callAll(this.#states, state);
  }

  emit<K extends keyof M>(type: K, event: M[K]): void {
    callAll(this.#moments.get(type) ?? [], event as never);
  }

  clear(): void {
    this.#states.clear();
    this.#moments.clear();
  }
}

function callAll<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      reportLater(error);
    }
  }
}
