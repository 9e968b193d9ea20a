// Bun's own `server.publish` (uWebSockets, C++) to WebSockets: the fastest broadcast that JavaScript has. It keeps no
// backlog, no rights and no place to resume from. Events come to it as lines on a socket from the process that
// publishes.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { wireBatch } from '../../lib/events.mjs';
import { tellStarted } from '../../lib/processes.mjs';

const run = promisify(execFile);
const VERSION = '1.4.5';

const upgrade = [
  'GET /events HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

export async function create() {
  const server = spawn(await bun(), [fileURLToPath(new URL('bun-server.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  tellStarted([server.pid]);
  process.on('exit', () => server.kill('SIGKILL'));
  const [line] = await once(server.stdout, 'data');
  const { port, ingest } = JSON.parse(line);
  const publisher = net.connect({ port: ingest, host: '127.0.0.1', noDelay: true });
  await once(publisher, 'connect');
  let index = 0;
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    publisher.uncork();
  };
  return {
    port,
    pids: [server.pid],
    request: `${upgrade.join('\r\n')}\r\n\r\n`,
    publish(event) {
      if (!isCorked) {
        isCorked = true;
        publisher.cork();
        setImmediate(uncork);
      }
      publisher.write(`${JSON.stringify(wireBatch(event, ++index))}\n`, 'latin1');
    },
  };
}

/** The binary that npm's package `bun` holds: fetched once, and kept in npm's cache. */
async function bun() {
  const { stdout } = await run('npm', ['exec', '--yes', `--package=bun@${VERSION}`, '-c', 'command -v bun']);
  return stdout.trim();
}
