import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import { eventStreamHandler } from '../../../src/adapters/http.ts';
import { EventBroker } from '../../../src/index.ts';
import { require, type FuzzTarget } from '../target.ts';

let server: Server | undefined;
let broker: EventBroker | undefined;
const failures: unknown[] = [];

async function start(): Promise<Server> {
  broker = new EventBroker();
  await broker.publish({ topic: 'Job', type: 't', key: 'k', payload: 1 } as never);
  const handle = eventStreamHandler({ broker });
  const made = createServer((request, response) => {
    try {
      void handle(request, response);
    } catch (error) {
      failures.push(error);
    }
  });
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return made;
}

/** Bytes of one connection: requests behind each other, whole, cut off or broken. Each answer is one of HTTP's. */
export const pipelined: FuzzTarget = {
  name: 'pipelined-requests',
  words: [
    ...[
      'GET /?topic=Job HTTP/1.1\r\nHost: a\r\n\r\n',
      'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
      'OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    ...[
      'GET /?index=x HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
      '\r\n',
      '\r\n\r\n',
    ],
    ...[
      'Connection: close\r\n',
      'Connection: upgrade\r\nUpgrade: x\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Expect: 100-continue\r\n',
      'HTTP/1.0',
      'Accept: text/event-stream\r\n',
    ],
  ],
  tries: 150,
  async run(input) {
    server ??= await start();
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    // What is refused is refused by a reset, now and then.
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.end(input);
    await closed;
    require(text === '' ||
      /^HTTP\/1\.1 [1-5]\d\d /.test(text), `The answer begins with ${JSON.stringify(text.slice(0, 80))}.`);
    require(!/^HTTP\/1\.1 500 /m.test(text), 'A request of a client is no failure of the server.');
    if (failures.length > 0) throw failures.pop();
    const open = broker?.stats().subscriptions ?? 0;
    require(open <= 1, `${open} subscriptions are open of connections that are closed.`);
  },
  async close() {
    server?.close();
    server?.closeAllConnections();
    await broker?.close();
    server = broker = undefined;
  },
};
