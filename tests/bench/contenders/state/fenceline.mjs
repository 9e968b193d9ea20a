// This library: a retained topic that is joined, and another that is live meanwhile.
import { defineTopics, EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { eventMaker, keyOf } from '../../lib/events.mjs';
import { serve } from '../http/server.mjs';

const get = (query) => `GET /v1/event/stream?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

export async function create({ keys, bytes }) {
  const topics = defineTopics({ Job: { retain: 'latest' }, Live: {} });
  const broker = new EventBroker({ topics, buffer: { maxRetainedKeys: keys } });
  const make = eventMaker(bytes);
  for (let i = 0; i < keys; i++) await broker.publish(make(keyOf(i), false));
  const address = await serve(eventStreamHandler({ broker, heartbeatMs: 0 }));
  return {
    ...address,
    request: get('topic=Job&namespace=default&state=true'),
    liveRequest: get('topic=Live&namespace=default'),
    publish: (event) => broker.publish({ ...event, topic: 'Live' }),
  };
}
