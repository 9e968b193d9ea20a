/// <reference lib="esnext.disposable" preserve="true" />
import { checkNumber, indexOrNone } from '../../model/numbers.ts';
import type { StreamConfig } from '@nats-io/jetstream';

import { BrokerError } from '../../model/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  ReadOptions,
  TailHandler,
} from '../../core/log/event-log.ts';
import { checkAppend } from '../append-request.ts';
import { LogStream } from './log-stream.ts';
import { settingsOf } from './options.ts';
import type { JetStreamEventLogOptions } from './options.ts';
import { RecordPublisher } from './record-publisher.ts';
import { capabilitiesOf } from './stream-config.ts';
import { StreamRead } from './stream-read.ts';
import { StreamTail } from './stream-tail.ts';

/**
 * An event log that many processes share, on a stream of NATS JetStream; needs the package `@nats-io/jetstream` and the
 * host's own connection.
 *
 * ```ts
 * const connection = await connect({ servers: 'nats://127.0.0.1:4222', maxReconnectAttempts: -1 });
 * const log = await JetStreamEventLog.open({ connection, stream: 'events', create: { replicas: 3 } });
 * ```
 *
 * The stream's sequence is the index. The moment in which the stream was made is the epoch: one that was deleted and
 * made anew is another log. Retention is the stream's: the server drops the oldest records, so there is no `trim`.
 *
 * What an acknowledged append outlives: with three replicas the loss of a machine (`'quorum'`); with one server the
 * server's process but not a power loss (`'os'`), since it syncs its file every two minutes unless told to with
 * `sync_interval: always`. Where a server came back without its last records, tails tell `reset`.
 */
export class JetStreamEventLog implements EventLog {
  readonly capabilities: LogCapabilities;
  readonly #stream: LogStream;
  readonly #publisher: RecordPublisher;
  readonly #tails = new Set<StreamTail>();
  readonly #closed = new AbortController();
  #known: LogState;

  private constructor(stream: LogStream, config: StreamConfig, state: LogState) {
    this.capabilities = capabilitiesOf(config, stream.settings);
    this.#stream = stream;
    this.#publisher = new RecordPublisher(stream, this.#closed.signal);
    this.#known = state;
  }

  /**
   * Opens the log; makes its stream when there is none, while one that is there keeps its settings.
   * @throws TypeError for options that cannot be right
   * @throws BrokerError `not_supported` without the package, `bad_request` for a stream that cannot be a log,
   * `log_unavailable`
   */
  static async open(options: JetStreamEventLogOptions): Promise<JetStreamEventLog> {
    const stream = await LogStream.connect(settingsOf(options));
    try {
      const { config, state } = await stream.prepare();
      return new JetStreamEventLog(stream, config, state);
    } catch (error) {
      stream.connectionWatch.close();
      throw error;
    }
  }

  async state(): Promise<LogState> {
    this.#requireOpen();
    const state = await this.#stream.state();
    this.#requireOpen();
    return (this.#known = state);
  }

  /**
   * Tries again for `appendTimeoutMs`, over outages of the server too. A failure says whether the record may have been
   * stored; with an `id` the append can be repeated then. `duplicate` may be told of a record whose first
   * acknowledgement was lost on the way.
   *
   * At most 4,096 appends, with 64 MiB of bodies, wait for the server; one more is refused with `at_capacity`, and
   * nothing is stored.
   */
  async append(body: Uint8Array, options: AppendOptions = {}): Promise<AppendResult> {
    this.#requireOpen();
    const request = checkAppend(body, options, this.capabilities);
    request.signal?.throwIfAborted();
    return this.#publisher.append(request);
  }

  read(from: number, to: number, options: ReadOptions = {}): AsyncIterable<readonly LogRecord[]> {
    return new StreamRead(this.#stream, this.capabilities.dense, from, to, options, this.#closed.signal).chunks();
  }

  /**
   * Starts also while the log does not answer, with what was last known of it; a stream that was made anew since is
   * told as a `reset`.
   */
  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    checkNumber('after', after, indexOrNone);
    const { epoch } = this.#known;
    const { head } = await this.#latest();
    const tail = new StreamTail(this.#stream, Math.min(after, head), epoch, handler, (ended) =>
      this.#tails.delete(ended),
    );
    this.#tails.add(tail);
    return tail;
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the tails and what is being read; the connection stays open. Appends in flight end with their next answer. */
  async close(): Promise<void> {
    this.#closed.abort(closedError());
    this.#stream.connectionWatch.close();
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
  }

  async #latest(): Promise<LogState> {
    return this.state().catch((error: unknown) => {
      if (this.#closed.signal.aborted || !BrokerError.is(error)) throw error;
      return this.#known;
    });
  }

  #requireOpen(): void {
    if (this.#closed.signal.aborted) throw closedError();
  }
}

const closedError = (): BrokerError => new BrokerError('closed', 'The log is closed.');
