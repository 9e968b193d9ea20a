import { checkNumber, checkNumbers, notNegative, positive } from '../../model/numbers.ts';
import { checkOptions } from '../../model/options.ts';
import type { OptionNames } from '../../model/options.ts';
import type { Retention } from '../../core/log/event-log.ts';
import { checkRetention } from '../retention.ts';
import { isRedisClient } from './redis-client.ts';
import type { RedisClientLike } from './redis-client.ts';

export interface RedisEventLogOptions {
  /**
   * The host's own client, connected, of one server: of the package `redis` (5 or newer; 6.2 or newer is better:
   * before, a client may not come back from a restart of its server, node-redis's issue 3346) or `ioredis` 5. No
   * cluster, pool or sentinel of `redis`, and none with a MULTI that is left open. The log does not close it; it makes
   * one more connection with `client.duplicate()` once it is followed.
   */
  readonly client: RedisClientLike;
  /**
   * Key of the stream that holds the records; without braces. What belongs to it stands in keys of the same slot of a
   * cluster: `{<stream>}:head`, `{<stream>}:ids`, `{<stream>}:ids:before`.
   */
  readonly stream: string;
  /**
   * What is kept; default everything, which fills the server's memory in the end. Trimmed with each append, by the
   * retention of the process that appends; age also by a timer. `maxBytes` counts bodies.
   */
  readonly retention?: Retention;
  /**
   * For how long the id of an append is recognised, also across restarts; it may be up to twice as long. Default two
   * minutes; 0: ids are refused. Give all processes the same: the shortest counts.
   */
  readonly dedupeWindowMs?: number;
  /**
   * Opens the log on a server whose `maxmemory-policy` evicts keys. It may throw the whole log away when memory is
   * short, and nothing but the next epoch tells. Default false: such a server is refused.
   */
  readonly allowEviction?: boolean;
  /** How long an append waits for its turn, and how long for its acknowledgement. Default 10,000. */
  readonly appendTimeoutMs?: number;
  /** How long a question about the log, or one for a chunk of it, may take. Default 2,000. */
  readonly requestTimeoutMs?: number;
}

const knownOptions: OptionNames<RedisEventLogOptions> = {
  client: true,
  stream: true,
  retention: true,
  dedupeWindowMs: true,
  allowEviction: true,
  appendTimeoutMs: true,
  requestTimeoutMs: true,
};

/** Options with their defaults. */
export type LogSettings = Required<RedisEventLogOptions>;

/** @throws TypeError naming the option and what is allowed */
export function settingsOf(options: RedisEventLogOptions): LogSettings {
  checkOptions<RedisEventLogOptions>(options, knownOptions, 'RedisEventLog.open');
  const { client, stream, retention = {}, dedupeWindowMs = 120_000, allowEviction = false } = options;
  const { appendTimeoutMs = 10_000, requestTimeoutMs = 2_000 } = options;
  if (!isRedisClient(client)) {
    const allowed = 'a client of the package "redis" or "ioredis" for one server';
    throw new TypeError(`client must be ${allowed}; not a cluster, a pool, or a sentinel of "redis".`);
  }
  if (typeof stream !== 'string' || !/^[^{}]+$/.test(stream)) {
    throw new TypeError(`stream must be a key without braces; got ${stream}.`);
  }
  checkRetention(retention);
  checkNumber('dedupeWindowMs', dedupeWindowMs, notNegative);
  checkNumbers({ appendTimeoutMs, requestTimeoutMs }, positive);
  return { client, stream, retention, dedupeWindowMs, allowEviction, appendTimeoutMs, requestTimeoutMs };
}
