import { systemClock } from '../model/clock.ts';
import { onAbort } from '../model/on-abort.ts';

const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * How long to wait before a lost consumer is made anew: nothing the first time, since most are lost alone, with a
 * connection that is back already. From the second failure in a row on, 100 ms to 1 s: a server that does not keep up
 * is asked less and less.
 */
export function backoffMs(failures: number): number {
  return failures < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures - 1, 10));
}

/** Resolves `delayMs` from now, or as soon as `signal` is aborted: the caller looks at what it wants to go on with. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = systemClock.after(delayMs, end);
    const stopListening = onAbort(signal, end);
    function end(): void {
      timer.cancel();
      stopListening();
      resolve();
    }
  });
}

/** What `work` comes to, or the signal's reason when it is aborted before. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    if (signal.aborted) reject(signal.reason);
    void work.then(resolve, reject).finally(stopListening);
  });
}
