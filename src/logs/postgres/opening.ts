import { BrokerError } from '../../model/errors.ts';
import type { LogCapabilities } from '../../core/log/event-log.ts';
import { LAYOUT, postgresEventLogSql, tablesOf } from './layout.ts';
import type { LogSettings } from './options.ts';
import { PoolFailure, unavailable } from './pool-access.ts';
import type { PoolAccess } from './pool-access.ts';
import type { PostgresClientLike } from './postgres-client.ts';

/** How long a server may take to be looked at and to make the tables, behind others that open the log too. */
const OPENING_MS = 30_000;

/** 13: the oldest with `gen_random_uuid` of its own. */
const OLDEST_SERVER = 130_000;
/** PostgreSQL's codes for a right that is missing, and for a column that is not there. */
const NO_RIGHT = '42501';
const UNDEFINED_COLUMN = '42703';

interface ServerRow {
  readonly version: number;
  readonly release: string;
  readonly is_replica: boolean;
  readonly is_read_only: boolean;
  readonly commit: string;
  readonly fsync: string;
  readonly standbys: string;
  readonly is_there: boolean;
}

const names = (settings: LogSettings): string => `"${settings.schema}"."${settings.name}"`;

const bad = (message: string, cause?: unknown) => new BrokerError('bad_request', message, { cause });

/**
 * Looks at the server and the tables before they are used, and makes those that are missing.
 * @returns what an acknowledged append outlives
 * @throws BrokerError `bad_request`, `not_supported`, each with what to do; `log_unavailable`
 */
export async function prepared(pool: PoolAccess, settings: LogSettings): Promise<LogCapabilities['durability']> {
  // A refusal has to pass through the pool's access as what it is.
  const answer = await pool
    .run(OPENING_MS, (client) => prepare(client, settings).catch(refusal))
    .catch((failure: unknown) => {
      throw unavailable('The log could not be opened.', failure instanceof PoolFailure ? failure.cause : failure);
    });
  if (typeof answer === 'string') return answer;
  throw answer;
}

function refusal(error: unknown): BrokerError {
  if (BrokerError.is(error)) return error;
  throw error;
}

async function prepare(client: PostgresClientLike, settings: LogSettings): Promise<LogCapabilities['durability']> {
  try {
    const server = await serverOf(client, settings);
    checkServer(server);
    if (!server.is_there) await create(client, settings);
    await checkLayout(client, settings);
    await checkParts(client, settings);
    await checkRights(client, settings);
    return durabilityOf(server);
  } catch (error) {
    // The right to look into the schema itself.
    if (codeOf(error) !== NO_RIGHT) throw error;
    throw bad(`The user of the pool may not use the schema "${settings.schema}": GRANT USAGE ON SCHEMA to it.`, error);
  }
}

async function serverOf(client: PostgresClientLike, settings: LogSettings): Promise<ServerRow> {
  const setting = (name: string) => `current_setting('${name}')`;
  const { rows } = await client.query(
    `SELECT ${setting('server_version_num')}::int AS version, ${setting('server_version')} AS release,
      pg_is_in_recovery() AS is_replica, ${setting('transaction_read_only')}::bool AS is_read_only,
      ${setting('synchronous_commit')} AS commit, ${setting('fsync')} AS fsync,
      ${setting('synchronous_standby_names')} AS standbys, to_regclass($1) IS NOT NULL AS is_there`,
    [tablesOf(settings).head],
  );
  return rows[0] as ServerRow;
}

function checkServer({ version, release, is_replica: isReplica, is_read_only: isReadOnly }: ServerRow): void {
  const refuse = (why: string) => {
    throw new BrokerError('not_supported', `This server cannot keep the log: ${why}.`);
  };
  if (version < OLDEST_SERVER) refuse(`it is PostgreSQL ${release}; use 13 or newer`);
  if (isReplica) refuse('it is a read-only replica; connect to the primary');
  if (isReadOnly) refuse('its transactions are read-only by default; set default_transaction_read_only to off');
}

/** Several processes may open a new log at once: a lock lets the first one make it. */
async function create(client: PostgresClientLike, settings: LogSettings): Promise<void> {
  const byHand = 'run the SQL of postgresEventLogSql({ name, schema }) as a user who may';
  if (!settings.create) throw bad(`There is no log ${names(settings)}: ${byHand}, or open it without create: false.`);
  const lock = `SELECT pg_advisory_xact_lock(hashtext('fenceline ${settings.schema}.${settings.name}'));`;
  try {
    await client.query(`${lock}\n${postgresEventLogSql(settings)}`);
  } catch (cause) {
    if (codeOf(cause) !== NO_RIGHT) throw cause;
    throw bad(`The user of the pool may not make the log ${names(settings)}: ${byHand}, or grant it CREATE.`, cause);
  }
}

async function checkLayout(client: PostgresClientLike, settings: LogSettings): Promise<void> {
  const other = `"${settings.schema}"."${settings.name}_head" is not the head of a log: choose another name`;
  const layout = await layoutOf(client, settings).catch((cause: unknown) => {
    if (codeOf(cause) === UNDEFINED_COLUMN) throw bad(`${other}.`, cause);
    throw cause;
  });
  if (layout === undefined) throw bad(`${other}, or drop what is left of the log.`);
  if (layout === LAYOUT) return;
  const [is, act] = layout > LAYOUT ? ['newer', 'a newer fenceline'] : ['older', 'another fenceline'];
  throw bad(`The log ${names(settings)} has layout ${layout}, which is ${is} than ${LAYOUT}: open it with ${act}.`);
}

/** Without the right to look, the rights are what is told of. */
async function layoutOf(client: PostgresClientLike, settings: LogSettings): Promise<number | undefined> {
  const { head } = tablesOf(settings);
  try {
    const { rows } = await client.query(`SELECT layout FROM ${head}`);
    return (rows[0] as { readonly layout: number } | undefined)?.layout;
  } catch (error) {
    if (codeOf(error) === NO_RIGHT) return LAYOUT;
    throw error;
  }
}

async function checkRights(client: PostgresClientLike, settings: LogSettings): Promise<void> {
  const { append, ...tables } = tablesOf(settings);
  const { head, floor } = tables;
  const needs = Object.values(tables).flatMap((table) => rightsOn(table === head || table === floor, table));
  const { rows } = await client.query(
    `SELECT n.who_may || ' ON ' || n.what AS missing FROM unnest($1::text[], $2::text[]) AS n(what, who_may)
      WHERE NOT has_table_privilege(to_regclass(n.what), n.who_may)
      UNION ALL SELECT 'EXECUTE ON FUNCTION ' || $3 WHERE NOT has_function_privilege(to_regproc($3)::oid, 'EXECUTE')`,
    [needs.map(([table]) => table), needs.map(([, right]) => right), append],
  );
  const missing = (rows as readonly { readonly missing: string }[]).map((row) => row.missing);
  if (missing.length === 0) return;
  throw bad(`The user of the pool may not use the log ${names(settings)}: GRANT ${missing.join('; GRANT ')} to it.`);
}

/** Somebody dropped a part of the log, or restored a part of it. */
async function checkParts(client: PostgresClientLike, settings: LogSettings): Promise<void> {
  const { append, head: _, ...tables } = tablesOf(settings);
  const { rows } = await client.query(
    `SELECT what FROM unnest($1::text[]) AS n(what) WHERE to_regclass(what) IS NULL
      UNION ALL SELECT 'the function ' || $2 WHERE to_regproc($2) IS NULL`,
    [Object.values(tables), append],
  );
  const absent = (rows as readonly { readonly what: string }[]).map(({ what }) => what);
  if (absent.length === 0) return;
  const repair = 'restore them, or let the SQL of postgresEventLogSql make empty ones';
  throw bad(`Parts of the log ${names(settings)} are not there: ${absent.join(', ')}. ${repair}.`);
}

function rightsOn(isRow: boolean, table: string): readonly (readonly [table: string, right: string])[] {
  const rights = isRow ? ['SELECT', 'UPDATE'] : ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
  return rights.map((right) => [table, right] as const);
}

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null)?.code;

/** What `synchronous_commit` means on this server, for who commits on the pool's connections. */
function durabilityOf({ commit, fsync, standbys }: ServerRow): LogCapabilities['durability'] {
  // Acknowledged before it is written: the server's own crash may take it away.
  if (commit === 'off') return 'none';
  if (fsync === 'off') return 'os';
  return standbys !== '' && commit !== 'local' ? 'quorum' : 'disk';
}
