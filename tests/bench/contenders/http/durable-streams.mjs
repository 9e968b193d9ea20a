// The Node server of Durable Streams, over server-sent events; what is published is appended to its store in the same
// process. Its own compression is off, and it keeps everything in memory.
import { DurableStreamTestServer } from '@durable-streams/server';
import { wireBatch } from '../../lib/events.mjs';

export async function create() {
  const server = new DurableStreamTestServer({ port: 0, host: '127.0.0.1', compression: false });
  const { port } = new URL(await server.start());
  const path = '/events';
  await server.store.create(path, { contentType: 'application/json' });
  const encoder = new TextEncoder();
  let index = 0;
  return {
    port: Number(port),
    request: `GET ${path}?offset=-1&live=sse HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    publish: (event) => server.store.append(path, encoder.encode(JSON.stringify(wireBatch(event, ++index)))),
  };
}
