import type { AclRef } from '../../model/acl-ref.ts';
import type { History } from '../backlog/history-reading.ts';
import type { RemovalRules } from '../backlog/removal-rules.ts';
import type { RetainedState } from '../backlog/retained-state.ts';
import { UnreadableBatch, type EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import { objectName } from '../batch/state-part.ts';
import type { Clock } from '../../model/clock.ts';
import { BrokerError, closed } from '../../model/errors.ts';
import { onAbort } from '../../model/on-abort.ts';
import { CheckedLog } from './checked-log.ts';
import type { AppendOptions, EventLog, LogRecord, LogState, LogStatus, LogTail } from './event-log.ts';
import { readState, type LoadProgress, type StateLoadingParts } from './state-loading.ts';
import { decodeRecord, encodeRecord, type DecodedRecord } from './batch-record.ts';
import { FairLimit } from './fair-limit.ts';
import { SharedHistory } from './shared-history.ts';
import { PendingWork } from '../../model/pending-work.ts';
import type { Topics } from '../../model/topics.ts';

/** Where the log's news go. */
export interface LogFeedHost {
  /** Of the run that readers' positions are in. */
  epoch(): string;
  /** The log was opened, or is another one. */
  restart(state: LogState): void;
  accept(batch: EncodedBatch, refs: readonly AclRef[]): void;
  /** A record that cannot be read stands at this index. */
  unreadable(index: number): void;
  /** What came before `first` and was not seen yet is gone. */
  skipped(first: number): void;
  status(status: LogStatus, cause: Error | undefined, progress?: LoadProgress): void;
  /** What the log holds of the state was read. */
  loaded(older: RetainedState): void;
}

export interface LogFeedParts {
  readonly log: EventLog;
  readonly topics: Topics;
  readonly state: RetainedState;
  /** Which events remove their key from the state. */
  readonly removal: RemovalRules;
  /** Publishes wait while the log is down; else they are refused. */
  readonly waitsWhenDown: boolean;
  /** How many chunks of history may be read at once. */
  readonly historyReads: number;
  readonly clock: Clock;
  readonly host: LogFeedHost;
}

/** How much of the log's history is read, and held by who catches up, at a time, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** How long to wait before the state is asked for again after the log failed, in ms. */
const LOAD_RETRY_MS = 250;

/** How many publishes may wait for a log that is down. */
const MAX_WAITING = 1024;

/**
 * A broker's side of its log: appends go in, the tail comes back, and only the tail feeds the buffer, also what this
 * process appended. So all processes see one order.
 */
export class LogFeed implements History {
  readonly #parts: LogFeedParts;
  readonly #log: CheckedLog;
  readonly #reads: FairLimit;
  #history: SharedHistory;
  readonly #appends = new PendingWork();
  #opening: Promise<void> | undefined;
  #tail: LogTail | undefined;
  /** Changed here alone. */
  status: LogStatus = 'down';
  /** Settles when what the log holds of the state was read anew. */
  #loading: Promise<void> | undefined;
  /** Counts the loads: one that was overtaken is given up. */
  #loads = 0;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(parts: LogFeedParts) {
    this.#parts = parts;
    this.#log = new CheckedLog(parts.log, parts.clock);
    this.#reads = new FairLimit(parts.historyReads);
    this.#history = this.#newHistory();
  }

  /**
   * Resolves once the tail runs. A failed start is tried again by the next call.
   * @throws BrokerError `log_unavailable`
   */
  ready(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async append(events: readonly EncodedEvent[], refs: readonly AclRef[], options: AppendOptions): Promise<number> {
    // The host's transaction needs nothing of the log but itself, and nothing may hold it open.
    if (options.transaction === undefined) await this.up(options.signal);
    const kind = refs.length > 0 ? 'acl' : 'events';
    const body = encodeRecord(events, refs);
    const { index } = await this.#appends.add(this.#log.append(body, { ...options, ...this.#pinsOf(events), kind }));
    return index;
  }

  /** Until what the log holds of the state is here. */
  async whenLoaded(): Promise<void> {
    // Another may have begun meanwhile.
    for (let loading; loading !== this.#loading; await loading) loading = this.#loading;
  }

  /**
   * Readers take turns, chunk by chunk, and share what was read: a thousand that come back at once do not take the log
   * down.
   */
  read(from: number, to: number): AsyncIterable<readonly EncodedBatch[]> {
    return this.#history.read(from, to);
  }

  /** How many wait for their turn to read. */
  get waitingReads(): number {
    return this.#reads.waiting;
  }

  state(): Promise<LogState> {
    return this.#log.state();
  }

  /** Resolves when the log has answered all that it was handed. */
  appended(): Promise<void> {
    return this.#appends.done();
  }

  /** Ends the tail; the log itself is the host's to close. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeAll();
    this.#log.close();
    await this.#tail?.stop();
  }

  async #open(): Promise<void> {
    const state = await this.#begin();
    const tail = await this.#log.tail(state.head, {
      records: (batch) => this.#accept(batch),
      gap: ({ first }) => {
        this.#parts.host.skipped(first);
        this.#loading = this.#reload(first - 1);
      },
      reset: (next) => {
        this.#restart(next);
        this.#loading = this.#reload(next.head);
      },
      status: (status, cause) => this.#setStatus(status, cause),
    });
    this.#tail = tail;
    if (this.#isClosed) await tail.stop();
    else if (this.status === 'down') this.#setStatus('up', undefined);
  }

  /** What was read of the log before may not be of this one. */
  #restart(state: LogState): void {
    this.#history = this.#newHistory();
    this.#parts.host.restart(state);
  }

  #newHistory(): SharedHistory {
    return new SharedHistory((from, to) => this.#readHistory(from, to), this.#reads, this.#parts.clock);
  }

  async *#readHistory(from: number, to: number): AsyncGenerator<readonly EncodedBatch[], void, undefined> {
    const options = { maxBytes: CHUNK_BYTES, epoch: this.#parts.host.epoch() };
    for await (const records of this.#log.read(from, to, options))
      yield records.map((record) => this.#decode(record)?.batch ?? new UnreadableBatch(record.index));
  }

  /**
   * Reading the state takes a while, and asks the log where it stands. A tail goes on from what that was last: where
   * the log was replaced meanwhile, nobody would be told, and what the new one holds would be taken for what was read.
   * @returns where the log stood when it was asked last
   * @throws BrokerError `log_unavailable`
   */
  async #begin(): Promise<LogState> {
    for (let state = await this.#log.state(); ;) {
      this.#restart(state);
      await this.#load(state.head, this.#nextLoad());
      const now = await this.#log.state();
      if (now.epoch === state.epoch && now.head >= state.head) return state;
      state = now;
    }
  }

  /** @throws BrokerError `log_unavailable` */
  async #load(head: number, load: number): Promise<void> {
    const { topics, state, host } = this.#parts;
    if (topics.retained.length === 0) return;
    const parts: StateLoadingParts = {
      log: this.#log,
      blank: () => state.blank(),
      decode: (record) => this.#decode(record)?.batch,
      progress: (progress) => host.status('catching-up', undefined, progress),
    };
    const older = await readState(parts, head);
    if (this.#isNewest(load)) host.loaded(older);
  }

  /** Asks again until the log answers: readers of the state wait, all others go on. */
  async #reload(head: number): Promise<void> {
    const load = this.#nextLoad();
    while (this.#isNewest(load)) {
      try {
        await this.#load(head, load);
        break;
      } catch {
        await new Promise<void>((resolve) => this.#parts.clock.after(LOAD_RETRY_MS, resolve));
      }
    }
  }

  #nextLoad(): number {
    return ++this.#loads;
  }

  #isNewest(load: number): boolean {
    return load === this.#loads && !this.#isClosed;
  }

  /**
   * The keys of which this batch holds the newest, and those that it removes: for a log that can keep records for them.
   */
  #pinsOf(events: readonly EncodedEvent[]): Pick<AppendOptions, 'pins' | 'unpins'> {
    const { topics, removal } = this.#parts;
    if (this.#log.capabilities.pins !== true) return {};
    const pins = new Map<string, boolean>();
    for (const event of events) {
      if (topics.retains(event.topic)) pins.set(objectName(event), !removal.removes(event));
    }
    if (pins.size === 0) return {};
    const keys = [...pins.keys()];
    return { pins: keys.filter((key) => pins.get(key)), unpins: keys.filter((key) => !pins.get(key)) };
  }

  #accept(batch: readonly LogRecord[]): void {
    const { host } = this.#parts;
    if (this.#isClosed) return;
    for (const record of batch) {
      const decoded = this.#decode(record);
      if (decoded) host.accept(decoded.batch, decoded.refs);
      else host.unreadable(record.index);
    }
  }

  #decode(record: LogRecord): DecodedRecord | undefined {
    return decodeRecord(record, this.#parts.topics);
  }

  #setStatus(status: LogStatus, cause: Error | undefined): void {
    if (this.#isClosed || status === this.status) return;
    this.status = status;
    if (status !== 'down') this.#wakeAll();
    this.#parts.host.status(status, cause);
  }

  /**
   * Waits until the log is up, where the broker was made to wait.
   * @throws BrokerError `log_unavailable`, `at_capacity`,
   * `closed`
   */
  async up(signal: AbortSignal | undefined): Promise<void> {
    await this.ready();
    while (this.status === 'down' && !this.#isClosed) {
      if (!this.#parts.waitsWhenDown)
        throw new BrokerError('log_unavailable', 'The event log is down; nothing was published.');
      if (this.#waiting.size >= MAX_WAITING) {
        throw new BrokerError('at_capacity', `${MAX_WAITING} publishes wait for the log; nothing was published.`);
      }
      signal?.throwIfAborted();
      await this.#wait(signal);
    }
    if (this.#isClosed) throw closed();
  }

  /** Until the log is back, or the signal is aborted. */
  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        stopListening?.();
        resolve();
      };
      this.#waiting.add(wake);
      const stopListening = signal && onAbort(signal, wake);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }
}
