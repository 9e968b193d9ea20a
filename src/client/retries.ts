import { backoffMs } from './backoff.ts';
import type { Input } from './connection-state.ts';
import type { StreamError } from './stream-error.ts';
import type { StreamSettings } from './stream-settings.ts';

/** So many connections in a row end at a line that nobody can read: the server has nothing else to say. */
const MAX_MALFORMED = 8;

/** What a failure means, and how long to wait after it. Counts the connections in a row that brought nothing new. */
export class Retries {
  readonly #settings: StreamSettings;
  #attempt = 0;
  #malformed = 0;

  constructor(settings: StreamSettings) {
    this.#settings = settings;
  }

  /** The connection was worth it: the counts start over. */
  reset(): void {
    this.#attempt = this.#malformed = 0;
  }

  inputAfter({ retry, code, status }: StreamError): Input {
    if (code === 'malformed' && ++this.#malformed >= MAX_MALFORMED) return 'close';
    if (retry !== 'resubscribe') return retry === 'never' ? 'close' : 'lost';
    if (code === 'permission_denied' || code.startsWith('acl_')) return 'denied';
    // Cut off for a gap that the reader would take: it goes on from its position, and the server tells what is missing.
    return this.#settings.onGap === 'fail' || status !== undefined ? 'close' : 'lost';
  }

  delayMsAfter({ retryAfterMs = 0 }: StreamError): number {
    const { minDelayMs, maxDelayMs, random } = this.#settings;
    return retryAfterMs + backoffMs(this.#attempt++, minDelayMs, maxDelayMs, random);
  }
}
