import type { Clock } from '../model/clock.ts';
import { StreamError } from './stream-error.ts';

/** The part of a clock that the client needs. */
export type StreamClock = Pick<Clock, 'now' | 'after'>;

/** The longest that timers can wait, 24 days: past it they call at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of the machine. Its timers keep a program alive: one that waits for its server is not done. */
export const liveClock: StreamClock = {
  now: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, Math.min(delayMs, LONGEST_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Everything a stream waits for, one at a time: each wait has a limit, {@link skip} ends the present one, {@link end}
 * all later ones too. Timers and listeners are there only while something is waited for.
 */
export class Wait {
  readonly #clock: StreamClock;
  readonly #onBegin: (limitMs: number) => (() => void) | undefined;
  #finish: ((error?: StreamError) => void) | undefined;
  #isEnded = false;

  /** @param onBegin a wait begins: returns what is to be called at its end */
  constructor(clock: StreamClock, onBegin: (limitMs: number) => (() => void) | undefined) {
    this.#clock = clock;
    this.#onBegin = onBegin;
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
      const timer = this.#clock.after(limitMs, begin(resolve, reject));
      const atEnd = this.#onBegin(limitMs);
      this.#finish = (error) => {
        timer.cancel();
        atEnd?.();
        this.#finish = undefined;
        if (error) reject(error);
      };
      if (this.#isEnded) this.skip();
    });
    return wait.finally(() => this.#finish?.());
  }
}
