import type { AclRef } from '../../model/acl-ref.ts';
import type { History } from '../backlog/history-reading.ts';
import { UnreadableBatch, type EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import type { Clock } from '../../model/clock.ts';
import { BrokerError, closed } from '../../model/errors.ts';
import { onAbort } from '../../model/on-abort.ts';
import { CheckedLog } from './checked-log.ts';
import type { AppendOptions, EventLog, LogRecord, LogState, LogStatus, LogTail } from './event-log.ts';
import { decodeRecord, encodeRecord, type DecodedRecord } from './batch-record.ts';
import { FairLimit } from './fair-limit.ts';
import type { Topics } from '../../model/topics.ts';

/** Where the log's news go. */
export interface LogFeedHost {
  /** The log was opened, or is another one. */
  restart(state: LogState): void;
  accept(batch: EncodedBatch, refs: readonly AclRef[]): void;
  /** A record that cannot be read stands at this index. */
  unreadable(index: number): void;
  /** What came before `first` and was not seen yet is gone. */
  skipped(first: number): void;
  status(status: LogStatus, cause: Error | undefined): void;
}

export interface LogFeedParts {
  readonly log: EventLog;
  readonly topics: Topics;
  /** Publishes wait while the log is down; else they are refused. */
  readonly waitsWhenDown: boolean;
  /** How many chunks of history may be read at once. */
  readonly historyReads: number;
  readonly clock: Clock;
  readonly host: LogFeedHost;
}

/** How much one subscription that catches up from the log holds at a time, in bytes. */
const CHUNK_BYTES = 64 * 1024;

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
  #opening: Promise<void> | undefined;
  #tail: LogTail | undefined;
  /** Changed here alone. */
  status: LogStatus = 'down';
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(parts: LogFeedParts) {
    this.#parts = parts;
    this.#log = new CheckedLog(parts.log, parts.clock);
    this.#reads = new FairLimit(parts.historyReads);
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
    const { index } = await this.#log.append(encodeRecord(events, refs), { ...options, kind });
    return index;
  }

  /**
   * Readers take turns, chunk by chunk: a thousand that come back at once are served one after the other, and the log
   * is not taken down.
   */
  async *read(from: number, to: number): AsyncGenerator<readonly EncodedBatch[], void, undefined> {
    const chunks = this.#log.read(from, to, { maxBytes: CHUNK_BYTES });
    try {
      for (;;) {
        const { done, value } = await this.#reads.run(() => chunks.next());
        if (done === true) return;
        yield value.map((record) => this.#decode(record)?.batch ?? new UnreadableBatch(record.index));
      }
    } finally {
      void chunks.return().then(undefined, () => undefined);
    }
  }

  state(): Promise<LogState> {
    return this.#log.state();
  }

  /** Ends the tail; the log itself is the host's to close. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeAll();
    this.#log.close();
    await this.#tail?.stop();
  }

  async #open(): Promise<void> {
    const state = await this.#log.state();
    this.#parts.host.restart(state);
    const tail = await this.#log.tail(state.head, {
      records: (batch) => this.#accept(batch),
      gap: ({ first }) => this.#parts.host.skipped(first),
      reset: (next) => this.#parts.host.restart(next),
      status: (status, cause) => this.#setStatus(status, cause),
    });
    this.#tail = tail;
    if (this.#isClosed) await tail.stop();
    else if (this.status === 'down') this.#setStatus('up', undefined);
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
