/** A pending call of a {@link Clock}. */
export interface ClockTimer {
  cancel(): void;
}

/** Time, as the broker sees it. Replace it in tests; `fenceline/testing` has a virtual one. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Calls once, `delayMs` from now. Never keeps the process alive. Any delay is allowed, however far. */
  after(delayMs: number, call: () => void): ClockTimer;
  /** Calls once, when the current turn of the event loop is over. */
  soon(call: () => void): ClockTimer;
}

/** Node's timers fire at once for a longer delay than this. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

class FarTimer implements ClockTimer {
  #handle: ReturnType<typeof setTimeout> | undefined;

  constructor(delayMs: number, call: () => void) {
    this.#wait(Math.max(0, delayMs), call);
  }

  /** Waits in steps: a date that is further off than one timer reaches takes several. */
  #wait(delayMs: number, call: () => void): void {
    const stepMs = Math.min(delayMs, LONGEST_DELAY_MS);
    const rest = delayMs - stepMs;
    this.#handle = setTimeout(() => (rest > 0 ? this.#wait(rest, call) : call()), stepMs);
    this.#handle.unref?.();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after: (delayMs: number, call: () => void) => new FarTimer(delayMs, call),
  soon: (call: () => void) => {
    const handle = setImmediate(call);
    return { cancel: () => clearImmediate(handle) };
  },
});
