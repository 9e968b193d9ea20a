/** A pending call of a {@link Clock}. */
export interface ClockTimer {
  cancel(): void;
}

/** Time, as the broker sees it. Replace it in tests; `fenceline/testing` has a virtual one. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /**
   * Milliseconds since any fixed point, with fractions, never going back: how long something takes. Default
   * {@link now}.
   */
  elapsed?(): number;
  /** Calls once, `delayMs` from now. Never keeps the process alive. Any delay is allowed, however far. */
  after(delayMs: number, call: () => void): ClockTimer;
  /** Calls once, when the current turn of the event loop is over. */
  soon(call: () => void): ClockTimer;
}

/** How long something takes is measured on this: it does not jump when the machine's time is set. */
export const elapsedOn = (clock: Clock): number => clock.elapsed?.() ?? clock.now();

/** Node's timers fire at once for a longer delay than this. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Waits in steps: a date that is further off than one timer reaches takes several. */
function after(delayMs: number, call: () => void): ClockTimer {
  let handle: ReturnType<typeof setTimeout> | undefined;
  const wait = (restMs: number): void => {
    const stepMs = Math.min(restMs, LONGEST_DELAY_MS);
    handle = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : call()), stepMs);
    handle.unref?.();
  };
  wait(Math.max(0, delayMs));
  return { cancel: () => clearTimeout(handle) };
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after,
  soon: (call: () => void) => {
    const handle = setImmediate(call);
    return { cancel: () => clearImmediate(handle) };
  },
});
