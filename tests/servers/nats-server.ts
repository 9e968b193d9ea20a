import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe } from 'vitest';

import { findExecutable } from './executable.ts';
import { freePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';

/** The server's binary: `NATS_SERVER` (empty: none), or `nats-server` from the PATH or where Debian puts it. */
const binary = process.env['NATS_SERVER'] ?? findExecutable('nats-server');

export const hasNatsServer = Boolean(binary);
const missing = 'nats-server is missing; install it, or name its binary in NATS_SERVER';
if (!binary) console.warn(`note: tests are skipped: ${missing}.`);

/**
 * A `describe` for tests that need the server: skipped, and said so, where it is missing; there they fail with
 * `CI=true`.
 */
export const describeWithNats = binary || process.env['CI'] === 'true' ? describe : describe.skip;

/** A real server on a port of its own, with its data in a temporary folder. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string;
  #process: GuardedServer | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  static async start(): Promise<NatsServer> {
    if (!binary) throw new Error(missing);
    const server = new NatsServer(await freePort(), await mkdtemp(join(tmpdir(), 'fenceline-nats-')));
    await server.run();
    return server;
  }

  /** A connection that never gives up and reconnects at once. */
  connect(): Promise<NatsConnection> {
    return connect({ port: this.port, maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 10 });
  }

  /** Starts the server on its port and data. @throws Error with what it printed when it does not come up */
  async run(): Promise<void> {
    const command = [binary ?? '', '-a', '127.0.0.1', '-p', `${this.port}`, '-js', '-sd', this.#folder];
    this.#process = await GuardedServer.start(command, 'Server is ready');
  }

  /** Ends the server as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** The server keeps its connections and answers nothing, as one that cannot be reached. */
  async freeze(): Promise<void> {
    await this.#process?.freeze();
  }

  thaw(): void {
    this.#process?.thaw();
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** Copies the data of a server that does not run. */
  async backUp(): Promise<string> {
    const copy = await mkdtemp(join(tmpdir(), 'fenceline-nats-'));
    await cp(this.#folder, copy, { recursive: true });
    return copy;
  }

  /** Puts a copy in the place of the data: the server wakes up without what came after it. */
  async restore(copy: string): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await cp(copy, this.#folder, { recursive: true });
    await rm(copy, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** One server for all tests of a `describe`, and a connection to it: there once its `beforeAll` has run. */
export function natsForAll(): () => { readonly server: NatsServer; readonly connection: NatsConnection } {
  let server: NatsServer | undefined;
  let connection: NatsConnection | undefined;
  beforeAll(async () => {
    server = await NatsServer.start();
    connection = await server.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });
  return () => {
    if (server && connection) return { server, connection };
    throw new Error('The server is not there yet.');
  };
}
