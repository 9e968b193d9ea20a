import type { Clock } from '../../src/model/clock.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';

/** A machine's clock: its time of day is set by hand, its timers are not. */
export class SkewedClock implements Clock {
  readonly #clock: VirtualClock;
  offsetMs = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.offsetMs;
  }

  elapsed(): number {
    return this.#clock.now();
  }

  after(delayMs: number, call: () => void): ReturnType<Clock['after']> {
    return this.#clock.after(delayMs, call);
  }

  soon(call: () => void): ReturnType<Clock['soon']> {
    return this.#clock.soon(call);
  }
}
