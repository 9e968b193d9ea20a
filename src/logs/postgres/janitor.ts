import type { Retention } from '../../core/log/event-log.ts';
import { isOldestDue } from '../retention.ts';
import { pause } from '../wait.ts';
import { bothRows, tablesOf } from './layout.ts';
import type { LogNames } from './layout.ts';
import type { RunQuery } from './log-reading.ts';

/** One statement drops at most so many records, which bounds what is locked and logged at once. */
const SLICE_RECORDS = 1_000;
/** How often retention, the ids and what was pinned are looked at. */
const ROUND_MS = 1_000;

export interface JanitorOptions {
  readonly names: LogNames;
  readonly query: RunQuery;
  readonly retention: Retention;
  readonly dedupeWindowMs: number;
}

interface Oldest {
  readonly first: number;
  readonly head: number;
  readonly held: number;
  readonly now: number;
  readonly index: number | null;
  readonly time: number;
  readonly bytes: number;
}

/**
 * Drops what retention does not keep and no key is pinned to, and ids whose window has passed, in slices that wait for
 * no writer.
 */
export class Janitor {
  readonly #options: JanitorOptions;
  readonly #closed = new AbortController();
  readonly #oldest: string;
  readonly #drop: string;
  readonly #dropIds: string;
  readonly #dropUnpinned: string;
  /** Up to which index records that were pinned have been looked at in this round over them. */
  #lookedAt = 0;
  #running: Promise<void> | undefined;

  constructor(options: JanitorOptions) {
    const { floor, records, ids, pins } = tablesOf(options.names);
    this.#options = options;
    this.#oldest = `SELECT f.first::float8 AS first, h.head::float8 AS head, (h.bytes - f.bytes)::float8 AS held,
        (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now, r.*
      FROM ${bothRows(options.names)} LEFT JOIN LATERAL (
        SELECT index::float8 AS index, time::float8 AS time, octet_length(body)::float8 AS bytes
        FROM ${records} o WHERE o.index >= f.first ORDER BY o.index LIMIT ${SLICE_RECORDS}
      ) r ON true ORDER BY r.index`;
    // The range twice, so that the planner knows how few they are; a subquery, since a join would read all pins.
    const isDue = 'r.index BETWEEN $2::text::bigint AND $1::text::bigint - 1 AND r.index >= before.first';
    const isFree = `(SELECT 1 FROM ${pins} p WHERE p.index = r.index LIMIT 1) IS NULL`;
    // The floor is locked first: of two processes that drop the same records, the second finds them gone. What is
    // pinned counts as dropped all the same.
    this.#drop = `WITH before AS (SELECT first FROM ${floor} LIMIT 1 FOR UPDATE), due AS (
        SELECT sum(octet_length(r.body)) AS bytes FROM ${records} r, before WHERE ${isDue}
      ), gone AS (
        DELETE FROM ${records} r USING before WHERE ${isDue} AND ${isFree}
      )
      UPDATE ${floor} SET first = greatest(first, $1::text::bigint),
        bytes = bytes + (SELECT coalesce(due.bytes, 0) FROM due)`;
    this.#dropUnpinned = `WITH kept AS (
        SELECT index FROM ${records} WHERE index > $1::text::bigint AND index < (SELECT first FROM ${floor})
          AND EXISTS (SELECT 1 FROM ${pins}) ORDER BY index LIMIT ${SLICE_RECORDS}
      ), gone AS (
        DELETE FROM ${records} r USING kept WHERE r.index = kept.index AND ${isFree}
      )
      SELECT count(*)::float8 AS count, max(index)::float8 AS last FROM kept`;
    this.#dropIds = `DELETE FROM ${ids} WHERE id IN (SELECT id FROM ${ids}
      WHERE time < extract(epoch FROM clock_timestamp()) * 1000 - $1::text::float8 ORDER BY time LIMIT ${SLICE_RECORDS})
      RETURNING 1`;
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  /** Resolves when nothing is left that `retention` does not keep. */
  async trim(retention: Retention): Promise<void> {
    for (let isDone = false; !isDone;) isDone = await this.#trimSlice(retention);
  }

  async #run(): Promise<void> {
    const { retention } = this.#options;
    const hasBounds = Object.values(retention).some((bound) => bound !== undefined);
    for (;;) {
      await pause(ROUND_MS, this.#closed.signal);
      if (this.#closed.signal.aborted) return;
      // What fails now is tried in the next round; the tails tell of an outage.
      if (hasBounds) await this.trim(retention).catch(() => undefined);
      await this.#forgetIds().catch(() => undefined);
      await this.#dropUnpinnedSlice().catch(() => undefined);
    }
  }

  /** @returns whether nothing is left to drop */
  async #trimSlice(retention: Retention): Promise<boolean> {
    if (this.#closed.signal.aborted) return true;
    const { rows } = await this.#options.query(this.#oldest, []);
    const oldest = rows as readonly Oldest[];
    const dropped = dueOf(oldest, retention);
    const { first = 1, head = 0 } = oldest[0] ?? {};
    if (dropped.to <= first) return true;
    await this.#options.query(this.#drop, [`${dropped.to}`, `${first}`]);
    return !dropped.isCutShort || dropped.to > head;
  }

  /**
   * An append that takes its last key from a record drops it only if it is before the floor, and trimming leaves it if
   * the append has not committed: each of the two may leave it to the other. One slice in each round, over and over.
   */
  async #dropUnpinnedSlice(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const { rows } = await this.#options.query(this.#dropUnpinned, [`${this.#lookedAt}`]);
    const [{ count, last } = { count: 0, last: null }] = rows as { count: number; last: number | null }[];
    this.#lookedAt = count < SLICE_RECORDS ? 0 : (last ?? 0);
  }

  async #forgetIds(): Promise<void> {
    for (let dropped = SLICE_RECORDS; dropped >= SLICE_RECORDS && !this.#closed.signal.aborted;)
      dropped = (await this.#options.query(this.#dropIds, [`${this.#options.dedupeWindowMs}`])).rows.length;
  }
}

/** Up to which index, not included, the oldest records are due; `isCutShort`: there may be more behind them. */
function dueOf(oldest: readonly Oldest[], retention: Retention): { readonly to: number; readonly isCutShort: boolean } {
  const [{ first, head, held, now } = { first: 1, head: 0, held: 0, now: 0 }] = oldest;
  let bytesLeft = held;
  let to = first;
  for (const { index, time, bytes } of oldest) {
    const left = { records: head - to + 1, bytes: bytesLeft };
    if (index === null || !isOldestDue({ time, bytes }, left, retention, now)) return { to, isCutShort: false };
    bytesLeft -= bytes;
    to = index + 1;
  }
  return { to, isCutShort: true };
}
