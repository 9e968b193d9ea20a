import { ConnectionState } from '../connection-state.ts';

/** A command as it is sent: text, or bytes as they are. */
export type RedisCommand = readonly (string | Buffer)[];

/** What both clients have: an emitter of their connection's news. */
export interface RedisEmitterLike {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** What the log needs of node-redis 5 or newer (the package `redis`): what `createClient` gives, connected. */
export interface NodeRedisLike extends RedisEmitterLike {
  readonly isReady: boolean;
  sendCommand(args: RedisCommand, options?: object): Promise<unknown>;
  duplicate(): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

/** What the log needs of ioredis 5: what `new Redis()` gives. */
export interface IoRedisLike extends RedisEmitterLike {
  readonly status: string;
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>;
  duplicate(override?: object): unknown;
  disconnect(): void;
}

export type RedisClientLike = NodeRedisLike | IoRedisLike;

/** One client in our words. All that differs between the two stands in this file. */
interface Dialect {
  isReady(): boolean;
  send(command: RedisCommand): Promise<unknown>;
  /** A connection of its own, which connects by itself. */
  duplicate(): RedisClientLike;
  destroy(): void;
  readonly breakEvents: readonly string[];
}

/** RESP's types `$` and `%`: bytes come as a Buffer, a map as an array of keys and values, as RESP 2 has it. */
const asBuffers = { typeMapping: { 36: Buffer, 37: Array } };

function nodeRedis(client: NodeRedisLike): Dialect {
  return {
    isReady: () => client.isReady,
    send: (command) => client.sendCommand(command, asBuffers),
    duplicate: () => {
      const copy = client.duplicate() as NodeRedisLike;
      // It tries for as long as the host's own client does; that it gave up is seen in that it is never ready.
      setImmediate(() => void copy.connect().catch(() => undefined));
      return copy;
    },
    destroy: () => client.destroy(),
    breakEvents: ['reconnecting', 'end'],
  };
}

function ioRedis(client: IoRedisLike): Dialect {
  return {
    isReady: () => client.status === 'ready',
    send: ([name = '', ...args]) => client.callBuffer(name.toString(), ...args),
    // Resent by the client, a blocking read of before would hold the connection up; and nobody waits for it any more.
    // How long one may take is for the log to say.
    duplicate: () => {
      const own = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: null, commandTimeout: undefined };
      return client.duplicate(own) as IoRedisLike;
    },
    destroy: () => client.disconnect(),
    breakEvents: ['close', 'end'],
  };
}

/**
 * Whether `client` is one that a log can be opened on: of one server, which a cluster, a sentinel or a pool is not. Of
 * node-redis only such a client can WATCH keys; the others look like it more with each version.
 */
export function isRedisClient(client: unknown): client is RedisClientLike {
  const { duplicate, callBuffer, sendCommand, isReady, isWatching, isCluster } = (client ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof duplicate !== 'function') return false;
  return typeof callBuffer === 'function'
    ? isCluster !== true
    : typeof sendCommand === 'function' && isReady !== undefined && isWatching !== undefined;
}

/** A client's connection, the host's own or one that was made for the log. */
export class RedisConnection extends ConnectionState {
  readonly #client: RedisClientLike;
  readonly #dialect: Dialect;
  readonly #onBreak = (): void => this.break();
  readonly #onReady = (): void => this.mend();
  /** Without a listener of its own a client of node-redis ends the process over a connection that breaks. */
  readonly #onError = (): void => undefined;

  constructor(client: RedisClientLike) {
    super();
    this.#client = client;
    this.#dialect = 'callBuffer' in client ? ioRedis(client) : nodeRedis(client);
    for (const event of this.#dialect.breakEvents) client.on(event, this.#onBreak);
    client.on('ready', this.#onReady);
    client.on('error', this.#onError);
  }

  /** As the client sees it: also one that was not connected yet, or was closed. */
  override get isDown(): boolean {
    return !this.#dialect.isReady();
  }

  /** What the server answers, with bytes as Buffers. @throws what the client rejects with; ConnectionBroken */
  send(command: RedisCommand): Promise<unknown> {
    return this.unlessBroken(this.#dialect.send(command));
  }

  /** Another connection to the same server, which is the caller's to {@link destroy}. */
  duplicate(): RedisConnection {
    return new RedisConnection(this.#dialect.duplicate());
  }

  /** Ends the connection. */
  destroy(): void {
    this.release();
    // What it says of its end, nobody wants to know.
    this.#client.on('error', this.#onError);
    try {
      this.#dialect.destroy();
    } catch {
      // A client of node-redis that was never connected, or is closed, says so.
    }
  }

  /** Leaves the client as it was: the connection is its owner's. */
  release(): void {
    for (const event of this.#dialect.breakEvents) this.#client.off(event, this.#onBreak);
    this.#client.off('ready', this.#onReady);
    this.#client.off('error', this.#onError);
  }
}
