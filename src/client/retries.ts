import { backoffMs } from './backoff.ts';
import type { Input } from './connection-state.ts';
import type { StreamError } from './stream-error.ts';
import type { StreamSettings } from './stream-settings.ts';

/** So many connections in a row end at a line that nobody can read: the server has nothing else to say. */
const MAX_MALFORMED = 8;

/** What a failure means, and how long to wait after it. Counts the connections in a row that brought nothing. */
export class Retries {
  readonly #settings: StreamSettings;
  #attempt = 0;
  #malformed = 0;

  constructor(settings: StreamSettings) {
    this.#settings = settings;
  }

  /** The connection brought something new: the counts start over. */
  reset(): void {
    this.#attempt = this.#malformed = 0;
  }

  inputAfter({ retry, code, status }: StreamError): Input {
    if (code === 'malformed' && ++this.#malformed >= MAX_MALFORMED) return 'close';
    if (status && this.#settings.retryStatuses?.includes(status)) return 'lost';
    if (retry !== 'resubscribe') return retry === 'never' ? 'close' : 'lost';
    if (code === 'permission_denied' || code.startsWith('acl_')) return 'denied';
    // Cut off for a gap that the reader would take: it goes on from its position, and the server tells what is missing.
    return this.#settings.onGap === 'fail' || status !== undefined ? 'close' : 'lost';
  }

  /**
   * A connection that was heard and then cut is no failure, however short it was: something on the way ends idle
   * streams, or long ones. Its delay is `minDelayMs` ± half, never near 0: a server that cuts every stream at once is
   * asked no more often than that.
   * @param isHeard a whole line came on the connection that ended
   */
  delayMsAfter({ code, retryAfterMs = 0 }: StreamError, isHeard: boolean): number {
    const { minDelayMs = 250, maxDelayMs = 30_000, random = Math.random } = this.#settings;
    if (!isHeard || (code !== 'network' && code !== 'timeout'))
      return retryAfterMs + backoffMs(this.#attempt++, minDelayMs, maxDelayMs, random);
    this.#attempt = 0;
    return Math.min(maxDelayMs, minDelayMs * (0.5 + random()));
  }
}
