import type { StreamClock } from '../../src/client/index.ts';

interface Timer {
  at: number;
  readonly call: () => void;
}

/** Time that passes only when it is told to. */
export class VirtualClock implements StreamClock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    const timer = { at: this.#now + delayMs, call };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Timers that are set and not due. */
  get pending(): number {
    return this.#timers.size;
  }

  /** The machine sleeps for `ms`: timers stand still, and only the date has changed when it wakes. */
  sleep(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) timer.at += ms;
  }

  /** Lets `ms` pass, then lets everything that became possible happen. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.call();
    }
    this.#now = until;
  }
}

/** Resolves when all that could happen without time or the network has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
