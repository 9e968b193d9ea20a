import type { Clock, ClockTimer } from '../model/clock.ts';
import { StreamError, type StreamErrorCode } from './stream-error.ts';

/** The part of a clock that the client needs. */
export type StreamClock = Pick<Clock, 'now' | 'after'>;

/** The clock of the machine. Its timers keep a program alive: one that waits for its server is not done. */
export const liveClock: StreamClock = {
  now: () => Date.now(),
  after: (delayMs, call) => {
    // 24 days, the longest that timers can wait: past it they call at once.
    const timer = setTimeout(call, Math.min(delayMs, 2 ** 31 - 1));
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Everything a stream waits for, one at a time: each wait has a limit, {@link skip} ends the present one, {@link end}
 * all later ones too. Each takes one timer of the clock, which it cancels at its end, also when it has fired.
 */
export class Wait {
  readonly #clock: StreamClock;
  #timer: ClockTimer | undefined;
  #atEnd: ((isOver: boolean) => void) | undefined;
  #isEnded = false;
  /** Longest that {@link for} waits. */
  limitMs: number;

  constructor(clock: StreamClock, limitMs = Infinity) {
    this.#clock = clock;
    this.limitMs = limitMs;
  }

  /**
   * What `work` resolves with.
   * @throws StreamError `timeout` after `limitMs`, or when the wait is skipped; what `work` throws is made one of
   * `code`
   */
  async for<T>(
    work: () => T | Promise<T>,
    code: StreamErrorCode = 'network',
    message = 'The connection failed.',
  ): Promise<T> {
    try {
      return await Promise.race([(async () => work())(), this.#late()]);
    } catch (cause) {
      throw StreamError.is(cause) ? cause : new StreamError(code, message, 'resume', { cause });
    } finally {
      this.#timer?.cancel();
    }
  }

  /** True when the time is over, false when the wait was skipped. */
  sleep(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => this.#start(delayMs, resolve));
  }

  /** Ends the present wait. */
  skip(): void {
    this.#finish(false);
  }

  /** Ends the present wait and all later ones. */
  end(): void {
    this.#isEnded = true;
    this.skip();
  }

  #late(): Promise<never> {
    const { limitMs } = this;
    return new Promise((_, reject) =>
      this.#start(limitMs, () => reject(new StreamError('timeout', `Nothing came for ${limitMs} ms.`, 'resume'))),
    );
  }

  #start(delayMs: number, atEnd: (isOver: boolean) => void): void {
    this.#atEnd = atEnd;
    this.#timer = this.#clock.after(delayMs, () => this.#finish(true));
    if (this.#isEnded) this.skip();
  }

  #finish(isOver: boolean): void {
    this.#timer?.cancel();
    this.#atEnd?.(isOver);
  }
}
