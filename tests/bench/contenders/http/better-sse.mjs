// better-sse: Channel.broadcast; with a filter where each subscriber wants one key.
import { createChannel, createSession } from 'better-sse';
import { wireBatch } from '../../lib/events.mjs';
import { keyIn, serve } from './server.mjs';

export async function create({ isSelective, heartbeatMs }) {
  const channel = createChannel();
  const address = await serve(async (request, response) => {
    const options = { keepAlive: heartbeatMs || null, state: { key: keyIn(request) } };
    channel.register(await createSession(request, response, options));
  });
  let index = 0;
  return {
    ...address,
    publish(event) {
      const options = isSelective ? { filter: ({ state }) => state.key === event.key } : {};
      channel.broadcast(wireBatch(event, ++index), 'message', options);
    },
  };
}
