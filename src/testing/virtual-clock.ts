import type { Clock, ClockTimer } from '../model/clock.ts';

interface Timer {
  readonly dueAt: number;
  readonly call: () => void;
}

/** Past so many rounds in {@link VirtualClock.settle} the calls are taken to bring about each other for ever. */
const MAX_ROUNDS = 10_000;

/**
 * A clock that stands still until it is told to go on. Calls come in the order of their time, those of one time in the
 * order in which they were asked for, whatever the machine does meanwhile.
 *
 * ```ts
 * const clock = new VirtualClock();
 * const broker = new EventBroker({ clock });
 * await clock.advance(30_000);
 * ```
 */
export class VirtualClock implements Clock {
  #now: number;
  /** In the order in which they are called. */
  #timers: Timer[] = [];
  readonly #soon = new Set<() => void>();

  /** @param now milliseconds since 1970; default 2026-01-01 */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): ClockTimer {
    const timer: Timer = { dueAt: this.#now + Math.max(0, delayMs), call };
    const place = this.#timers.findLastIndex(({ dueAt }) => dueAt <= timer.dueAt) + 1;
    this.#timers.splice(place, 0, timer);
    return { cancel: () => this.#remove(timer) };
  }

  soon(call: () => void): ClockTimer {
    const own = () => call();
    this.#soon.add(own);
    return { cancel: () => void this.#soon.delete(own) };
  }

  /** How many timers wait: 0 when everything cleared up after itself. Calls asked for with `soon` are not counted. */
  get timers(): number {
    return this.#timers.length;
  }

  /** When the next timer is due, in milliseconds from now. */
  get nextInMs(): number | undefined {
    const next = this.#timers[0];
    return next && next.dueAt - this.#now;
  }

  /**
   * Goes on by `ms`. Before the first timer that is due, after each one and at the end everything that can happen
   * without time passing does happen: see {@link settle}. Timers that are set meanwhile and fall within `ms` are called
   * too.
   * @throws what a timer throws; the time then stands where that timer was due
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new TypeError(`ms must be a number ≥ 0; got ${ms}.`);
    const end = this.#now + ms;
    await this.settle();
    for (let timer = this.#takeDue(end); timer !== undefined; timer = this.#takeDue(end)) {
      this.#now = Math.max(this.#now, timer.dueAt);
      timer.call();
      await this.settle();
    }
    this.#now = Math.max(this.#now, end);
  }

  /**
   * Lets everything happen that needs no time: promise callbacks, and calls asked for with `soon`, until no more come.
   * @throws Error when calls bring about each other without end
   */
  async settle(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await turnOfLoop();
      if (this.runSoon() === 0) return;
    }
    throw new Error(`Calls still ask for another "soon" after ${MAX_ROUNDS} rounds.`);
  }

  /**
   * Makes the calls asked for with `soon` up to now, at once and without promise callbacks in between.
   * @returns how many
   */
  runSoon(): number {
    let made = 0;
    for (const call of [...this.#soon]) {
      // A call may have cancelled one that comes after it.
      if (!this.#soon.delete(call)) continue;
      call();
      made += 1;
    }
    return made;
  }

  #takeDue(end: number): Timer | undefined {
    const next = this.#timers[0];
    return next && next.dueAt <= end ? this.#timers.shift() : undefined;
  }

  #remove(timer: Timer): void {
    const place = this.#timers.indexOf(timer);
    if (place >= 0) this.#timers.splice(place, 1);
  }
}

// Kept from before a test replaces Node's timers by its own.
const nodeSetImmediate = setImmediate;
const turnOfLoop = () => new Promise<void>((resolve) => void nodeSetImmediate(resolve));
