import { checkNumber, type NumberRule } from '../../model/numbers.ts';
import { checkOptions } from '../../model/options.ts';
import { elapsedOn, type Clock, type ClockTimer } from '../../model/clock.ts';

/** When chunks are handed to the transports. */
export interface FlushOptions {
  /**
   * Largest share of the time that flushing may take before flushes wait, so that under load chunks grow instead of
   * system calls multiplying. Between 0 and 1; 1 flushes in every turn whatever it costs. Default 0.5. Where waiting
   * joins nothing, flushes do not wait.
   */
  readonly maxShare?: number;
}

/** After a calm stretch this much flushing is free, in ms: a burst in an idle process leaves at once. */
const BURST_MS = 20;

/** So much of it after a wait that was in vain, in ms; then waiting is tried again. */
const VAIN_MS = 100;

const share: NumberRule = { allowed: 'above 0, at most 1', holds: (value) => value > 0 && value <= 1 };

/**
 * Calls `flush` once in each turn of the event loop in which it was asked for; less often while flushing takes a large
 * share of the time.
 *
 * A token bucket: time passing earns credit at `maxShare`, flushing spends it, and while there is none the flush waits
 * to pay it back. In an idle process there is always credit, so nothing is delayed; where a wait joins nothing (each
 * event is another reader's), it is given up for a while. Shown by `npm run bench`, scenarios "fanout" and "selective".
 */
export class FlushSchedule {
  readonly #clock: Clock;
  readonly #maxShare: number;
  readonly #flush: () => boolean;
  #hasWaited = false;
  #timer: ClockTimer | undefined;
  #credit = BURST_MS;
  #counted: number;

  /**
   * @param flush tells whether it joined what was published one after another
   * @throws TypeError for a share outside 0 … 1
   */
  constructor(clock: Clock, options: FlushOptions, flush: () => boolean) {
    checkOptions<FlushOptions>(options, { maxShare: true }, 'flush');
    const { maxShare = 0.5 } = options;
    checkNumber('flush.maxShare', maxShare, share);
    this.#clock = clock;
    this.#maxShare = maxShare;
    this.#flush = flush;
    this.#counted = this.#now();
  }

  /** Sees to it that a flush follows. Cheap when one is on its way. */
  request(): void {
    if (this.#timer !== undefined) return;
    this.#earn();
    this.#hasWaited = this.#credit <= 0;
    this.#timer = this.#hasWaited
      ? this.#clock.after(Math.max(1, -this.#credit / this.#maxShare), this.#run)
      : this.#clock.soon(this.#run);
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
