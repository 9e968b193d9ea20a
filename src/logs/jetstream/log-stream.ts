import type { JetStreamClient, JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';

import { BrokerError } from '../../model/errors.ts';
import type { LogState } from '../../core/log/event-log.ts';
import { ConnectionBroken } from '../connection-state.ts';
import { ConnectionWatch } from './connection-watch.ts';
import { loadJetStream } from './jetstream-package.ts';
import type { JetStreamPackage } from './jetstream-package.ts';
import type { LogSettings } from './options.ts';
import { RecordPull } from './record-pull.ts';
import { aclSubject, checkStreamConfig, newStreamConfig } from './stream-config.ts';

/** How long the server keeps a consumer that nobody pulls from: what a process leaves behind that died. */
const CONSUMER_LIFE_MS = 30_000;

/** The server's code for a stream that exists with another configuration. */
const STREAM_NAME_IN_USE = 10_058;

/** A JetStream stream as a log sees it: where it stands, and its records from a position on. */
export class LogStream {
  readonly settings: LogSettings;
  readonly api: JetStreamPackage;
  readonly client: JetStreamClient;
  readonly connectionWatch: ConnectionWatch;
  readonly #manager: JetStreamManager;

  private constructor(
    settings: LogSettings,
    api: JetStreamPackage,
    client: JetStreamClient,
    manager: JetStreamManager,
  ) {
    this.settings = settings;
    this.api = api;
    this.client = client;
    this.#manager = manager;
    this.connectionWatch = new ConnectionWatch(settings.connection);
  }

  static async connect(settings: LogSettings): Promise<LogStream> {
    const api = await loadJetStream();
    // Only a part of a connection is typed here; what the caller gave is a whole one.
    const connection = settings.connection as Parameters<typeof api.jetstream>[0];
    const domain = settings.domain === undefined ? {} : { domain: settings.domain };
    const client = api.jetstream(connection, { timeout: settings.requestTimeoutMs, ...domain });
    return new LogStream(settings, api, client, await client.jetstreamManager(false));
  }

  /**
   * Makes the stream if there is none; one that is there is taken as it is.
   * @throws BrokerError `bad_request` for a stream that cannot be a log, `log_unavailable`
   */
  async prepare(): Promise<{ readonly config: StreamConfig; readonly state: LogState }> {
    const info = await this.#ask(async () => (await this.#found()) ?? (await this.#made()));
    checkStreamConfig(info.config, this.settings);
    const { subject } = this.settings;
    for (const needed of [subject, aclSubject(subject)]) await this.#checkSubject(needed, info.config);
    return { config: info.config, state: stateOf(info) };
  }

  /** @throws BrokerError `log_unavailable` */
  async state(): Promise<LogState> {
    return stateOf(await this.#ask(() => this.#manager.streams.info(this.settings.stream)));
  }

  /** When the record was appended, in milliseconds since 1970; undefined when it is not there. */
  async timeOf(index: number): Promise<number | undefined> {
    const message = await this.#ask(() => this.#manager.streams.getMessage(this.settings.stream, { seq: index }));
    return message?.time.getTime();
  }

  /** Whether there is a record from `from` to `to`: a stream that allows it may have lost any to a delete. */
  async holdsAny(from: number, to: number): Promise<boolean> {
    const query = { seq: from, next_by_subj: '>' };
    const message = await this.#ask(() => this.#manager.streams.getMessage(this.settings.stream, query));
    return message !== null && message.seq <= to;
  }

  /** The records from `from` on. `from` must not be above the head + 1: the server would begin somewhere else. */
  async pull(from: number): Promise<RecordPull> {
    const { stream } = this.settings;
    const consumer = await this.#ask(() =>
      this.#manager.consumers.add(stream, {
        ack_policy: 'none',
        deliver_policy: 'by_start_sequence',
        opt_start_seq: from,
        inactive_threshold: CONSUMER_LIFE_MS * 1e6,
        mem_storage: true,
        num_replicas: 1,
      }),
    );
    return new RecordPull(this.settings, this.connectionWatch, from, {
      nextSubject: `${this.client.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer.name}`,
      remove: () => this.#manager.consumers.delete(stream, consumer.name),
    });
  }

  async #found(): Promise<StreamInfo | undefined> {
    try {
      return await this.#manager.streams.info(this.settings.stream);
    } catch (error) {
      if (this.apiCode(error) === this.api.JetStreamApiCodes.StreamNotFound) return undefined;
      throw error;
    }
  }

  /** Another process may have made it a moment ago, with settings of its own: then those are the stream's. */
  async #made(): Promise<StreamInfo> {
    try {
      return await this.#manager.streams.add(newStreamConfig(this.settings));
    } catch (error) {
      if (this.apiCode(error) !== STREAM_NAME_IN_USE) throw error;
      return this.#manager.streams.info(this.settings.stream);
    }
  }

  async #checkSubject(subject: string, { name, subjects }: StreamConfig): Promise<void> {
    const taker = await this.#manager.streams.find(subject).catch((error: unknown) => {
      if (this.apiCode(error) === this.api.JetStreamApiCodes.StreamNotFound) return 'no stream';
      throw this.#unavailable(error);
    });
    if (taker === name) return;
    const message = `The stream "${name}" takes ${subjects.join(', ')}, but not ${subject}, which goes to ${taker}.`;
    throw new BrokerError('bad_request', message);
  }

  /** The code that the server refused with, if it did. */
  apiCode(error: unknown): number | undefined {
    return error instanceof this.api.JetStreamApiError ? error.code : undefined;
  }

  /**
   * Every question may be asked twice. One that the connection broke under is asked again when the connection is back
   * in time.
   */
  async #ask<R>(question: () => Promise<R>): Promise<R> {
    const { requestTimeoutMs } = this.settings;
    for (const until = performance.now() + requestTimeoutMs; ;) {
      await this.connectionWatch.untilBack(until - performance.now());
      try {
        return await this.connectionWatch.unlessBroken(question());
      } catch (error) {
        if (!(error instanceof ConnectionBroken) || performance.now() >= until) throw this.#unavailable(error);
      }
    }
  }

  #unavailable(cause: unknown): BrokerError {
    const { stream } = this.settings;
    const isGone = this.apiCode(cause) === this.api.JetStreamApiCodes.StreamNotFound;
    const message = isGone ? `The stream "${stream}" does not exist.` : `The stream "${stream}" does not answer.`;
    return new BrokerError('log_unavailable', message, { cause });
  }
}

function stateOf({ created, state }: StreamInfo): LogState {
  const { messages, first_seq: first, last_seq: head } = state;
  return { epoch: epochOf(created), first: messages === 0 ? head + 1 : first, head };
}

/**
 * A stream has no other identity than the nanosecond in which it was made; it keeps that over restarts and in all
 * replicas.
 */
const epochOf = (created: string): string => created.replaceAll(/\D/g, '');
