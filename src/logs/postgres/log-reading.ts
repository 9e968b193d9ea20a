import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState } from '../../core/log/event-log.ts';
import { SLICE_RECORDS } from '../record-source.ts';
import { bothRows, tablesOf } from './layout.ts';
import type { LogNames } from './layout.ts';
import type { PostgresRows } from './postgres-client.ts';

export type RunQuery = (text: string, values: unknown[]) => Promise<PostgresRows>;

/** Where the log stands, and when the newest record and an earlier one were appended, if they are there. */
export interface LogLook {
  readonly state: LogState;
  readonly headTime: number | undefined;
  readonly markTime: number | undefined;
}

export interface LogSlice {
  /** At the very moment of the records. */
  readonly state: LogState;
  readonly records: readonly LogRecord[];
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

const NO_BODY = new Uint8Array(0);

/** The statements that read a log. Indexes travel as floats, which every client gives as numbers. */
export class LogReading {
  readonly #look: string;
  readonly #slice: string;

  constructor(names: LogNames) {
    const { records } = tablesOf(names);
    const state = 'h.epoch, f.first::float8 AS first, h.head::float8 AS head';
    const timeAt = (index: string) => `(SELECT time::float8 FROM ${records} WHERE index = ${index})`;
    this.#look = `SELECT ${state}, ${timeAt('h.head')} AS head_time, ${timeAt('$1::text::bigint')} AS mark_time
      FROM ${bothRows(names)}`;
    // About as many rows as will be handed over, so that small slices of large records look at no more than they need.
    const most = `SELECT least(${SLICE_RECORDS}, 8 + 2 * $3::text::float8 * greatest(1, h.head - f.first + 1)
      / greatest(1, h.bytes - f.bytes))::bigint FROM ${bothRows(names)}`;
    this.#slice = `SELECT ${state}, r.index::float8 AS index, r.kind, r.time::float8 AS time, r.body
      FROM ${bothRows(names)} LEFT JOIN LATERAL (
        SELECT * FROM (
          SELECT *, row_number() OVER w AS place, sum(octet_length(body)) OVER w AS upto FROM (
            SELECT index, kind, time, body FROM ${records}
            WHERE index BETWEEN $1::text::bigint AND $2::text::bigint ORDER BY index LIMIT (${most})
          ) found WINDOW w AS (ORDER BY index)
        ) counted WHERE place = 1 OR upto <= $3::text::float8
      ) r ON true ORDER BY r.index`;
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
    const bytes = Math.min(maxBytes, Number.MAX_SAFE_INTEGER);
    const { rows } = await query(this.#slice, [`${from}`, `${to}`, `${bytes}`]);
    const [row, ...others] = rows as SliceRow[];
    if (row === undefined) throw headless();
    const state = stateOf(row);
    const found = row.index === null ? [] : [row, ...others];
    return { state, records: whole(found.map(recordOf), from, Math.min(to, state.head)) };
  }
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
