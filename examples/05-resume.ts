// A reader that is restarted goes on where it was. Run it: npm run example examples/05-resume.ts
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBroker } from 'fenceline';
import { streamEvents, type Position } from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { topics } from './orders.ts';

const broker = new EventBroker({ topics });
const server = http.createServer(eventStreamHandler({ broker })).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/event/stream`;

const publish = (key: string) =>
  broker.publish({ topic: 'Order', type: 'OrderPlaced', key, namespace: 'default', payload: { id: key, total: 1 } });

/** Reads some batches, and says where it stopped. In real life the position is kept in a file or a database. */
async function read(count: number, from?: Position): Promise<Position | undefined> {
  const stream = streamEvents(url, { ...from });
  for await (const { index, events } of stream) {
    console.log(`batch ${index}: ${events[0]?.key}`);
    if (--count === 0) break;
  }
  return stream.position;
}

await publish('o-1');
await publish('o-2');
const position = await read(2);
await publish('o-3');
console.log('the reader is restarted');
await read(1, position);

await broker.close();
server.close();
server.closeAllConnections();
