import { systemClock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';
import type { PostgresClientLike, PostgresPoolLike } from './postgres-client.ts';

/** What happened to a statement that failed. */
export type Outcome = 'not sent' | 'refused' | 'unknown';

/** A statement on a connection of the pool failed. */
export class PoolFailure extends Error {
  override readonly name = 'PoolFailure';
  readonly outcome: Outcome;

  constructor(outcome: Outcome, message: string, cause?: unknown) {
    super(message, { cause });
    this.outcome = outcome;
  }

  /** PostgreSQL's code of the refusal. */
  get code(): unknown {
    return codeOf(this.cause);
  }
}

/** The host's pool, with an end to every wait. */
export class PoolAccess {
  readonly #pool: PostgresPoolLike;
  /** Without a listener, a connection that breaks would end the process: one in the pool, and one that is lent. */
  readonly #onError = (): void => undefined;

  constructor(pool: PostgresPoolLike) {
    this.#pool = pool;
    pool.on('error', this.#onError);
  }

  /** @throws PoolFailure, and a TypeError that `work` throws */
  async run<R>(limitMs: number, work: (client: PostgresClientLike) => Promise<R>): Promise<R> {
    const until = performance.now() + limitMs;
    const client = await this.#lent(limitMs);
    try {
      const late = () => new PoolFailure('unknown', `No answer within ${limitMs} ms.`);
      const result = await withDeadline(systemClock, Math.max(1, until - performance.now()), work(client), late);
      this.#giveBack(client);
      return result;
    } catch (error) {
      const failure = failureOf(error);
      // A connection that was cut short, or broke, is in no state to be used again.
      this.#giveBack(client, failure instanceof PoolFailure && failure.outcome === 'unknown');
      throw failure;
    }
  }

  close(): void {
    this.#pool.removeListener('error', this.#onError);
  }

  #giveBack(client: PostgresClientLike, destroy = false): void {
    client.release(destroy);
    client.removeListener('error', this.#onError);
  }

  async #lent(limitMs: number): Promise<PostgresClientLike> {
    const lending = this.#lend();
    try {
      const late = () => new Error(`The pool had no connection within ${limitMs} ms.`);
      return await withDeadline(systemClock, limitMs, lending, late);
    } catch (cause) {
      // One that comes when nobody waits for it any more goes back.
      void lending.then(
        (client) => this.#giveBack(client),
        () => undefined,
      );
      throw new PoolFailure('not sent', 'There is no connection to the database.', cause);
    }
  }

  /**
   * By callback: `pg` goes on to the next message of the same packet before a promise gets its turn, and that may say
   * that the server is gone. Nobody would listen, and the process would end.
   */
  #lend(): Promise<PostgresClientLike> {
    return new Promise((resolve, reject) => {
      this.#pool.connect((error, client) => {
        if (error || !client) return reject(error ?? new Error('The pool lent no connection.'));
        client.on('error', this.#onError);
        resolve(client);
      });
    });
  }
}

export function unavailable(what: string, cause: unknown): BrokerError {
  return new BrokerError('log_unavailable', what, { cause });
}

function failureOf(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof PoolFailure) return error;
  return isRefusal(error)
    ? new PoolFailure('refused', 'The database refused the statement.', error)
    : new PoolFailure('unknown', 'The connection broke before the answer came.', error);
}

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null | undefined)?.code;

/** The server answered, and ended the statement: but for a shutdown, which may fall behind the commit. */
function isRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(57P|08|XX|58)/.test(code) && code !== 'EPIPE';
}
