import type { Clock } from '../model/clock.ts';
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

  /**
   * What `work` resolves with.
   * @throws StreamError `timeout` after `limitMs`, `closed` after {@link skip}; what `work` throws is made one of
   * `code`
   */
  async for<T>(
    work: () => T | Promise<T>,
    limitMs: number,
    code: StreamErrorCode = 'network',
    message = 'The connection failed.',
  ): Promise<T> {
    const late = (): never => {
      throw new StreamError('timeout', `Nothing came for ${limitMs} ms.`, 'resume');
    };
    try {
      return await Promise.race([(async () => work())(), this.sleep(limitMs).then(late)]);
    } catch (cause) {
      throw StreamError.is(cause) ? cause : new StreamError(code, message, 'resume', { cause });
    } finally {
      this.#finish?.();
    }
  }

  /** @throws StreamError `closed` after {@link skip} */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(delayMs, () => this.#finish?.());
      const atEnd = this.#onBegin(delayMs);
      this.#finish = (error) => {
        this.#finish = undefined;
        timer.cancel();
        atEnd?.();
        if (error) reject(error);
        else resolve();
      };
      if (this.#isEnded) this.skip();
    });
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
}
