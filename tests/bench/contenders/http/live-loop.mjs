// A server by hand: `answer` writes what there is to who joins; the others are written what is live, line by line.
import { wireBatch } from '../../lib/events.mjs';
import { ndjsonHeaders, serve } from './server.mjs';

const get = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** @param last the newest index that was there before */
export async function serveLive(last, answer) {
  const live = new Set();
  const address = await serve((request, response) => {
    response.writeHead(200, ndjsonHeaders).flushHeaders();
    if (request.url !== '/live') return answer(response);
    live.add(response);
    response.on('close', () => live.delete(response));
  });
  let index = last;
  return {
    ...address,
    request: get('/all'),
    liveRequest: get('/live'),
    publish(event) {
      const line = Buffer.from(`${JSON.stringify(wireBatch({ ...event, topic: 'Live' }, ++index))}\n`);
      for (const response of live) response.write(line);
    },
  };
}
