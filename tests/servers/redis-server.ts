import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe } from 'vitest';

import type { IoRedisLike, NodeRedisLike, RedisClientLike } from '../../src/logs/redis/index.ts';
import { findExecutable } from './executable.ts';
import { freePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';

/** The server's binary: `REDIS_SERVER` (empty: none), or `redis-server` from the PATH or where Debian puts it. */
const binary = process.env['REDIS_SERVER'] ?? findExecutable('redis-server');

const missing = 'redis-server is missing; install it, or name its binary in REDIS_SERVER';
if (!binary) console.warn(`note: tests are skipped: ${missing}.`);

/**
 * A `describe` for tests that need the server: skipped, and said so, where it is missing; there they fail with
 * `CI=true`.
 */
export const describeWithRedis = binary || process.env['CI'] === 'true' ? describe : describe.skip;

/** The two clients that a log can be opened on. */
export const clientKinds = ['redis', 'ioredis'] as const;
export type ClientKind = (typeof clientKinds)[number];

/** A client of a test, with what tests do to it. */
export interface TestClient {
  readonly client: RedisClientLike;
  /** One command, its answer as text where it is bytes. */
  run(...command: string[]): Promise<unknown>;
  close(): void;
}

/** A client that never gives up and reconnects at once. */
export async function connectTo(kind: ClientKind, url: string): Promise<TestClient> {
  return kind === 'redis' ? connectNodeRedis(url) : connectIoRedis(url);
}

async function connectNodeRedis(url: string): Promise<TestClient> {
  const client = createClient({ url, socket: { reconnectStrategy: 25 } });
  client.on('error', () => undefined);
  await client.connect();
  const run = (...command: string[]): Promise<unknown> => client.sendCommand(command);
  return { client: client satisfies NodeRedisLike, run, close: () => client.destroy() };
}

async function connectIoRedis(url: string): Promise<TestClient> {
  const client = new Redis(url, { retryStrategy: () => 25 });
  client.on('error', () => undefined);
  await once(client, 'ready');
  const run = ([name = '', ...args]: string[]): Promise<unknown> => client.call(name, ...args);
  return { client: client satisfies IoRedisLike, run: (...command) => run(command), close: () => client.disconnect() };
}

/** A real server on a port of its own, with its data in a temporary folder; every append is on its disk. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #settings: readonly string[];
  #process: GuardedServer | undefined;

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#settings = settings;
  }

  /** @param settings as on the server's command line: `--appendfsync`, `everysec` */
  static async start(...settings: string[]): Promise<RedisServer> {
    if (!binary) throw new Error(missing);
    const folder = await mkdtemp(join(tmpdir(), 'fenceline-redis-'));
    const server = new RedisServer(await freePort(), folder, settings);
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts the server on its port and data. @throws Error with what it printed when it does not come up */
  async run(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.folder, '--save', ''];
    const safe = ['--appendonly', 'yes', '--appendfsync', 'always', '--repl-diskless-sync-delay', '0'];
    const command = [binary ?? '', ...place, ...safe, ...this.#settings];
    this.#process = await GuardedServer.start(command, 'Ready to accept connections');
  }

  /** Ends the server as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** The server keeps its connections and answers nothing, as one that cannot be reached. */
  async freeze(): Promise<void> {
    await this.#process?.freeze();
  }

  thaw(): void {
    this.#process?.thaw();
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
