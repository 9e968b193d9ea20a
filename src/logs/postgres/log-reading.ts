import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState, PinnedRecord } from '../../core/log/event-log.ts';
import { SLICE_RECORDS } from '../record-source.ts';
import { bothRows, tablesOf } from './layout.ts';
import type { LogNames } from './layout.ts';
import { keyFromHex } from './pin-keys.ts';
import type { PostgresRows } from './postgres-client.ts';

export type RunQuery = (text: string, values: unknown[]) => Promise<PostgresRows>;

/** Where the log stands, and when the newest record and an earlier one were appended, if they are there. */
export interface LogLook {
  readonly state: LogState;
  readonly headTime: number | undefined;
  readonly markTime: number | undefined;
}

export interface LogSlice<R extends LogRecord = LogRecord> {
  /** At the very moment of the records. */
  readonly state: LogState;
  readonly records: readonly R[];
}

interface SliceRow {
  readonly epoch: string;
  readonly first: number;
  readonly head: number;
  readonly index: number | null;
  readonly kind: number;
  readonly time: number;
  readonly body: Uint8Array;
}

interface PinnedRow extends SliceRow {
  /** Its keys in hex, with commas between them. */
  readonly keys: string;
}

const NO_BODY = new Uint8Array(0);

/** The statements that read a log. Indexes travel as floats, which every client gives as numbers. */
export class LogReading {
  readonly #look: string;
  readonly #slice: string;
  readonly #pinnedSlice: string;

  constructor(names: LogNames) {
    const { records, pins } = tablesOf(names);
    const state = 'h.epoch, f.first::float8 AS first, h.head::float8 AS head';
    const timeAt = (index: string) => `(SELECT time::float8 FROM ${records} WHERE index = ${index})`;
    this.#look = `SELECT ${state}, ${timeAt('h.head')} AS head_time, ${timeAt('$1::text::bigint')} AS mark_time
      FROM ${bothRows(names)}`;
    // About as many rows as will be handed over, so that small slices of large records look at no more than they need.
    const most = `SELECT least(${SLICE_RECORDS}, 8 + 2 * $3::text::float8 * greatest(1, h.head - f.first + 1)
      / greatest(1, h.bytes - f.bytes))::bigint FROM ${bothRows(names)}`;
    const row = `${state}, r.index::float8 AS index, r.kind, r.time::float8 AS time, r.body`;
    const upToBytes = (found: string) => `FROM ${bothRows(names)} LEFT JOIN LATERAL (
        SELECT * FROM (
          SELECT *, row_number() OVER w AS place, sum(octet_length(body)) OVER w AS upto FROM (
            ${found} LIMIT (${most})
          ) found WINDOW w AS (ORDER BY index)
        ) counted WHERE place = 1 OR upto <= $3::text::float8
      ) r ON true ORDER BY r.index`;
    this.#slice = `SELECT ${row} ${upToBytes(`SELECT index, kind, time, body FROM ${records}
            WHERE index BETWEEN $1::text::bigint AND $2::text::bigint ORDER BY index`)}`;
    // With a LIMIT that the planner can read, and the end of the range outside of it, it goes along the indexes and
    // stops, also while it knows nothing of the tables; else it would sort all pins first.
    this.#pinnedSlice = `SELECT ${row}, r.keys ${upToBytes(`SELECT * FROM (
              SELECT index, kind, time, body, keys FROM ${records} JOIN (
                SELECT index, string_agg(encode(key, 'hex'), ',') AS keys FROM ${pins}
                WHERE index > $1::text::bigint GROUP BY index
              ) pinned USING (index) ORDER BY index LIMIT ${SLICE_RECORDS}
            ) few WHERE index < $2::text::bigint`)}`;
  }

  /** @param mark index of the record whose time is asked for too */
  async look(query: RunQuery, mark: number): Promise<LogLook> {
    const { rows } = await query(this.#look, [`${mark}`]);
    const [row] = rows as (LogState & Record<'head_time' | 'mark_time', number | null>)[];
    if (row === undefined) throw headless();
    return { state: stateOf(row), headTime: row.head_time ?? undefined, markTime: row.mark_time ?? undefined };
  }

  /** The records from `from` on: at most to `to`, to the head, and about `maxBytes`; at least one that is there. */
  async slice(query: RunQuery, from: number, to: number, maxBytes: number): Promise<LogSlice> {
    const { rows } = await query(this.#slice, [`${from}`, `${to}`, bytesText(maxBytes)]);
    const { state, found } = foundIn(rows as SliceRow[]);
    return { state, records: whole(found.map(recordOf), from, Math.min(to, state.head)) };
  }

  /**
   * The records that are pinned between `after` and `before`, about `maxBytes` of them; none only if there are none.
   */
  async pinnedSlice(query: RunQuery, after: number, before: number, maxBytes: number): Promise<LogSlice<PinnedRecord>> {
    const { rows } = await query(this.#pinnedSlice, [`${after}`, `${before}`, bytesText(maxBytes)]);
    const { state, found } = foundIn(rows as PinnedRow[]);
    return { state, records: found.map((row) => ({ ...recordOf(row), pins: row.keys.split(',').map(keyFromHex) })) };
  }
}

const bytesText = (maxBytes: number): string => `${Math.min(maxBytes, Number.MAX_SAFE_INTEGER)}`;

/** Each row says where the log stood, and the only one holds no record where none was found. */
function foundIn<R extends SliceRow>(rows: readonly R[]): { readonly state: LogState; readonly found: readonly R[] } {
  const [row] = rows;
  if (row === undefined) throw headless();
  return { state: stateOf(row), found: row.index === null ? [] : rows };
}

const headless = () => new BrokerError('log_unavailable', "The row of the log's head is missing.");

const stateOf = ({ epoch, first, head }: LogState): LogState => ({ epoch, first, head });

function recordOf({ index, kind, time, body }: SliceRow): LogRecord {
  return { index: index ?? 0, kind: kind === 1 ? 'acl' : 'events', time, body };
}

/**
 * A row that somebody deleted by hand is a record that cannot be read: it keeps its place, so that its readers are told
 * of it, and go on.
 */
function whole(found: readonly LogRecord[], from: number, to: number): readonly LogRecord[] {
  const last = found.at(-1)?.index ?? Math.min(to, from + SLICE_RECORDS - 1);
  if (found.length === last - from + 1) return found;
  const records: LogRecord[] = [];
  for (const record of found) {
    while (from + records.length < record.index) records.push(missing(from + records.length));
    records.push(record);
  }
  while (found.length === 0 && from + records.length <= last) records.push(missing(from + records.length));
  return records;
}

const missing = (index: number): LogRecord => ({ index, kind: 'events', time: 0, body: NO_BODY });
