import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe } from 'vitest';

import { findExecutable } from './executable.ts';
import { freePort } from './free-port.ts';

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

/**
 * Starts the server, tells its process id, and ends it when standard input ends: with this process, whatever ends that
 * one, no server is left behind.
 */
const GUARD = '"$@" & echo "guarded $!"; cat >/dev/null; kill -9 $!; wait';

/** A real server on a port of its own, with its data in a temporary folder. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #pid = 0;

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
    const server = [binary ?? '', '-a', '127.0.0.1', '-p', `${this.port}`, '-js', '-sd', this.#folder];
    const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', ...server], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = guard;
    const printed: string[] = [];
    const exited = once(guard, 'close').then(() => {
      throw new Error(`nats-server ended:\n${printed.join('\n')}`);
    });
    createInterface(guard.stdout).once('line', (line) => (this.#pid = Number(line.split(' ')[1])));
    const ready = new Promise<void>((resolve) => {
      createInterface(guard.stderr).on('line', (line) => {
        if (printed.length < 200) printed.push(line);
        if (line.includes('Server is ready')) resolve();
      });
    });
    await Promise.race([ready, exited]);
    exited.catch(() => undefined);
  }

  /** Ends the server as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    const guard = this.#process;
    if (!guard) return;
    this.#process = undefined;
    const closed = once(guard, 'close');
    if (this.#pid > 0) process.kill(this.#pid, 'SIGKILL');
    guard.stdin?.end();
    await closed;
  }

  /** The server keeps its connections and answers nothing, as one that cannot be reached. */
  async freeze(): Promise<void> {
    process.kill(this.#pid, 'SIGSTOP');
    // The signal takes effect a moment later.
    for (let state = ''; !state.startsWith('T');) {
      ({ stdout: state } = await promisify(execFile)('ps', ['-o', 'state=', '-p', `${this.#pid}`]));
    }
  }

  thaw(): void {
    process.kill(this.#pid, 'SIGCONT');
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
