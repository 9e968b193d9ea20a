// What is written by hand most often: every subscriber has its own listener, filter, JSON.stringify and response.write.
import { EventEmitter } from 'node:events';
import { wireBatch } from '../../lib/events.mjs';
import { keyIn, ndjsonHeaders, serve } from './server.mjs';

export async function create({ isSelective, heartbeatMs }) {
  const emitter = new EventEmitter().setMaxListeners(0);
  const address = await serve((request, response) => {
    const key = keyIn(request);
    response.writeHead(200, ndjsonHeaders).flushHeaders();
    const onEvent = (event, index) => {
      if (!isSelective || event.key === key) response.write(`${JSON.stringify(wireBatch(event, index))}\n`);
    };
    emitter.on('event', onEvent);
    const timer = heartbeatMs > 0 ? setInterval(() => response.write('{}\n'), heartbeatMs) : undefined;
    response.on('close', () => {
      clearInterval(timer);
      emitter.off('event', onEvent);
    });
  });
  let index = 0;
  return { ...address, publish: (event) => void emitter.emit('event', event, ++index) };
}
