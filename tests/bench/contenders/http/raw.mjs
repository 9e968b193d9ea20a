// The reference: the line is encoded once, and the same Buffer is given to response.write of every subscriber, event by
// event.
import { wireBatch } from '../../lib/events.mjs';
import { keyIn, ndjsonHeaders, serve, Subscribers } from './server.mjs';

export async function create({ isSelective, heartbeatMs, keepsBacklog = false }) {
  const subscribers = new Subscribers(isSelective);
  const backlog = [];
  const address = await serve((request, response) => {
    const key = keyIn(request);
    response.writeHead(200, ndjsonHeaders).flushHeaders();
    for (const line of backlog) response.write(line);
    subscribers.add(key, response);
    response.on('close', () => subscribers.remove(key, response));
  });
  const beat = Buffer.from('{}\n');
  if (heartbeatMs > 0) setInterval(() => subscribers.all.forEach((response) => response.write(beat)), heartbeatMs);
  let index = 0;
  return {
    ...address,
    publish(event) {
      const line = Buffer.from(`${JSON.stringify(wireBatch(event, ++index))}\n`);
      if (keepsBacklog) backlog.push(line);
      for (const response of subscribers.of(event.key)) response.write(line);
    },
  };
}
