// The logs that a broker can stand on, each with what closes it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tellStarted } from '../lib/processes.mjs';

export const openers = {
  memory: () => ({ log: undefined, close: () => undefined }),
  'LMDB, on disk': () => openLmdb('disk'),
  'LMDB, durability "os"': () => openLmdb('os'),
  JetStream: openJetStream,
};

async function openLmdb(durability) {
  const { LmdbEventLog } = await import('fenceline/lmdb');
  const path = temporaryFolder();
  const log = await LmdbEventLog.open({ path, durability });
  return { log, close: () => log.close() };
}

async function openJetStream() {
  const { JetStreamEventLog } = await import('fenceline/jetstream');
  const { connect } = await import('@nats-io/transport-node');
  const port = await startNats(temporaryFolder());
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const log = await JetStreamEventLog.open({ connection, stream: 'events' });
  return { log, close: () => log.close().then(() => connection.close()) };
}

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startNats(folder) {
  const port = await freePort();
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], {
    stdio: 'ignore',
  });
  server.on('error', () => undefined);
  if (server.pid) tellStarted([server.pid]);
  process.on('exit', () => server.kill('SIGKILL'));
  for (let i = 0; i < 100; i++) {
    if (await answers(port)) return port;
    await pause(50);
  }
  throw new Error('nats-server did not start');
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
