import { checkNumbers, positive } from '../../model/numbers.ts';
import { checkOptions } from '../../model/options.ts';
import type { OptionNames } from '../../model/options.ts';
import type { Retention } from '../../core/log/event-log.ts';
import { checkRetention } from '../retention.ts';
import type { NatsConnectionLike } from './nats-connection.ts';

/**
 * How the stream is made when there is none yet. It keeps its settings from then on: a later opening does not change
 * them.
 */
export interface StreamCreation {
  /**
   * What is kept; default everything. The server drops the oldest records by itself. `maxBytes` counts what the server
   * stores.
   */
  readonly retention?: Retention;
  /**
   * Servers that keep each record, 1 to 5; default 1. From 3 on an acknowledged record outlives the loss of a machine.
   */
  readonly replicas?: number;
  /** Default `'file'`. */
  readonly storage?: 'file' | 'memory';
  /** For how long an id is recognised; default two minutes, or `retention.maxAgeMs` when that is shorter. */
  readonly dedupeWindowMs?: number;
}

export interface JetStreamEventLogOptions {
  /**
   * The host's own connection, which the log does not close. Make it with `maxReconnectAttempts: -1`: the client's
   * default gives up after ten attempts, and a connection that gave up never comes back. With `reconnectTimeWait: 250`
   * outages end sooner.
   */
  readonly connection: NatsConnectionLike;
  /** Name of the stream; letters, digits, `-` and `_`. */
  readonly stream: string;
  /**
   * Subject of the records; default the stream's name. Records of ACL changes go to this subject with `.acl` after it.
   */
  readonly subject?: string;
  readonly create?: StreamCreation;
  /** How long one try of an append waits for the acknowledgement before it is sent again. Default 500. */
  readonly publishTimeoutMs?: number;
  /**
   * How long an append is tried before it fails with `log_unavailable`. Default 10,000; at most half the dedupe window.
   */
  readonly appendTimeoutMs?: number;
  /** How long a question about the stream may take, and how long a read waits for records. Default 2,000. */
  readonly requestTimeoutMs?: number;
  /** The `inboxPrefix` that the connection was made with. Default `'_INBOX'`. */
  readonly inboxPrefix?: string;
  /** The JetStream domain, where servers have one. */
  readonly domain?: string;
}

const knownOptions: OptionNames<JetStreamEventLogOptions> = {
  connection: true,
  stream: true,
  subject: true,
  create: true,
  publishTimeoutMs: true,
  appendTimeoutMs: true,
  requestTimeoutMs: true,
  inboxPrefix: true,
  domain: true,
};

const knownOfCreation: OptionNames<StreamCreation> = {
  retention: true,
  replicas: true,
  storage: true,
  dedupeWindowMs: true,
};

/** Options with their defaults. */
export type LogSettings = Required<Omit<JetStreamEventLogOptions, 'domain'>> & { readonly domain: string | undefined };

/** @throws TypeError naming the option and what is allowed */
export function settingsOf(options: JetStreamEventLogOptions): LogSettings {
  checkOptions<JetStreamEventLogOptions>(options, knownOptions, 'JetStreamEventLog.open');
  const { connection, stream, subject = stream, create = {} } = options;
  if (typeof connection?.subscribe !== 'function') throw new TypeError('connection must be a connection to NATS.');
  if (!/^[\w-]+$/.test(stream)) throw new TypeError(`stream must be letters, digits, "-" and "_"; got ${stream}.`);
  if (!/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(subject)) {
    throw new TypeError(`subject must be a NATS subject without wildcards; got ${subject}.`);
  }
  checkCreation(create);
  const { publishTimeoutMs = 500, appendTimeoutMs = 10_000, requestTimeoutMs = 2_000 } = options;
  checkNumbers({ publishTimeoutMs, appendTimeoutMs, requestTimeoutMs }, positive);
  const { inboxPrefix = '_INBOX', domain } = options;
  return {
    connection,
    stream,
    subject,
    create,
    publishTimeoutMs: Math.min(publishTimeoutMs, appendTimeoutMs),
    appendTimeoutMs,
    requestTimeoutMs,
    inboxPrefix,
    domain,
  };
}

/** A bound of 0 is refused: to the server it means "no bound". */
function checkCreation(create: StreamCreation): void {
  checkOptions<StreamCreation>(create, knownOfCreation, 'create');
  const { retention = {}, replicas = 1, storage = 'file', dedupeWindowMs = 1 } = create;
  const { maxRecords = 1, maxBytes = 1, maxAgeMs = 1 } = checkRetention(retention);
  const bounds = { 'retention.maxRecords': maxRecords, 'retention.maxBytes': maxBytes, 'retention.maxAgeMs': maxAgeMs };
  checkNumbers({ ...bounds, dedupeWindowMs }, positive);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 5) {
    throw new TypeError(`create.replicas must be 1 to 5; got ${replicas}.`);
  }
  if (storage !== 'file' && storage !== 'memory') {
    throw new TypeError(`create.storage must be 'file' or 'memory'; got ${String(storage)}.`);
  }
}
