import type { Clock } from '../../src/model/clock.ts';
import type {
  EventLog,
  LogRecord,
  LogTail,
  PinnedRecord,
  ReadOptions,
  TailHandler,
} from '../../src/core/log/event-log.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { MemoryRecords } from '../../src/logs/memory-records.ts';
import { deferred } from '../../src/testing/deferred.ts';

/**
 * The log that the processes of a world share. It tells of each record in the turn in which it is appended, whoever
 * hears of the append.
 */
export class FenceLog {
  readonly #records: MemoryRecords;
  readonly #onRecord: (record: LogRecord) => void;
  #told = 0;

  constructor(clock: Clock, maxRecords: number, onRecord: (record: LogRecord) => void) {
    this.#records = new MemoryRecords(clock, { maxRecords }, 0);
    this.#onRecord = onRecord;
    this.#records.watch(() => this.#tell());
  }

  get head(): number {
    return this.#records.state().head;
  }

  get first(): number {
    return this.#records.state().first;
  }

  get epoch(): string {
    return this.#records.state().epoch;
  }

  /** What one process opens. */
  handle(): EventLog {
    return new MemoryEventLog({ dedupeWindowMs: 0 }, this.#records);
  }

  trim(maxRecords: number): void {
    this.#records.trim({ maxRecords });
  }

  /** Another log stands in the place of this one: empty, and its indexes begin anew. */
  replace(): void {
    this.#records.recreate();
  }

  #tell(): void {
    const { head } = this;
    if (head === this.#told) return;
    const records = this.#records.slice(this.#told + 1, head, Infinity);
    this.#told = head;
    for (const record of records) this.#onRecord(record);
  }
}

/**
 * A log whose tails can be held up, as by a slow network. It tells how far its process has heard, just before it does.
 */
export class LaggingLog implements EventLog {
  readonly #log: EventLog;
  readonly #onHeard: (index: number) => void;
  #caughtUp = deferred();

  constructor(log: EventLog, onHeard: (index: number) => void) {
    this.#log = log;
    this.#onHeard = onHeard;
    this.#caughtUp.resolve();
  }

  get capabilities(): EventLog['capabilities'] {
    return this.#log.capabilities;
  }

  /** Tails hand over nothing from now on. */
  lag(): void {
    this.catchUp();
    this.#caughtUp = deferred();
  }

  catchUp(): void {
    this.#caughtUp.resolve();
  }

  state(): ReturnType<EventLog['state']> {
    return this.#log.state();
  }

  append(...args: Parameters<EventLog['append']>): ReturnType<EventLog['append']> {
    return this.#log.append(...args);
  }

  read(from: number, to: number, options?: ReadOptions): AsyncIterable<readonly LogRecord[]> {
    return this.#log.read(from, to, options);
  }

  pinned(options?: ReadOptions): AsyncIterable<readonly PinnedRecord[]> {
    return this.#log.pinned?.(options) ?? nothingPinned();
  }

  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    this.#onHeard(after);
    let isOpen = true;
    const tail = await this.#log.tail(after, {
      status: (status, cause) => handler.status(status, cause),
      reset: (state) => handler.reset(state),
      gap: (gap) => {
        this.#onHeard(gap.first - 1);
        handler.gap(gap);
      },
      records: async (records) => {
        await this.#caughtUp.promise;
        if (!isOpen) return;
        this.#onHeard(records.at(-1)?.index ?? 0);
        await handler.records(records);
      },
    });
    return { stop: () => ((isOpen = false), tail.stop()) };
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

async function* nothingPinned(): AsyncGenerator<readonly PinnedRecord[], void, undefined> {}
