// A service that holds a mirror of another server's state in a Map, and answers from it. It follows the stream of
// SOURCE_URL; without one it starts a source of its own. Run it: npm run example examples/25-mirror.ts
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBroker } from 'fenceline';
import { streamEvents } from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { moveOrders, topics, type OpenOrder } from './open-orders.ts';
import { serve } from './serving.ts';

/** The open orders by their key, as they were at an index. */
class Mirror {
  /** Undefined until the state was read for the first time. */
  orders: ReadonlyMap<string, OpenOrder> | undefined;
  index = 0;

  /** Ends when the signal is aborted. @throws StreamError for what cannot heal */
  async follow(url: string, signal: AbortSignal): Promise<void> {
    let orders = new Map<string, OpenOrder>();
    const stream = streamEvents<typeof topics>(url, { topics: ['Order'], state: true, signal });
    for await (const { index, events, removed = [], current, gap } of stream) {
      // The state begins anew. What was read before is answered with until the new one is complete.
      if (gap?.reason === 'state' || gap?.reason === 'restarted' || gap?.reason === 'ahead') orders = new Map();
      for (const { key, payload } of events) orders.set(key, payload);
      for (const { key } of removed) orders.delete(key);
      if (current) this.orders = orders;
      if (this.orders === orders) this.index = index;
    }
  }
}

async function startSource(): Promise<string> {
  const broker = new EventBroker({ topics });
  moveOrders(broker);
  const source = http.createServer(eventStreamHandler({ broker })).listen(0, '127.0.0.1');
  await new Promise((resolve) => source.once('listening', resolve));
  return `http://127.0.0.1:${(source.address() as AddressInfo).port}/v1/event/stream`;
}

const url = process.env['SOURCE_URL'] ?? (await startSource());
const mirror = new Mirror();
const ending = new AbortController();
const following = mirror.follow(url, ending.signal).catch((error: unknown) => {
  console.error(`The mirror has ended: ${String(error)}`);
  process.exit(1);
});

const server = http.createServer((_request, response) => {
  response.setHeader('Content-Type', 'application/json');
  if (mirror.orders === undefined) response.writeHead(503, { 'Retry-After': '1' }).end('{"error":"not read yet"}\n');
  else response.end(`${JSON.stringify({ index: mirror.index, orders: Object.fromEntries(mirror.orders) })}\n`);
});
const close = async (): Promise<void> => {
  ending.abort();
  await following;
};
serve(server, { close }, '/orders');
server.once('listening', () => console.log(`curl -sN '${url}?topic=Order&state=true' # what it follows`));
