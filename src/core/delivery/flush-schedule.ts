import { checkNumber, type NumberRule } from '../../model/numbers.ts';
import { checkOptions } from '../../model/options.ts';
import { elapsedOn, type Clock, type ClockTimer } from '../../model/clock.ts';

/** When chunks are handed to the transports. */
export interface FlushOptions {
  /**
   * Largest share of the time that flushing may take before flushes wait, so that under load chunks grow instead of
   * system calls multiplying. Between 0 and 1; 1 flushes in every turn whatever it costs. Default 0.5. Where waiting
   * joins nothing, flushes do not wait; where enough waits to be written and nothing more comes, they wait no longer.
   */
  readonly maxShare?: number;
}

/** After a calm stretch this much flushing is free, in ms: a burst in an idle process leaves at once. */
const BURST_MS = 20;

/** So much of it after a wait that was in vain, in ms; then waiting is tried again. */
const VAIN_MS = 100;

/** A flush that waits looks so many times whether anything comes, but not more often than each millisecond. */
const LOOKS = 4;
const LOOK_MS = 1;

/**
 * So much is enough for a flush that waits, in bytes of memory: past it a write costs what it carries, and waiting on
 * saves little. Shown by `npm run bench`, scenario "native": a thousand readers get about 1.4 times as much.
 */
const ENOUGH_BYTES = 16 * 1024;

const share: NumberRule = { allowed: 'above 0, at most 1', holds: (value) => value > 0 && value <= 1 };

/**
 * Calls `flush` once in each turn of the event loop in which it was asked for; less often while flushing takes a large
 * share of the time.
 *
 * A token bucket: time passing earns credit at `maxShare`, flushing spends it, and while there is none the flush waits
 * to pay it back. In an idle process there is always credit, so nothing is delayed; where a wait joins nothing (each
 * event is another reader's), it is given up for a while. A wait ends early where enough waits and nothing more comes:
 * publishers wait too then, for what is to be written. Shown by `npm run bench`, scenarios "fanout" and "selective".
 */
export class FlushSchedule {
  readonly #clock: Clock;
  readonly #maxShare: number;
  readonly #flush: () => boolean;
  readonly #waiting: () => number;
  #hasWaited = false;
  /** When a wait is over, how often it is looked at, and how much waited when it was. */
  #until = 0;
  #lookMs = 0;
  #seen = 0;
  #timer: ClockTimer | undefined;
  #credit = BURST_MS;
  #counted: number;

  /**
   * @param flush tells whether it joined what was published one after another
   * @param waiting how much was published since the last flush, in bytes of memory
   * @throws TypeError for a share outside 0 … 1
   */
  constructor(clock: Clock, options: FlushOptions, flush: () => boolean, waiting: () => number) {
    checkOptions<FlushOptions>(options, { maxShare: true }, 'flush');
    const { maxShare = 0.5 } = options;
    checkNumber('flush.maxShare', maxShare, share);
    this.#clock = clock;
    this.#maxShare = maxShare;
    this.#flush = flush;
    this.#waiting = waiting;
    this.#counted = this.#now();
  }

  /** Sees to it that a flush follows. Cheap when one is on its way. */
  request(): void {
    if (this.#timer !== undefined) return;
    this.#earn();
    this.#hasWaited = this.#credit <= 0;
    if (this.#hasWaited) this.#wait();
    else this.#timer = this.#clock.soon(this.#run);
  }

  #wait(): void {
    const waitMs = Math.max(LOOK_MS, -this.#credit / this.#maxShare);
    this.#until = this.#counted + waitMs;
    this.#lookMs = Math.max(LOOK_MS, waitMs / LOOKS);
    this.#lookLater(waitMs);
  }

  /** The last look is at the end: one more timer would be late by its own rounding. */
  #lookLater(leftMs: number): void {
    this.#seen = this.#waiting();
    this.#timer = this.#clock.after(leftMs < 2 * this.#lookMs ? leftMs : this.#lookMs, this.#look);
  }

  readonly #look = (): void => {
    const leftMs = this.#until - this.#now();
    if (leftMs <= 0) return this.#run();
    const waiting = this.#waiting();
    if (waiting >= ENOUGH_BYTES && waiting === this.#seen) return this.#endEarly();
    this.#lookLater(leftMs);
  };

  /** What is not paid back is forgiven: added up, it would hold up what comes alone after a time of much. */
  #endEarly(): void {
    this.#earn();
    this.#credit = Math.max(0, this.#credit);
    this.#run();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    const start = this.#earn();
    const hasJoined = this.#flush();
    if (this.#maxShare === 1) return;
    // A pause of the whole process (a debugger, a machine that sleeps) is no debt to pay back.
    this.#credit = this.#hasWaited && !hasJoined ? VAIN_MS : Math.max(-VAIN_MS, this.#credit - this.#now() + start);
  };

  #earn(): number {
    const now = this.#now();
    if (this.#credit < BURST_MS)
      this.#credit = Math.min(BURST_MS, this.#credit + Math.max(0, now - this.#counted) * this.#maxShare);
    this.#counted = now;
    return now;
  }

  /** Flushes take fractions of a millisecond, which the time of day does not show. */
  #now(): number {
    return elapsedOn(this.#clock);
  }
}
