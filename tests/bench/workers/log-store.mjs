// The logs that a broker can stand on, each with what closes it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tellStarted } from '../lib/processes.mjs';
import {
  joinPostgres,
  openBarePostgres,
  openPostgres,
  openPostgresHeld,
  openPostgresNotifying,
  openPostgresTransactions,
} from './postgres-store.mjs';

export const openers = {
  memory: () => ({ log: undefined, close: () => undefined }),
  'LMDB, on disk': () => openLmdb('disk'),
  'LMDB, durability "os"': () => openLmdb('os'),
  'LMDB alone, on disk': openBareLmdb,
  JetStream: openJetStream,
  'JetStream alone': openBareJetStream,
  PostgreSQL: openPostgres,
  'PostgreSQL, a transaction each': openPostgresTransactions,
  'PostgreSQL, NOTIFY within': openPostgresNotifying,
  'PostgreSQL, beside transactions of 10 ms': openPostgresHeld,
  'PostgreSQL, bare INSERT': () => openBarePostgres(),
  'PostgreSQL, bare INSERT with NOTIFY': () => openBarePostgres(true),
  'Redis, appendfsync always': () => openRedis('always'),
  'Redis, appendfsync everysec': () => openRedis('everysec'),
  'Redis without a broker, appendfsync always': () => openRedisLog('always'),
  'Redis without a broker, appendfsync everysec': () => openRedisLog('everysec'),
  'XADD alone, appendfsync always': () => openBareRedis('always'),
  'XADD alone, appendfsync everysec': () => openBareRedis('everysec'),
};

/** How another process gets to the log that one of the above opened, by its `engine` and `address`. */
export const joiners = {
  lmdb: async (path) => (await import('fenceline/lmdb')).LmdbEventLog.open({ path, readOnly: true }),
  jetstream: async (port) => (await joinJetStream(port)).log,
  postgres: async (port) => (await joinPostgres(port)).log,
  redis: async (port) => (await joinRedis(port)).log,
};

async function openLmdb(durability) {
  const { LmdbEventLog } = await import('fenceline/lmdb');
  const path = temporaryFolder();
  const log = await LmdbEventLog.open({ path, durability });
  return { log, engine: 'lmdb', address: path, close: () => log.close() };
}

/** One put each, acknowledged when it is on the disk. */
async function openBareLmdb() {
  const { open } = await import('lmdb');
  const db = open({ path: temporaryFolder(), keyEncoding: 'uint32', encoding: 'binary' });
  let index = 0;
  const publish = async (event) => {
    await db.put(++index, Buffer.from(JSON.stringify(event)));
    await db.flushed;
  };
  return { publish, close: () => db.close() };
}

async function openJetStream() {
  const port = await startNats();
  const { log, connection } = await joinJetStream(port);
  return { log, engine: 'jetstream', address: port, close: () => log.close().then(() => connection.close()) };
}

/** One publish each, acknowledged by the stream. */
async function openBareJetStream() {
  const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
  const connection = await connectNats(await startNats());
  await (await jetstreamManager(connection)).streams.add({ name: 'events', subjects: ['events'] });
  const client = jetstream(connection);
  return { publish: (event) => client.publish('events', JSON.stringify(event)), close: () => connection.close() };
}

async function joinJetStream(port) {
  const { JetStreamEventLog } = await import('fenceline/jetstream');
  const connection = await connectNats(port);
  return { log: await JetStreamEventLog.open({ connection, stream: 'events' }), connection };
}

async function startNats() {
  const port = await freePort();
  await startServer(port, 'nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', temporaryFolder()]);
  return port;
}

async function connectNats(port) {
  const { connect } = await import('@nats-io/transport-node');
  return connect({ servers: `127.0.0.1:${port}` });
}

async function openRedis(appendfsync) {
  const port = await startRedis(appendfsync);
  const { log, client } = await joinRedis(port);
  return { log, engine: 'redis', address: port, close: () => log.close().then(() => client.destroy()) };
}

/** The log by itself, which nobody follows: as XADD alone. */
async function openRedisLog(appendfsync) {
  const { log, close } = await openRedis(appendfsync);
  return { publish: (event) => log.append(Buffer.from(JSON.stringify(event))), close };
}

/** The engine by itself, with the same durability: what the log can come near to and not beyond. */
async function openBareRedis(appendfsync) {
  const client = await connectRedis(await startRedis(appendfsync));
  const publish = (event) => client.sendCommand(['XADD', 'events', '*', 'b', JSON.stringify(event)]);
  return { publish, close: () => client.destroy() };
}

async function joinRedis(port) {
  const { RedisEventLog } = await import('fenceline/redis');
  const client = await connectRedis(port);
  return { log: await RedisEventLog.open({ client, stream: 'events' }), client };
}

async function startRedis(appendfsync) {
  const port = await freePort();
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', temporaryFolder(), '--save', ''];
  await startServer(port, 'redis-server', [...place, '--appendonly', 'yes', '--appendfsync', appendfsync]);
  return port;
}

async function connectRedis(port) {
  const { createClient } = await import('redis');
  return createClient({ url: `redis://127.0.0.1:${port}` })
    .on('error', () => undefined)
    .connect();
}

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startServer(port, binary, args) {
  const server = spawn(binary, args, { stdio: 'ignore' });
  server.on('error', () => undefined);
  if (server.pid) tellStarted([server.pid]);
  process.on('exit', () => server.kill('SIGKILL'));
  for (let i = 0; i < 100; i++) {
    if (await answers(port)) return;
    await pause(50);
  }
  throw new Error(`${binary} did not start`);
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => resolve(socket.destroy() !== undefined));
    socket.on('error', () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
