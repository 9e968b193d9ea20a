// What a host does today: the middleware compression, which compresses each response by itself, flushed after each
// event.
import compression from 'compression';
import { wireBatch } from '../../lib/events.mjs';
import { keyIn, serve, Subscribers } from './server.mjs';

export async function create({ isSelective, heartbeatMs }) {
  const subscribers = new Subscribers(isSelective);
  const compress = compression();
  const { port } = await serve((request, response) => {
    compress(request, response, () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flush();
      subscribers.add(keyIn(request), response);
      response.on('close', () => subscribers.remove(keyIn(request), response));
    });
  });
  const send = (response, line) => {
    response.write(line);
    response.flush();
  };
  if (heartbeatMs > 0) setInterval(() => subscribers.all.forEach((response) => send(response, '{}\n')), heartbeatMs);
  let index = 0;
  return {
    port,
    request: 'GET /events?key={key} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n',
    publish(event) {
      const line = Buffer.from(`${JSON.stringify(wireBatch(event, ++index))}\n`);
      for (const response of subscribers.of(event.key)) send(response, line);
    },
  };
}
