// nats-server, core publish and subscribe (Go, one thread): subscribers speak its text protocol on raw sockets.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { keyOf, wireBatch } from '../../lib/events.mjs';
import { tellStarted } from '../../lib/processes.mjs';

export async function create({ isSelective, heartbeatMs }) {
  const port = await freePort();
  const server = start(port, heartbeatMs);
  const publisher = await connect(port);
  let index = 0;
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    publisher.uncork();
  };
  return {
    port,
    pids: [server.pid],
    request: 'CONNECT {"verbose":false,"pedantic":false}\r\nSUB ev.{key} 1\r\nPING\r\n',
    readyMark: 'PONG\r\n',
    publish(event) {
      const body = JSON.stringify(wireBatch(event, ++index));
      if (!isCorked) {
        isCorked = true;
        publisher.cork();
        setImmediate(uncork);
      }
      publisher.write(`PUB ev.${isSelective ? event.key : keyOf(0)} ${body.length}\r\n${body}\r\n`, 'latin1');
    },
  };
}

function start(port, heartbeatMs) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nats-'));
  const ping = heartbeatMs > 0 ? `${heartbeatMs}ms` : '10m';
  const config = `host: "127.0.0.1"\nport: ${port}\nmax_connections: 20000\nwrite_deadline: "30s"\nping_interval: "${ping}"\nping_max: 100000\n`;
  writeFileSync(join(folder, 'nats.conf'), config);
  const env = { ...process.env, GOMAXPROCS: '1' };
  const server = spawn('nats-server', ['-c', join(folder, 'nats.conf')], { stdio: 'ignore', env });
  tellStarted([server.pid]);
  process.on('exit', () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return server;
}

async function connect(port) {
  for (let i = 0; i < 100; i++) {
    const socket = await new Promise((resolve) => {
      const attempt = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(attempt));
      attempt.on('error', () => resolve(undefined));
    });
    if (socket) return greet(socket);
    await pause(30);
  }
  throw new Error('nats-server did not start');
}

function greet(socket) {
  socket.on('data', (data) => data.includes('PING') && socket.write('PONG\r\n'));
  socket.write('CONNECT {"verbose":false,"pedantic":false,"echo":false}\r\n');
  return socket;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
