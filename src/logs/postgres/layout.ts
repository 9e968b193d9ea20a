import { createHash } from 'node:crypto';

/** Where a log is kept. */
export interface LogNames {
  readonly name: string;
  /** Default `'public'`. */
  readonly schema?: string;
}

/** Version of the tables and the function, in the head row. */
export const LAYOUT = 2;

/** @throws TypeError for a name that is none: they are quoted all the same */
export function checkNames({ name, schema = 'public' }: LogNames): void {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,47}$/.test(name)) {
    throw new TypeError(`name must be a letter, then letters, digits and "_", 48 at most; got ${name}.`);
  }
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(schema)) {
    throw new TypeError(`schema must be a letter or "_", then letters, digits, "_" and "-"; got ${schema}.`);
  }
}

/** The full, quoted names of what a log is made of. */
export function tablesOf({ name, schema = 'public' }: LogNames) {
  checkNames({ name, schema });
  const quoted = (part: string) => `"${schema}"."${name}_${part}"`;
  return {
    head: quoted('head'),
    floor: quoted('floor'),
    records: quoted('records'),
    ids: quoted('ids'),
    pins: quoted('pins'),
    append: quoted('append'),
  };
}

/** What its processes wake each other by: a name that any schema and name fit in. */
export function channelOf({ name, schema = 'public' }: LogNames): string {
  return `fenceline_${createHash('sha256').update(`${schema}.${name}`).digest('hex').slice(0, 32)}`;
}

/**
 * The row of the head, `h`, and that of the floor, `f`, for a FROM. With its LIMIT the planner knows that each is one;
 * else it takes them for millions together, and compiles the statement for a quarter of a second each time.
 */
export function bothRows(names: LogNames): string {
  const { head, floor } = tablesOf(names);
  return `(SELECT * FROM ${head} LIMIT 1) h CROSS JOIN (SELECT * FROM ${floor} LIMIT 1) f`;
}

/**
 * The SQL that makes what a log needs and leaves alone what is there, for those who migrate by hand; `open` runs the
 * same.
 *
 * - `…_head`, one row: the index of the newest record, locked by each append to the end of its transaction.
 * - `…_floor`, one row: the oldest record. Apart, so that trimming waits for no writer and holds none up.
 * - `…_records`, `…_ids`: the records; the ids of the last appends.
 * - `…_pins`: of each pinned key, the record that holds its newest. Such a record stays when the floor passes it.
 * - `…_append`: gives indexes and inserts, in one round trip, also in a host's transaction.
 *
 * Who uses the log needs SELECT and UPDATE on the first two, SELECT, INSERT, UPDATE and DELETE on the others, and
 * EXECUTE on the function.
 * @throws TypeError for names that are none
 */
export function postgresEventLogSql({ name, schema = 'public' }: LogNames): string {
  const tables = tablesOf({ name, schema });
  return `${schema === 'public' ? '' : schemaSql(schema)}${tablesSql(tables)}${pinsSql(tables)}${appendSql(tables)}`;
}

type Tables = ReturnType<typeof tablesOf>;

/** `IF NOT EXISTS` would ask for the right to make one although it is there. */
const schemaSql = (schema: string): string => `DO $fenceline$ BEGIN
  IF to_regnamespace('"${schema}"') IS NULL THEN CREATE SCHEMA "${schema}"; END IF;
END $fenceline$;
`;

const tablesSql = ({ head, floor, records, ids }: Tables): string => `CREATE TABLE IF NOT EXISTS ${head} (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  layout integer NOT NULL DEFAULT ${LAYOUT},
  epoch text NOT NULL DEFAULT gen_random_uuid()::text,
  head bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS ${floor} (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  first bigint NOT NULL DEFAULT 1,
  bytes bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS ${records} (
  index bigint PRIMARY KEY,
  kind smallint NOT NULL,
  time bigint NOT NULL,
  body bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS ${ids} (
  id bytea PRIMARY KEY,
  index bigint NOT NULL,
  time bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS ${indexName(ids, 'by_time')} ON ${ids} (time);
INSERT INTO ${head} DEFAULT VALUES ON CONFLICT DO NOTHING;
INSERT INTO ${floor} DEFAULT VALUES ON CONFLICT DO NOTHING;
`;

const pinsSql = ({ pins }: Tables): string => `CREATE TABLE IF NOT EXISTS ${pins} (
  key bytea PRIMARY KEY,
  index bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS ${indexName(pins, 'by_index')} ON ${pins} (index);
`;

/** An index is in the schema of its table, and named without it. */
const indexName = (table: string, what: string): string => `${table.slice(table.indexOf('.') + 1, -1)}_${what}"`;

/**
 * A function, since what is decided (is the id known, is the head the expected one) has to be looked at after the lock
 * was got: one statement would look at what was there before it waited. `wait_ms` bounds the wait for the lock; null in
 * a host's transaction, whose settings are the host's.
 */
const appendSql = (tables: Tables): string => `CREATE OR REPLACE FUNCTION ${tables.append}(
  bodies bytea, sizes text, kinds text, names text, expected text, window_ms text, wait_ms text,
  pin_of text, pin_keys text, pin_is text
) RETURNS TABLE (epoch text, index double precision, outcome text, made_at double precision)
LANGUAGE plpgsql AS $fenceline$
#variable_conflict use_column
${DECLARATIONS}BEGIN
  IF wait_ms IS NOT NULL THEN PERFORM set_config('lock_timeout', wait_ms, true); END IF;
  SELECT h.epoch, h.head INTO STRICT epoch, old_head FROM ${tables.head} h FOR UPDATE;
  now_ms := extract(epoch FROM clock_timestamp()) * 1000;
  made_at := now_ms;
  new_head := old_head;
  FOR i IN 1 .. cardinality(all_sizes) LOOP
${decideSql(tables)}    RETURN NEXT;
    place := place + all_sizes[i];
  END LOOP;
  IF new_head > old_head THEN UPDATE ${tables.head} h SET head = new_head, bytes = h.bytes + taken; END IF;
  IF pin_of IS NOT NULL AND new_head > old_head THEN
${pinSql(tables)}  END IF;
END
$fenceline$;
`;

const DECLARATIONS = `DECLARE
  all_sizes integer[] := sizes;
  all_kinds smallint[] := kinds;
  all_names text[] := names;
  all_expected bigint[] := expected;
  old_head bigint;
  new_head bigint;
  known bigint;
  name bytea;
  now_ms bigint;
  place integer := 1;
  taken bigint := 0;
  made bigint[] := '{}';
`;

/** What becomes of one of its appends. */
const decideSql = ({ records, ids }: Tables): string => `    known := NULL;
    name := decode(all_names[i], 'hex');
    IF name IS NOT NULL THEN
      SELECT d.index INTO known FROM ${ids} d WHERE d.id = name AND d.time >= now_ms - window_ms::bigint;
    END IF;
    IF known IS NOT NULL THEN
      index := known; outcome := 'duplicate';
    ELSIF all_expected[i] <> new_head THEN
      index := new_head; outcome := 'conflict';
    ELSE
      new_head := new_head + 1;
      taken := taken + all_sizes[i];
      INSERT INTO ${records} VALUES (new_head, all_kinds[i], now_ms, substring(bodies FROM place FOR all_sizes[i]));
      IF name IS NOT NULL THEN
        INSERT INTO ${ids} AS d VALUES (name, new_head, now_ms)
          ON CONFLICT (id) DO UPDATE SET index = new_head, time = now_ms;
      END IF;
      IF pin_of IS NOT NULL THEN made[i] := new_head; END IF;
      index := new_head; outcome := 'made';
    END IF;
`;

/**
 * Moves the keys that its appends pin and unpin; of each key only the last one counts. A record before the floor that
 * no key is pinned to any more goes with it. Every part of the statement sees the pins as they were before. Its plan is
 * kept from when there was hardly a pin: arrays and subqueries leave it no choice but the indexes.
 */
const pinSql = ({ floor, records, pins }: Tables): string => `    WITH asked AS (
      SELECT DISTINCT ON (p.key) decode(p.key, 'hex') AS key, CASE WHEN p.is_pin THEN made[p.at] END AS index
      FROM unnest(pin_of::integer[], pin_keys::text[], pin_is::boolean[]) AS p(at, key, is_pin)
      WHERE made[p.at] IS NOT NULL ORDER BY p.key, p.at DESC
    ), old AS (
      SELECT (SELECT o.index FROM ${pins} o WHERE o.key = asked.key) AS index FROM asked
    ), unpinned AS (
      DELETE FROM ${pins} o WHERE o.key = ANY (ARRAY(SELECT key FROM asked WHERE index IS NULL))
    ), pinned AS (
      INSERT INTO ${pins} AS o SELECT key, index FROM asked WHERE index IS NOT NULL
        ON CONFLICT (key) DO UPDATE SET index = excluded.index
    )
    DELETE FROM ${records} r
    WHERE r.index = ANY (ARRAY(SELECT old.index FROM old WHERE old.index < (SELECT f.first FROM ${floor} f)))
      AND (SELECT 1 FROM ${pins} o WHERE o.index = r.index AND o.key NOT IN (SELECT key FROM asked) LIMIT 1) IS NULL;
`;
