// A PostgreSQL of the machine's own, started for one measurement with its defaults: what is acknowledged is on the
// disk.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tellStarted } from '../lib/processes.mjs';

const root = '/usr/lib/postgresql';
const newest = existsSync(root)
  ? readdirSync(root)
      .toSorted((a, b) => Number(a) - Number(b))
      .at(-1)
  : undefined;

/** Where Debian's postgresql is installed. */
export const hasPostgres = newest !== undefined;

const bin = (program) => join(root, newest, 'bin', program);
/** The server refuses to run as root. */
const isRoot = process.getuid() === 0;
const asUser = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--'] : [];

/** Through the broker, with the log's group commits. */
export async function openPostgres() {
  const { PostgresEventLog } = await import('fenceline/postgres');
  const pool = await startedPool(10);
  const log = await PostgresEventLog.open({ pool, name: 'events' });
  return { log, close: () => log.close().then(() => pool.end()) };
}

/** The engine itself: one INSERT for each, every one in flight on a connection of its own. */
export async function openBarePostgres() {
  const pool = await startedPool(64);
  await pool.query('CREATE TABLE events (index bigserial PRIMARY KEY, body bytea NOT NULL)');
  const insert = 'INSERT INTO events (body) VALUES ($1) RETURNING index';
  const publish = (event) => pool.query(insert, [Buffer.from(JSON.stringify(event))]);
  return { log: undefined, publish, close: () => pool.end() };
}

async function startedPool(max) {
  const { default: pg } = await import('pg');
  const port = await start();
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max });
  pool.on('error', () => undefined);
  for (let i = 0; i < 100 && !(await answers(pool)); i++) await pause(50);
  return pool;
}

async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-postgres-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  if (isRoot) chownSync(folder, Number(execFileSync('id', ['-u', 'postgres'])), -1);
  const data = join(folder, 'data');
  run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--locale=C', '-E', 'UTF8');
  const port = await freePort();
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100'];
  const options = settings.flatMap((setting) => ['-c', setting]);
  const [program, ...args] = [...asUser, bin('postgres'), '-D', data, ...options];
  const server = spawn(program, args, { stdio: 'ignore' });
  if (server.pid) tellStarted([server.pid]);
  process.on('exit', () => server.kill('SIGKILL'));
  return port;
}

function run(program, ...args) {
  const [command, ...rest] = [...asUser, bin(program), ...args];
  execFileSync(command, rest, { stdio: 'ignore' });
}

async function answers(pool) {
  return pool.query('SELECT 1').then(
    () => true,
    () => false,
  );
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
