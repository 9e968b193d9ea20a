// A PostgreSQL of the machine's own, started for one measurement with its defaults: what is acknowledged is on the
// disk.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
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
  const port = await start();
  const { log, pool } = await joinPostgres(port);
  return { log, pool, engine: 'postgres', address: port, close: () => log.close().then(() => pool.end()) };
}

/** The log of another process. */
export async function joinPostgres(port) {
  const pool = await poolOn(port, 10);
  return openOn(pool);
}

/** Each publish in a transaction of its own, on ten connections: as hosts do that store something beside it. */
export async function openPostgresTransactions() {
  const opened = await openPostgres();
  return { ...opened, publishWith: (broker) => (event) => inTransaction(opened.pool, broker, event) };
}

/** The same log, but for NOTIFY: within the transactions of its commits. */
export async function openPostgresNotifying() {
  const port = await start();
  const pool = await poolOn(port, 10);
  pool.on('connect', notifying);
  const { log } = await openOn(pool, { connect: () => silent(new pool.Client(pool.options)) });
  return { log, engine: 'postgres', address: port, close: () => log.close().then(() => pool.end()) };
}

/** Publishes beside transactions that publish, and stay open for a while before they commit: one after the other. */
export async function openPostgresHeld() {
  const opened = await openPostgres();
  const over = new AbortController();
  const held = { topic: 'Held', type: 'Held', key: 'k', payload: {} };
  const hold = async (broker) => {
    while (!over.signal.aborted) await inTransaction(opened.pool, broker, held, HELD_MS);
  };
  let holding;
  return {
    ...opened,
    publishWith: (broker) => {
      // The end of the broker ends it too.
      holding ??= hold(broker).catch(() => undefined);
      return (event) => broker.publish(event);
    },
    close: async () => {
      over.abort();
      await holding;
      await opened.close();
    },
  };
}

/** The engine itself: one INSERT for each, every one in flight on a connection of its own. */
export async function openBarePostgres(isNotifying = false) {
  const pool = await poolOn(await start(), 64);
  await pool.query('CREATE TABLE events (index bigserial PRIMARY KEY, body bytea NOT NULL)');
  const insert = 'INSERT INTO events (body) VALUES ($1) RETURNING index';
  const statement = isNotifying ? `WITH made AS (${insert}) SELECT index, pg_notify('events', '') FROM made` : insert;
  const publish = (event) => pool.query(statement, [Buffer.from(JSON.stringify(event))]);
  return { log: undefined, publish, close: () => pool.end() };
}

/** For so long the transactions of `openPostgresHeld` stay open after they published. */
const HELD_MS = 10;

async function inTransaction(pool, broker, event, heldMs = 0) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const index = await broker.publish(event, { transaction: client });
    if (heldMs > 0) await pause(heldMs);
    await client.query('COMMIT');
    return index;
  } finally {
    client.release();
  }
}

async function openOn(pool, options = {}) {
  const { PostgresEventLog } = await import('fenceline/postgres');
  return { log: await PostgresEventLog.open({ pool, name: 'events', ...options }), pool };
}

/** What the log's processes listen on. */
const channel = `fenceline_${createHash('sha256').update('public.events').digest('hex').slice(0, 32)}`;

function notifying(client) {
  const { query } = client;
  client.query = (statement, ...rest) => {
    const { text = statement, values = rest[0] } = statement;
    const isAppend = typeof text === 'string' && text.startsWith('SELECT epoch, index, outcome');
    if (!isAppend) return query.call(client, statement, ...rest);
    const notifies = `SELECT made.*, pg_notify('${channel}', '') FROM (${text}) made`;
    return query.call(client, { name: 'notifying', text: notifies, values });
  };
}

function silent(client) {
  const { query } = client;
  client.query = (statement, ...rest) =>
    `${statement.text ?? statement}`.includes('pg_notify')
      ? Promise.resolve({ rows: [] })
      : query.call(client, statement, ...rest);
  return client;
}

async function poolOn(port, max) {
  const { default: pg } = await import('pg');
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
