import type { Clock } from '../model/clock.ts';
import { StreamError } from './stream-error.ts';

/** The part of a clock that the client needs. */
export type StreamClock = Pick<Clock, 'now' | 'after'>;

/** Timers fire at once for a longer delay than this. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The clock of the machine. Its timers keep a program alive: one that waits for its server is not done. */
export const liveClock: StreamClock = {
  now: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, Math.min(delayMs, LONGEST_DELAY_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

type Finish = (error?: StreamError) => void;

/**
 * Everything a stream waits for, one at a time: each wait has a limit, and {@link end} ends the present and all later
 * ones.
 */
export class Wait {
  readonly #clock: StreamClock;
  #finish: Finish | undefined;
  #isEnded = false;

  constructor(clock: StreamClock) {
    this.#clock = clock;
  }

  /** @throws StreamError `timeout` after `limitMs`, `closed` after {@link end}; whatever `work` rejects with */
  for<T>(work: Promise<T>, limitMs: number): Promise<T> {
    return this.#until<T>(limitMs, (resolve, reject) => {
      void work.then(resolve, reject);
      return () => reject(new StreamError('timeout', `Nothing came for ${limitMs} ms.`, 'resume'));
    });
  }

  /** @throws StreamError `closed` after {@link end} */
  sleep(delayMs: number): Promise<void> {
    return this.#until<void>(delayMs, (resolve) => resolve);
  }

  end(): void {
    this.#isEnded = true;
    this.#finish?.(new StreamError('closed', 'Closed.', 'never'));
  }

  #until<T>(
    limitMs: number,
    begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
  ): Promise<T> {
    const wait = new Promise<T>((resolve, reject) => {
      const timer = this.#clock.after(limitMs, begin(resolve, reject));
      this.#finish = (error) => {
        timer.cancel();
        if (error) reject(error);
      };
      if (this.#isEnded) this.end();
    });
    return wait.finally(() => this.#finish?.());
  }
}
