import { checkNumber, checkNumbers, notNegative, positive } from '../../model/numbers.ts';
import { checkOptions } from '../../model/options.ts';
import type { OptionNames } from '../../model/options.ts';
import type { Retention } from '../../core/log/event-log.ts';
import { checkRetention } from '../retention.ts';
import { checkNames } from './layout.ts';
import type { PostgresConnectionLike, PostgresPoolLike } from './postgres-client.ts';

export interface PostgresEventLogOptions {
  /**
   * The host's own pool, of two connections at least, which the log does not close. One is taken for each commit and up
   * to four (less than half of them) for history that is read; never for long.
   */
  readonly pool: PostgresPoolLike;
  /** Name of the log, with which the names of its tables begin: a letter, then letters, digits, `_`; 48 at most. */
  readonly name: string;
  /** Schema of the tables. Default `'public'`. */
  readonly schema?: string;
  /**
   * Makes tables and function when they are missing. Default true; false: `open` refuses with `bad_request`, for those
   * who migrate by hand with `postgresEventLogSql`.
   */
  readonly create?: boolean;
  /**
   * What is kept; default everything. This process looks once per second for what is due, and drops it in slices of
   * 1,000 records; where several processes have bounds, the tightest one holds. `maxBytes` counts bodies.
   */
  readonly retention?: Retention;
  /** For how long the id of an append is recognised. Default two minutes; 0: ids are refused. */
  readonly dedupeWindowMs?: number;
  /**
   * How long an append may wait for a connection, for other writers and for the commit before it fails with
   * `log_unavailable`. Default 10,000. Not for one in the host's transaction, which waits as long as the host lets it.
   */
  readonly appendTimeoutMs?: number;
  /** How long any other statement may take; one on the log's own connection makes that anew. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /**
   * How often the log is looked at while nothing wakes its tails: what finds a record whose writer died right after its
   * commit, and a connection that is dead. Default 250.
   */
  readonly pollMs?: number;
  /**
   * Makes the one connection of the log's own, for `LISTEN` and the tails: `() => new pg.Client(config)`. Default: with
   * the class and the options of the pool, which a `Pool` of `pg` has. Must reach the server itself, or a pooler that
   * gives a connection for as long as it is open; behind another one `LISTEN` is dead, and the poll alone is left.
   */
  readonly connect?: () => PostgresConnectionLike;
}

const knownOptions: OptionNames<PostgresEventLogOptions> = {
  pool: true,
  name: true,
  schema: true,
  create: true,
  retention: true,
  dedupeWindowMs: true,
  appendTimeoutMs: true,
  requestTimeoutMs: true,
  pollMs: true,
  connect: true,
};

/** Options with their defaults. */
export type LogSettings = Required<PostgresEventLogOptions>;

/** @throws TypeError naming the option and what is allowed */
export function settingsOf(options: PostgresEventLogOptions): LogSettings {
  checkOptions<PostgresEventLogOptions>(options, knownOptions, 'PostgresEventLog.open');
  const { pool, name, schema = 'public', create = true, retention = {}, dedupeWindowMs = 120_000 } = options;
  const { appendTimeoutMs = 10_000, requestTimeoutMs = 5_000, pollMs = 250 } = options;
  checkPool(pool);
  checkNames({ name, schema });
  checkRetention(retention);
  checkNumber('dedupeWindowMs', dedupeWindowMs, notNegative);
  checkNumbers({ appendTimeoutMs, requestTimeoutMs, pollMs }, positive);
  const connect = options.connect ?? connectAs(pool);
  const waits = { dedupeWindowMs, appendTimeoutMs, requestTimeoutMs, pollMs };
  return { pool, name, schema, create, retention, connect, ...waits };
}

/** How many connections the pool has at most; 10 is the default of `pg`. */
export function poolSize({ options = {} }: PostgresPoolLike): number {
  const { max = 10 } = options as { readonly max?: number };
  return max;
}

function checkPool(pool: PostgresPoolLike): void {
  if (typeof pool?.connect !== 'function') throw new TypeError('pool must be a Pool of pg.');
  if (poolSize(pool) >= 2) return;
  const why = 'a transaction of the host would hold the only one while the log waits for it';
  throw new TypeError(`pool must have two connections at least (max: 2 or more): ${why}.`);
}

/** A `Pool` of `pg` has the class of its clients, and hands its options to each. */
function connectAs(pool: PostgresPoolLike): () => PostgresConnectionLike {
  const { Client, options } = pool as { Client?: new (options: object) => PostgresConnectionLike; options?: object };
  if (typeof Client === 'function' && options) return () => new Client(options);
  const need = 'The log needs a connection of its own, and this pool does not say how to make one';
  throw new TypeError(`${need}: pass connect: () => new pg.Client(config).`);
}
