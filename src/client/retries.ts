import { backoffMs } from './backoff.ts';
import { StreamError } from './stream-error.ts';
import type { StreamOptions } from './stream-options.ts';

/** So many connections in a row end at a line that nobody can read: the server has nothing else to say. */
const MAX_MALFORMED = 8;

type RetryOptions = Pick<StreamOptions, 'retryStatuses' | 'onGap' | 'minDelayMs' | 'maxDelayMs' | 'random'>;

/** What a failure means, and how long to wait after it. Counts the connections in a row that brought nothing. */
export class Retries {
  readonly #options: RetryOptions;
  #attempt = 0;
  #malformed = 0;
  /** The token was denied, and no line has come since. */
  #isDenied = false;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** A line came. An answer of 200 alone means nothing: Nomad's servers give it to those whom they deny. */
  heard(): void {
    this.#isDenied = false;
  }

  /** The connection brought something new: the counts start over. */
  reset(): void {
    this.#attempt = this.#malformed = 0;
  }

  /** Whether asking again can help after this failure. */
  canHelp(reason: unknown): reason is StreamError {
    if (!StreamError.is(reason)) return false;
    const { retry, code, status } = reason;
    const { retryStatuses, onGap } = this.#options;
    if (code === 'malformed' && ++this.#malformed >= MAX_MALFORMED) return false;
    if (status && retryStatuses?.includes(status)) return true;
    if (retry !== 'resubscribe') return retry === 'resume';
    if (code === 'permission_denied' || code.startsWith('acl_')) {
      // The token that was asked for after a denial is no better.
      const isFirst = !this.#isDenied;
      this.#isDenied = true;
      return isFirst;
    }
    // Cut off for a gap that the reader would take: it goes on from its position, and the server tells what is missing.
    return onGap !== 'fail' && status === undefined;
  }

  /**
   * A connection that was heard and then cut is no failure, however short it was: something on the way ends idle
   * streams, or long ones. Its delay is `minDelayMs` ± half, never near 0: a server that cuts every stream at once is
   * asked no more often than that.
   * @param isHeard a whole line came on the connection that ended
   */
  delayMsAfter({ code, retryAfterMs = 0 }: StreamError, isHeard: boolean): number {
    const { minDelayMs = 250, maxDelayMs = 30_000, random = Math.random } = this.#options;
    if (!isHeard || (code !== 'network' && code !== 'timeout'))
      return retryAfterMs + backoffMs(this.#attempt++, minDelayMs, maxDelayMs, random);
    this.#attempt = 0;
    return Math.min(maxDelayMs, minDelayMs * (0.5 + random()));
  }
}
