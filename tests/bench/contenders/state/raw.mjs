// The reference: the state's bytes are there already, and every response is written them in pieces of 64 KiB, the next
// when it takes more.
import { eventMaker, keyOf, wireBatch } from '../../lib/events.mjs';
import { ndjsonHeaders, serve } from '../http/server.mjs';

const PIECE_BYTES = 64 * 1024;
const get = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

export async function create({ keys, bytes }) {
  const pieces = piecesOf(keys, bytes);
  const live = new Set();
  const address = await serve((request, response) => {
    response.writeHead(200, ndjsonHeaders).flushHeaders();
    if (request.url === '/state') return writeAll(response, pieces);
    live.add(response);
    response.on('close', () => live.delete(response));
  });
  let index = keys;
  return {
    ...address,
    request: get('/state'),
    liveRequest: get('/live'),
    publish(event) {
      const line = Buffer.from(`${JSON.stringify(wireBatch({ ...event, topic: 'Live' }, ++index))}\n`);
      for (const response of live) response.write(line);
    },
  };
}

function piecesOf(keys, bytes) {
  const make = eventMaker(bytes);
  const lines = Array.from({ length: keys }, (_, i) => `${JSON.stringify(wireBatch(make(keyOf(i), false), i + 1))}\n`);
  const all = Buffer.from(`${lines.join('')}{"Current":{"Index":${keys}},"Events":[]}\n`);
  const count = Math.ceil(all.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, i) => all.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
}

function writeAll(response, pieces) {
  let next = 0;
  const go = () => {
    while (next < pieces.length) if (!response.write(pieces[next++])) return;
    response.off('drain', go);
  };
  response.on('drain', go);
  go();
}
