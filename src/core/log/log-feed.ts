import type { AclRef } from '../../model/acl-ref.ts';
import type { History } from '../backlog/cursor.ts';
import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import { BrokerError, closed } from '../../model/errors.ts';
import { CheckedLog } from './checked-log.ts';
import type { AppendOptions, EventLog, LogRecord, LogState, LogTail } from './event-log.ts';
import { decodeRecord, encodeRecord } from './batch-record.ts';
import type { Topics } from '../../model/topics.ts';

/** Whether the log answers. */
export type LogStatus = 'up' | 'catching-up' | 'down';

/** Where the log's news go. */
export interface LogFeedHost {
  /** The log was opened, or is another one. */
  restart(state: LogState): void;
  accept(batch: EncodedBatch, refs: readonly AclRef[]): void;
  /** What came before `first` and was not seen yet is gone. */
  skipped(first: number): void;
  status(status: LogStatus, cause: Error | undefined): void;
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
  readonly #log: CheckedLog;
  readonly #topics: Topics;
  readonly #host: LogFeedHost;
  readonly #waitWhenDown: boolean;
  #opening: Promise<void> | undefined;
  #tail: LogTail | undefined;
  /** Changed here alone. */
  status: LogStatus = 'down';
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(log: EventLog, topics: Topics, waitWhenDown: boolean, host: LogFeedHost) {
    this.#log = new CheckedLog(log);
    this.#topics = topics;
    this.#waitWhenDown = waitWhenDown;
    this.#host = host;
  }

  /**
   * Resolves once the tail runs. A failed start is tried again by the next call. @throws BrokerError `log_unavailable`
   */
  ready(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async append(events: readonly EncodedEvent[], refs: readonly AclRef[], options: AppendOptions): Promise<number> {
    await this.#up(options.signal);
    const kind = refs.length > 0 ? 'acl' : 'events';
    const { index } = await this.#log.append(encodeRecord(events, refs), { ...options, kind });
    return index;
  }

  async *read(from: number, to: number): AsyncGenerator<readonly EncodedBatch[], void, undefined> {
    for await (const records of this.#log.read(from, to, { maxBytes: CHUNK_BYTES })) {
      const batches: EncodedBatch[] = [];
      for (const record of records) {
        const decoded = decodeRecord(record, this.#topics);
        if (!decoded) break;
        batches.push(decoded.batch);
      }
      yield batches;
      if (batches.length < records.length) throw new BrokerError('gap', 'Unknown version.');
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
    this.#host.restart(state);
    const tail = await this.#log.tail(state.head, {
      records: (batch) => this.#accept(batch),
      gap: ({ first }) => this.#host.skipped(first),
      reset: (next) => this.#host.restart(next),
      status: (status, cause) => this.#setStatus(status, cause),
    });
    this.#tail = tail;
    if (this.#isClosed) await tail.stop();
    else if (this.status === 'down') this.#setStatus('up', undefined);
  }

  #accept(batch: readonly LogRecord[]): void {
    if (this.#isClosed) return;
    for (const record of batch) {
      const decoded = decodeRecord(record, this.#topics);
      if (decoded) this.#host.accept(decoded.batch, decoded.refs);
      else this.#host.skipped(record.index + 1);
    }
  }

  #setStatus(status: LogStatus, cause: Error | undefined): void {
    if (this.#isClosed || status === this.status) return;
    this.status = status;
    if (status !== 'down') this.#wakeAll();
    this.#host.status(status, cause);
  }

  async #up(signal: AbortSignal | undefined): Promise<void> {
    await this.ready();
    while (this.status === 'down' && !this.#isClosed) {
      if (!this.#waitWhenDown)
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
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }
}
