// This library, as a host uses it.
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { serve } from './server.mjs';

/** @param maxShare 1 flushes in every turn, whatever it costs @param writer `'response'`: without the fast path */
export async function create({ isSelective, heartbeatMs, maxShare, writer, buffer, compression = false }) {
  const broker = new EventBroker({ flush: maxShare === undefined ? {} : { maxShare }, buffer: buffer ?? {} });
  const address = await serve(eventStreamHandler({ broker, heartbeatMs, compression, ...(writer ? { writer } : {}) }));
  const query = isSelective ? 'topic=Job:{key}' : 'namespace=default';
  const accepted = compression ? 'Accept-Encoding: gzip\r\n' : '';
  return {
    ...address,
    request: `GET /v1/event/stream?${query} HTTP/1.1\r\nHost: localhost\r\n${accepted}\r\n`,
    publish: (event) => broker.publish(event),
  };
}
