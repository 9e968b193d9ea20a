// This library: a backlog that is read from its beginning, and another topic that is live meanwhile.
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { eventMaker, keyOf } from '../../lib/events.mjs';
import { serve } from '../http/server.mjs';

const get = (query) => `GET /v1/event/stream?${query}&namespace=default HTTP/1.1\r\nHost: localhost\r\n\r\n`;

export async function create({ keys, bytes }) {
  const broker = new EventBroker();
  const make = eventMaker(bytes);
  for (let i = 0; i < keys; i++) await broker.publish(make(keyOf(i), false));
  const address = await serve(eventStreamHandler({ broker, heartbeatMs: 0 }));
  return {
    ...address,
    request: get('topic=Job'),
    liveRequest: get('topic=Live'),
    publish: (event) => broker.publish({ ...event, topic: 'Live' }),
  };
}
