import type { Clock } from '../model/clock.ts';
import { StreamError } from './stream-error.ts';

/** The part of a clock that the client needs. */
export type StreamClock = Pick<Clock, 'now' | 'after'>;

/** The clock of the machine. Its timers keep a program alive: one that waits for its server is not done. */
export const liveClock: StreamClock = {
  now: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** A wait is made of pieces of at most this length. One that ends this much too late shows that the machine slept. */
const PIECE_MS = 10_000;

/** Calls when the page is shown or the machine is back online, until what it returns is called. */
export type WatchWakeUps = (call: () => void) => () => void;

type Finish = (error?: StreamError) => void;

/**
 * Everything a stream waits for, one at a time: each wait has a limit, {@link skip} ends the present one, {@link end}
 * all later ones too. Timers and listeners are there only while something is waited for.
 */
export class Wait {
  readonly #clock: StreamClock;
  readonly #onWake: () => void;
  readonly #watch: WatchWakeUps | undefined;
  #finish: Finish | undefined;
  #isEnded = false;
  /** From when on the present wait has taken longer than half of its limit. */
  #overdueAt = Infinity;

  /** @param onWake the machine slept, is back online, or the page is shown again */
  constructor(clock: StreamClock, onWake: () => void, watch: WatchWakeUps | undefined) {
    this.#clock = clock;
    this.#onWake = onWake;
    this.#watch = watch;
  }

  /** What is waited for has not come for more than half of the limit. */
  get isOverdue(): boolean {
    return this.#clock.now() >= this.#overdueAt;
  }

  /** @throws StreamError `timeout` after `limitMs`, `closed` after {@link skip}; whatever `work` rejects with */
  for<T>(work: Promise<T>, limitMs: number): Promise<T> {
    return this.#until<T>(limitMs, (resolve, reject) => {
      void work.then(resolve, reject);
      return () => reject(new StreamError('timeout', `Nothing came for ${limitMs} ms.`, 'resume'));
    });
  }

  /** @throws StreamError `closed` after {@link skip} */
  sleep(delayMs: number): Promise<void> {
    return this.#until<void>(delayMs, (resolve) => resolve);
  }

  /** Ends the present wait. */
  skip(): void {
    this.#finish?.(new StreamError('closed', 'Closed.', 'never'));
  }

  /** Ends the present wait and all later ones. */
  end(): void {
    this.#isEnded = true;
    this.skip();
  }

  #until<T>(
    limitMs: number,
    begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
  ): Promise<T> {
    const wait = new Promise<T>((resolve, reject) => {
      const cancel = this.#after(limitMs, begin(resolve, reject));
      const unwatch = this.#watch?.(this.#onWake);
      this.#finish = (error) => {
        cancel();
        unwatch?.();
        this.#overdueAt = Infinity;
        this.#finish = undefined;
        if (error) reject(error);
      };
      this.#overdueAt = this.#clock.now() + limitMs / 2;
      if (this.#isEnded) this.skip();
    });
    return wait.finally(() => this.#finish?.());
  }

  /** Calls once the limit is over. @returns what cancels it */
  #after(limitMs: number, call: () => void): () => void {
    let left = limitMs;
    let timer: { cancel(): void };
    const next = (): void => {
      const piece = Math.min(left, PIECE_MS);
      const dueAt = this.#clock.now() + piece;
      timer = this.#clock.after(piece, () => {
        left -= piece;
        if (left > 0) next();
        else call();
        if (this.#clock.now() - dueAt > PIECE_MS) this.#onWake();
      });
    };
    next();
    return () => timer.cancel();
  }
}
