// A server of rolling-restart.test.ts, in a process of its own: serves a log that the test writes, says when it
// listens, and on SIGTERM ends as docs/shutdown.md says. Then it prints one line for each stream that it ended.
import http from 'node:http';

import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { LmdbEventLog } from 'fenceline/lmdb';

const [path = '', port, drainMs] = process.argv.slice(2);

const log = await LmdbEventLog.open({ path, readOnly: true, pollMs: 20 });
const broker = new EventBroker({ log });
await broker.ready();
const stream = eventStreamHandler({ broker });
const server = http.createServer((request, response) => {
  response.setHeader('X-Server', String(port));
  void stream(request, response);
});
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
// With the test, whatever ends that one.
process.stdin.on('end', () => process.exit(1)).resume();

process.once('SIGTERM', () => {
  const began = performance.now();
  const ended: string[] = [];
  broker.on('unsubscribe', ({ error }) => {
    if (error?.code === 'closed') ended.push(`ended ${error.index} ${Math.round(performance.now() - began)}`);
  });
  void stop().then(() => {
    console.log(ended.join('\n'));
    console.log(`closed after ${Math.round(performance.now() - began)}`);
    process.stdin.destroy();
  });
});

async function stop(): Promise<void> {
  server.close();
  await broker.close({ drainMs: Number(drainMs) });
  await log.close();
}
