/// <reference lib="esnext.disposable" preserve="true" />
import { checkNumber, notNegative, positive } from '../model/numbers.ts';
import { systemClock } from '../model/clock.ts';
import type { Clock } from '../model/clock.ts';
import { BrokerError } from '../model/errors.ts';
import { checkOptions } from '../model/options.ts';
import type { OptionNames } from '../model/options.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  PinnedRecord,
  ReadOptions,
  Retention,
  TailHandler,
} from '../core/log/event-log.ts';
import { checkAppend } from './append-request.ts';
import { LocalTail } from './local-tail.ts';
import { MemoryRecords } from './memory-records.ts';
import { readPinned, readRecords } from './record-source.ts';
import type { RecordSource } from './record-source.ts';
import { checkRetention } from './retention.ts';

export interface MemoryEventLogOptions {
  /**
   * What is kept; trimmed within the append. Default 65,536 records and 64 MiB of bodies. Records that are pinned
   * outlive it and do not count.
   */
  readonly retention?: Retention;
  /** For how long an id is recognised, of the last 65,536 ids at most. Default two minutes; 0: ids are refused. */
  readonly dedupeWindowMs?: number;
  /** Largest body. Default 16 MiB. */
  readonly maxRecordBytes?: number;
  readonly clock?: Clock;
}

const knownOptions: OptionNames<MemoryEventLogOptions> = {
  retention: true,
  dedupeWindowMs: true,
  maxRecordBytes: true,
  clock: true,
};

const defaultRetention: Retention = { maxRecords: 65_536, maxBytes: 64 * 1024 * 1024 };

/**
 * An event log that ends with the process: for tests, and as the model of what a log does.
 *
 * It can do everything that a log can but outlive the process or be reached from another. Several brokers of one
 * process share one by taking a handle each, from {@link share}.
 */
export class MemoryEventLog implements EventLog {
  readonly capabilities: LogCapabilities;
  readonly #records: MemoryRecords;
  readonly #tails = new Set<LocalTail>();
  readonly #unwatch: () => void;
  #isOpen = true;
  /** What was last told. */
  #epoch: string;
  readonly #source: RecordSource = {
    state: () => this.#opened().state(),
    slice: (from, to, maxBytes) => this.#opened().slice(from, to, maxBytes),
    pinnedSlice: (after, before, maxBytes) => this.#opened().pinnedSlice(after, before, maxBytes),
  };

  /** @throws TypeError for an option that is not known, and a bound that is not a number ≥ 0 */
  constructor(options?: MemoryEventLogOptions);
  /** @internal Another handle on the same records. */
  constructor(options: MemoryEventLogOptions, records: MemoryRecords);
  constructor(options: MemoryEventLogOptions = {}, records?: MemoryRecords) {
    checkOptions<MemoryEventLogOptions>(options, knownOptions, 'MemoryEventLog');
    const { dedupeWindowMs = 120_000, maxRecordBytes = 16 * 1024 * 1024, clock = systemClock } = options;
    const retention = checkRetention(options.retention ?? defaultRetention);
    checkNumber('dedupeWindowMs', dedupeWindowMs, notNegative);
    checkNumber('maxRecordBytes', maxRecordBytes, positive);
    this.capabilities = Object.freeze({
      shared: false,
      durability: 'none',
      dedupeWindowMs,
      compareAndAppend: true,
      maxRecordBytes,
      dense: true,
      pins: true,
    });
    this.#records = records ?? new MemoryRecords(clock, retention, dedupeWindowMs);
    this.#epoch = this.#records.state().epoch;
    this.#unwatch = this.#records.watch(() => this.#tails.forEach((tail) => tail.wake()));
  }

  /**
   * Another handle on the same records, open whether or not this one is: what a second broker, or one that starts
   * again, gets.
   */
  share(): MemoryEventLog {
    const { dedupeWindowMs, maxRecordBytes } = this.capabilities;
    return new MemoryEventLog({ dedupeWindowMs, maxRecordBytes }, this.#records);
  }

  /** Empties the log for all its handles and begins another epoch, as if it had been deleted and made anew. */
  recreate(): void {
    this.#records.recreate();
  }

  async state(): Promise<LogState> {
    const state = this.#source.state();
    this.#epoch = state.epoch;
    return state;
  }

  async append(body: Uint8Array, options: AppendOptions = {}): Promise<AppendResult> {
    const records = this.#opened();
    const request = checkAppend(body, options, this.capabilities);
    request.signal?.throwIfAborted();
    return records.append(request);
  }

  read(from: number, to: number, options?: ReadOptions): AsyncIterable<readonly LogRecord[]> {
    return readRecords(this.#source, from, to, options);
  }

  pinned(options?: ReadOptions): AsyncIterable<readonly PinnedRecord[]> {
    return readPinned(this.#source, options);
  }

  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    const tail = new LocalTail(this.#source, after, this.#epoch, handler, (ended) => this.#tails.delete(ended));
    this.#tails.add(tail);
    return tail;
  }

  async trim(retention: Retention): Promise<LogState> {
    this.#opened().trim(checkRetention(retention));
    return this.state();
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends this handle and its tails; the records stay for the other handles. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#unwatch();
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
  }

  #opened(): MemoryRecords {
    if (!this.#isOpen) throw new BrokerError('closed', 'The log is closed.');
    return this.#records;
  }
}
