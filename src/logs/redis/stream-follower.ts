import { systemClock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';
import { pause } from '../wait.ts';
import type { LiveConnection } from './live-connection.ts';
import type { RedisConnection } from './redis-client.ts';

/** How long the server holds a read that finds nothing. While nothing comes, the log's head is looked at this often. */
const BLOCK_MS = 1_000;
/** So much later the connection is taken for dead, whatever its client thinks. */
const GRACE_MS = 2_000;
/** How long a connection of our own may take to come up or back: some versions of the clients never do. */
const CONNECT_MS = 5_000;
/** Most groups of one answer; each with a record of the largest size, 64 MiB. */
const GROUPS = 16;
/** How long a tail that asks for less than what is waited for lets the others go first. */
const STEP_BACK_MS = 20;

/**
 * The newest records, by a read that blocks: it parks its whole connection, so there is one for all tails of a log.
 * What is asked is what a tail needs next, and no more is held here.
 */
export class StreamFollower {
  readonly #host: LiveConnection;
  readonly #stream: string;
  #own: RedisConnection | undefined;
  #asked: { readonly after: number; readonly entries: Promise<readonly unknown[]> } | undefined;
  #isClosed = false;

  constructor(host: LiveConnection, stream: string) {
    this.#host = host;
    this.#stream = stream;
  }

  /**
   * Entries after the one at `after`, as soon as there are any. None after a second; the caller looks at the log then.
   * @throws what the client rejects with
   */
  async next(after: number, signal: AbortSignal): Promise<readonly unknown[]> {
    if (this.#asked && this.#asked.after !== after) return this.#stepBack(this.#asked.entries, signal);
    this.#asked ??= { after, entries: this.#ask(after).finally(() => (this.#asked = undefined)) };
    return this.#asked.entries;
  }

  close(): void {
    this.#isClosed = true;
    this.#own?.destroy();
  }

  /** Another tail waits at another place: one of the two is behind, and finds what it lacks when it looks. */
  async #stepBack(other: Promise<unknown>, signal: AbortSignal): Promise<readonly unknown[]> {
    const settled = other.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([settled, pause(STEP_BACK_MS, signal)]);
    return [];
  }

  async #ask(after: number): Promise<readonly unknown[]> {
    const connection = (this.#own ??= this.#host.duplicate());
    await connection.untilBack(CONNECT_MS);
    if (this.#isClosed) return [];
    if (connection.isDown) throw this.#silent(connection);
    const block = ['BLOCK', `${BLOCK_MS}`, 'STREAMS', this.#stream, `${after}-0`];
    const answer = connection.send(['XREAD', 'COUNT', `${GROUPS}`, ...block]);
    return entriesOf(await withDeadline(systemClock, BLOCK_MS + GRACE_MS, answer, () => this.#silent(connection)));
  }

  /** A connection that says nothing is thrown away: its client may not notice for minutes. */
  #silent(connection: RedisConnection): BrokerError {
    connection.destroy();
    this.#own = undefined;
    return new BrokerError('log_unavailable', `The server of the log "${this.#stream}" is silent.`);
  }
}

/** Of RESP 2: a list of streams, each a pair; of RESP 3: names and entries in turn. */
function entriesOf(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) return [];
  const [first, entries] = answer as readonly unknown[];
  return (Array.isArray(first) ? first[1] : entries) as readonly unknown[];
}
