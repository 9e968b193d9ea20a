import { checkNumber, finite } from '../../model/numbers.ts';
import { elapsedOn, type Clock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { checkOptions } from '../../model/options.ts';

/** How a broker is closed. */
export interface CloseOptions {
  /**
   * Over how long the streams are ended, in ms: one after the other, at even distances with jitter, so that their
   * clients do not come back all at once. `close` has resolved when it is over, whatever peers, stores and the log do.
   * Default 0: all at once.
   */
  readonly drainMs?: number;
}

/** @throws TypeError for an option that is not known, or no number of milliseconds from 0 on */
export function checkClose(options: CloseOptions): number {
  checkOptions<CloseOptions>(options, { drainMs: true }, 'close');
  const { drainMs = 0 } = options;
  return checkNumber('drainMs', drainMs, { ...finite, allowed: 'a number of milliseconds, 0 (all at once) or more' });
}

/** A stream that is to end. */
export interface Drained {
  /** It has ended by itself, or its client has left. */
  readonly isOver: boolean;
  end(): void;
}

export interface DrainParts {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly drainMs: number;
}

/**
 * This part of the time is for the goodbyes; the rest for what peers and the log have not taken when the last is said.
 */
const GOODBYES = 0.9;

/** How often it is looked at whether anybody is still there: who leaves by itself tells nobody here. */
const LOOK_MS = 250;

/**
 * Node ends a process that waits for nothing: the clock's timers do not hold it. Any number will do, nothing is done.
 */
const HOLD_MS = 60_000;

/**
 * The end of a broker, spread over `drainMs`. The n-th of N streams ends somewhere in the n-th of N equal parts of the
 * time: so many in each second, however chance has it, and no two servers in step.
 */
export class Drain {
  readonly #parts: DrainParts;
  readonly #startAt: number;
  readonly #holding: ReturnType<typeof setInterval>;

  /** The time runs from now on. {@link release} must follow. */
  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#startAt = elapsedOn(parts.clock);
    this.#holding = setInterval(() => undefined, HOLD_MS);
  }

  /** Ends all of them, in their order. Resolves when the last has ended: sooner, where they leave by themselves. */
  async goodbyes(streams: readonly Drained[]): Promise<void> {
    const { drainMs, random } = this.#parts;
    const partMs = (GOODBYES * drainMs) / streams.length;
    const dueAt = streams.map((_, i) => this.#startAt + (i + random()) * partMs);
    for (let next = 0; ;) {
      // A timer is late, and a millisecond long at the least: all that are due by then end together.
      const stream = streams[next];
      if (stream === undefined) return;
      const restMs = (dueAt[next] ?? 0) - elapsedOn(this.#parts.clock);
      if (restMs > 0 && !stream.isOver) await this.#sleep(Math.min(LOOK_MS, restMs));
      else {
        stream.end();
        next++;
      }
    }
  }

  /** Waits for work, and no longer than to the end of the time. Never rejects: what fails now, nobody can mend. */
  async within(work: Promise<unknown>): Promise<void> {
    const { clock, drainMs } = this.#parts;
    const leftMs = this.#startAt + drainMs - elapsedOn(clock);
    await withDeadline(clock, leftMs, work, () => new Error('The time is over.')).catch(() => undefined);
  }

  /** Lets go of the process. */
  release(): void {
    clearInterval(this.#holding);
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(delayMs, resolve));
  }
}
