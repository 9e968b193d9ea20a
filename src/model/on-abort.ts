const listenerBySignal = new WeakMap<AbortSignal, SharedListener>();

/**
 * Calls once when the signal is aborted. All who wait for one signal share one listener: Node warns of a leak from the
 * eleventh on, and removing one of many listeners is a walk over all.
 * @returns what takes the call back
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  // A set of its own holds each caller once, also where two pass the same function.
  const own = (): void => call();
  const listener = listenerBySignal.get(signal) ?? new SharedListener(signal);
  listener.add(own);
  return () => listener.delete(own);
}

class SharedListener {
  readonly #signal: AbortSignal;
  readonly #calls = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    listenerBySignal.set(signal, this);
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  add(call: () => void): void {
    this.#calls.add(call);
  }

  /** The last one takes the listener along: a signal that lives long keeps nothing of those who are gone. */
  delete(call: () => void): void {
    if (!this.#calls.delete(call) || this.#calls.size > 0) return;
    this.#signal.removeEventListener('abort', this.#abort);
    listenerBySignal.delete(this.#signal);
  }

  readonly #abort = (): void => {
    listenerBySignal.delete(this.#signal);
    for (const call of this.#calls) call();
  };
}
