import { systemClock } from '../../model/clock.ts';
import { FairLimit } from '../../core/log/fair-limit.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';
import { PreparedStatements } from './prepared.ts';
import type { PostgresConnectionLike, PostgresRows } from './postgres-client.ts';

export interface OwnConnectionOptions {
  readonly connect: () => PostgresConnectionLike;
  /** Runs on each new connection. */
  readonly setup: string;
  readonly timeoutMs: number;
  readonly onNotice: (payload: string) => void;
  /** The connection broke. */
  readonly onLost: () => void;
}

/**
 * The one connection of a log's own. It is made when it is needed and there is none; a statement that gets no answer in
 * time ends it, since one that is dead says nothing by itself.
 */
export class OwnConnection {
  readonly #options: OwnConnectionOptions;
  /** One statement at a time; time is counted from when it is sent. */
  readonly #turns = new FairLimit(1);
  readonly #prepared = new PreparedStatements();
  #client: PostgresConnectionLike | undefined;
  #connecting: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: OwnConnectionOptions) {
    this.#options = options;
  }

  /** @throws BrokerError `log_unavailable` */
  connected(): Promise<void> {
    if (this.#client) return Promise.resolve();
    return (this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined)));
  }

  /** @throws BrokerError `log_unavailable`, with what the server said as its cause */
  async query(text: string, values: unknown[]): Promise<PostgresRows> {
    return this.#turns.run(async () => {
      const client = this.#client;
      if (client) return this.#run(client, () => this.#prepared.run(client, text, values));
      throw unavailable(new Error('There is no connection.'));
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#client) end(this.#client);
    this.#client = undefined;
  }

  async #connect(): Promise<void> {
    const client = this.#options.connect();
    let isLost = false;
    const lost = () => {
      isLost = true;
      this.#lost(client);
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', (news) => this.#options.onNotice(news?.payload ?? ''));
    try {
      await this.#inTime(client.connect());
      await this.#run(client, () => client.query(this.#options.setup));
      if (isLost || this.#isClosed) throw new Error('The connection ended at once.');
    } catch (cause) {
      end(client);
      throw unavailable(cause);
    }
    this.#client = client;
  }

  async #run(client: PostgresConnectionLike, query: () => Promise<PostgresRows>): Promise<PostgresRows> {
    try {
      return await this.#inTime(query());
    } catch (cause) {
      if (cause instanceof NoAnswer) this.#lost(client);
      throw unavailable(cause);
    }
  }

  #inTime<R>(work: Promise<R>): Promise<R> {
    const { timeoutMs } = this.#options;
    return withDeadline(systemClock, timeoutMs, work, () => new NoAnswer(`No answer within ${timeoutMs} ms.`));
  }

  #lost(client: PostgresConnectionLike): void {
    end(client);
    if (this.#client !== client) return;
    this.#client = undefined;
    if (!this.#isClosed) this.#options.onLost();
  }
}

class NoAnswer extends Error {}

/** With a statement under way `pg` cuts the socket, else it says good-bye; either may fail, and nobody waits for it. */
function end(client: PostgresConnectionLike): void {
  client.end().catch(() => undefined);
}

/** PostgreSQL's code for a table that is not there. */
const UNDEFINED_TABLE = '42P01';

/** What `pg` throws names hosts and users, never passwords; it goes along as the cause, which no client gets. */
function unavailable(cause: unknown): BrokerError {
  if (BrokerError.is(cause)) return cause;
  const isGone = (cause as { readonly code?: unknown } | null)?.code === UNDEFINED_TABLE;
  const message = isGone ? 'The tables of the log are not there.' : 'The database of the log does not answer.';
  return new BrokerError('log_unavailable', message, { cause });
}
