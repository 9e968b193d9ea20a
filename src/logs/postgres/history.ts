import { FairLimit } from '../../core/log/fair-limit.ts';
import type { LogRecord, LogState, PinnedRecord, ReadOptions } from '../../core/log/event-log.ts';
import { readPinned, readRecords, replacedGap, trimmedGap } from '../record-source.ts';
import type { HistorySource, PinnedSource } from '../record-source.ts';
import type { LogReading, RunQuery } from './log-reading.ts';
import { unavailable } from './pool-access.ts';
import type { PoolAccess } from './pool-access.ts';

/** Slices that are read at once, of however many readers: more would only queue in the pool, before the appends. */
const READS_AT_ONCE = 4;

export interface HistoryOptions {
  readonly pool: PoolAccess;
  readonly reading: LogReading;
  /** How many connections the pool has. */
  readonly poolSize: number;
  readonly timeoutMs: number;
  /** @throws BrokerError `closed` */
  readonly requireOpen: () => void;
}

/** What is read on connections of the pool: readers take turns, slice by slice. */
export class History {
  readonly #options: HistoryOptions;
  readonly #turns: FairLimit;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#turns = new FairLimit(Math.max(1, Math.min(READS_AT_ONCE, Math.floor((options.poolSize - 1) / 2))));
  }

  read(from: number, to: number, options?: ReadOptions): AsyncIterable<readonly LogRecord[]> {
    return readRecords(new ReadPosition(this.#options.reading, this.#query), from, to, options);
  }

  pinned(options?: ReadOptions): AsyncIterable<readonly PinnedRecord[]> {
    return readPinned(new ReadPosition(this.#options.reading, this.#query), options);
  }

  readonly #query: RunQuery = (text, values) => this.#turns.run(() => this.#ask(text, values));

  async #ask(...statement: Parameters<RunQuery>): ReturnType<RunQuery> {
    const { pool, timeoutMs, requireOpen } = this.#options;
    requireOpen();
    const answer = await pool
      .run(timeoutMs, (client) => client.query(...statement))
      .catch((failure: unknown) => {
        throw unavailable('The log could not be read.', failure);
      });
    requireOpen();
    return answer;
  }
}

/** One read: each slice says where the log stood, so that no further question is asked between two of them. */
class ReadPosition implements HistorySource, PinnedSource {
  readonly #reading: LogReading;
  readonly #query: RunQuery;
  #state: LogState | undefined;

  constructor(reading: LogReading, query: RunQuery) {
    this.#reading = reading;
    this.#query = query;
  }

  async state(): Promise<LogState> {
    return (this.#state ??= (await this.#reading.look(this.#query, 0)).state);
  }

  async slice(from: number, to: number, maxBytes: number): Promise<readonly LogRecord[]> {
    const before = await this.state();
    const { state, records } = await this.#reading.slice(this.#query, from, to, maxBytes);
    this.#state = state;
    if (state.epoch !== before.epoch || state.head < from) throw replacedGap();
    if (from < state.first) throw trimmedGap(from, state.first);
    return records;
  }

  async pinnedSlice(after: number, before: number, maxBytes: number): Promise<readonly PinnedRecord[]> {
    const { epoch } = await this.state();
    const { state, records } = await this.#reading.pinnedSlice(this.#query, after, before, maxBytes);
    this.#state = state;
    if (state.epoch !== epoch) throw replacedGap();
    return records;
  }
}
