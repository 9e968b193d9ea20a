import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';

import { findExecutable } from './executable.ts';
import { freePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';

const run = promisify(execFile);

/** A server that stands by itself. What has to end its server starts one all the same. */
const url = process.env['POSTGRES_URL'];

/** The folder of the server's programs: `POSTGRES_BIN` (empty: none), where Debian puts them, or the PATH. */
const bin = process.env['POSTGRES_BIN'] ?? debianBin() ?? findExecutable('initdb')?.replace(/\/initdb$/, '');

const missing = 'postgres is missing; install postgresql, or name the folder of its programs in POSTGRES_BIN';
if (!bin) console.warn(`note: tests are skipped: ${missing}.`);

const isCi = process.env['CI'] === 'true';

/**
 * A `describe` for tests that need the server: skipped, and said so, where it is missing; there they fail with
 * `CI=true`.
 */
export const describeWithPostgres = describe.skipIf(!bin && !isCi);

/** For tests that any server will do for, that of `POSTGRES_URL` too. */
export const describeWithAnyPostgres = describe.skipIf(!bin && !url && !isCi);

/** The server refuses to run as root: then it runs as its package's own user. */
const isRoot = process.getuid?.() === 0;
const asUser = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--'] : [];

function debianBin(): string | undefined {
  try {
    const newest = readdirSync('/usr/lib/postgresql').toSorted((a, b) => Number(a) - Number(b));
    return newest.length === 0 ? undefined : `/usr/lib/postgresql/${newest.at(-1)}/bin`;
  } catch {
    return undefined;
  }
}

/** A real server on a port of its own, with its data in a temporary folder. Anybody on this machine is let in. */
export class PostgresServer {
  port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #process: GuardedServer | undefined;

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** @param settings of the server, as `fsync=off` */
  static async start(...settings: string[]): Promise<PostgresServer> {
    if (!bin) throw new Error(missing);
    const server = new PostgresServer(await freePort(), await newFolder(), settings);
    const initdb = [
      join(bin, 'initdb'),
      '-D',
      server.#data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-sync',
    ];
    const [program, ...args] = [...asUser, ...initdb, '--locale=C'];
    await run(program, args);
    await server.run();
    return server;
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  get config(): pg.PoolConfig {
    return { host: '127.0.0.1', port: this.port, user: 'postgres', database: 'postgres' };
  }

  /** A pool that outlives the server's end. */
  pool(config: pg.PoolConfig = {}): pg.Pool {
    const pool = new pg.Pool({ ...this.config, ...config });
    const ignore = () => undefined;
    pool.on('error', ignore);
    // Before it is lent: one may break in the very packet with which it is ready.
    pool.on('connect', (client) => client.on('error', ignore));
    return pool;
  }

  /** Starts the server on its port and data. @throws Error with what it printed when it does not come up */
  async run(): Promise<void> {
    for (let tries = 1; this.#process === undefined; tries++) {
      try {
        this.#process = await GuardedServer.start(this.#command, 'ready to accept', {});
      } catch (failure) {
        // The processes of one that was killed take a moment to see that they are orphans.
        if (!String(failure).includes('still in use') || tries === 100) throw failure;
      }
    }
  }

  /** Ends the server as a crash would, and waits until it and all its processes are gone. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** Runs on another port meanwhile, where nobody else finds it, and ends it again. */
  async elsewhere(act: (pool: pg.Pool) => Promise<void>): Promise<void> {
    const { port } = this;
    this.port = await freePort();
    await this.run();
    const pool = this.pool();
    await act(pool);
    await pool.end();
    await this.kill();
    this.port = port;
  }

  /** A server that does not run comes up as a replica from now on, until it is promoted: `SELECT pg_promote()`. */
  async demote(): Promise<void> {
    await writeFile(join(this.#data, 'standby.signal'), '');
  }

  /** Copies the data of a server that does not run. */
  async backUp(): Promise<string> {
    const copy = await newFolder();
    await cp(this.#data, join(copy, 'data'), { recursive: true, preserveTimestamps: true });
    return copy;
  }

  /** Puts a copy in the place of the data: the server wakes up without what came after it. */
  async restore(copy: string): Promise<void> {
    await rm(this.#data, { recursive: true, force: true });
    await cp(join(copy, 'data'), this.#data, { recursive: true });
    if (isRoot) await run('chown', ['-R', 'postgres:postgres', this.#data]);
    await rm(copy, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #command(): readonly string[] {
    const fixed = [
      `port=${this.port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'shared_buffers=32MB',
    ];
    const options = [...fixed, ...this.#settings].flatMap((setting) => ['-c', setting]);
    return [...asUser, join(bin ?? '', 'postgres'), '-D', this.#data, ...options];
  }
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fenceline-postgres-'));
  if (!isRoot) return folder;
  const { stdout } = await run('id', ['-u', 'postgres']);
  await chown(folder, Number(stdout), -1);
  return folder;
}

/** One server for all tests of a `describe`, or that of `POSTGRES_URL`: there once its `beforeAll` has run. */
export function postgresForAll(...settings: string[]): () => Pick<PostgresServer, 'pool' | 'config'> {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    if (url === undefined) server = await PostgresServer.start(...settings);
  });
  afterAll(() => server?.stop());
  return () => {
    if (url !== undefined) return named(url);
    if (server) return server;
    throw new Error('The server is not there yet.');
  };
}

function named(connectionString: string): Pick<PostgresServer, 'pool' | 'config'> {
  const { hostname, port, username, password, pathname } = new URL(connectionString);
  const config = {
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
  return { config, pool: (more) => new pg.Pool({ ...config, ...more }) };
}
