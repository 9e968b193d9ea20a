import type { LogTransaction } from '../../core/log/event-log.ts';

/** What a statement gives, as far as the log looks at it. */
export interface PostgresRows {
  readonly rows: readonly unknown[];
}

/** A statement that a connection keeps by its name. */
export interface PostgresStatement {
  readonly name: string;
  readonly text: string;
  values: unknown[];
}

/** A client that a pool lends. */
export interface PostgresClientLike {
  query(statement: string | PostgresStatement, values?: unknown[]): Promise<PostgresRows>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  /** @param destroy the connection is not to be used again */
  release(destroy?: boolean): void;
}

/**
 * A pool runs each statement in a transaction of its own, on whichever connection is free: what is appended would be
 * there at once, whatever becomes of the host's transaction. Only a pool of `pg` counts its connections.
 * @throws TypeError
 */
export function refusePool(transaction: object): void {
  if (!('totalCount' in transaction)) return;
  throw new TypeError('transaction must be the client on which it was begun (pool.connect()); got the pool.');
}

/**
 * On a client without a transaction each statement is one of its own. Clients of `pg` from 8.21 on say where they are;
 * a BEGIN that was not awaited is still on its way then, and a statement behind it tells.
 * @throws TypeError
 */
export async function refuseIdle(transaction: LogTransaction): Promise<void> {
  const { getTransactionStatus } = transaction as { readonly getTransactionStatus?: () => unknown };
  const isIdle = () => getTransactionStatus?.call(transaction) === 'I';
  if (!isIdle()) return;
  await transaction.query('SELECT', []);
  if (isIdle())
    throw new TypeError(
      'transaction must be a client on which BEGIN ran; on this one it did not. Nothing was appended.',
    );
}

/** A connection of its own; `new pg.Client(config)` is one. */
export interface PostgresConnectionLike {
  connect(): Promise<unknown>;
  query(statement: string | PostgresStatement, values?: unknown[]): Promise<PostgresRows>;
  on(
    event: 'error' | 'end' | 'notification',
    listener: (news?: { readonly payload?: string | undefined }) => void,
  ): unknown;
  end(): Promise<void>;
}

/**
 * What the log needs of a pool of connections; a `Pool` of `pg` is one. Said in our own words, so that no declaration
 * of `pg` has to compile under its user's compiler options.
 */
export interface PostgresPoolLike {
  /** Lends a connection. `client` is there when there is no `error`. */
  connect(lend: (error: Error | undefined, client?: PostgresClientLike) => void): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  readonly options?: object;
}
