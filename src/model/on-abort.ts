const callsBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls once when the signal is aborted. All who wait for one signal share one listener: Node warns of a leak from the eleventh on, and
 * removing one of many listeners is a walk over all.
 * @returns what takes the call back
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  // A set of its own holds each caller once, also where two pass the same function.
  const own = (): void => call();
  const calls = callsBySignal.get(signal) ?? listenTo(signal);
  calls.add(own);
  return () => void calls.delete(own);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const calls = new Set<() => void>();
  callsBySignal.set(signal, calls);
  const abort = (): void => {
    callsBySignal.delete(signal);
    for (const call of calls) call();
  };
  signal.addEventListener('abort', abort, { once: true });
  return calls;
}
