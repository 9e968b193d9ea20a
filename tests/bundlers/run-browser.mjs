// Runs what a bundler made of the client where nothing of Node's can be reached, and reads a stream with it.
// `node run-browser.mjs <bundle>`
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createContext, runInContext } from 'node:vm';

const web = { fetch, URL, URLSearchParams, TextDecoder, AbortController, AbortSignal, Headers };
const context = createContext({ ...web, setTimeout, clearTimeout, queueMicrotask, performance, crypto });
runInContext(readFileSync(process.argv[2], 'utf8'), context);

const line =
  '{"Index":1,"Events":[{"Topic":"Order","Type":"OrderPlaced","Key":"o1","Index":1,"Payload":{"total":5}}]}\n';
const server = http.createServer((_request, response) => response.writeHead(200).write(line));
await once(server.listen(0, '127.0.0.1'), 'listening');
context.url = `http://127.0.0.1:${server.address().port}/`;
const code = `(async () => { for await (const { events } of streamEvents(url)) return events[0].payload.total; })()`;
assert.equal(await runInContext(code, context), 5);
server.closeAllConnections();
server.close();
