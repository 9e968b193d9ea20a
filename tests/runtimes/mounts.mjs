// Every mount: on node:http, and on the runtime's own server where it speaks fetch.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createGunzip } from 'node:zlib';

import { fastify } from 'fastify';
import { explorerHandler } from 'fenceline/explorer';
import { fastifyEventStream } from 'fenceline/fastify';
import { fetchHandler } from 'fenceline/fetch';
import { honoEventStream } from 'fenceline/hono';
import { eventStreamHandler } from 'fenceline/http';
import { koaEventStream } from 'fenceline/koa';
import { sseHandler } from 'fenceline/sse';
import { streamEvents } from 'fenceline/client';
import { Hono } from 'hono';
import Koa from 'koa';

import { check } from './checks.mjs';
import { deserted, Lines, shop } from './orders.mjs';

const hostname = '127.0.0.1';
/** Where Koa's and Fastify's mounts are by default. */
const path = '/v1/event/stream';
const at = (port) => `http://${hostname}:${port}${path}?topic=Order`;
const { Bun, Deno } = globalThis;

async function onNode(listener) {
  const server = http.createServer(listener);
  await once(server.listen(0, hostname), 'listening');
  return { url: at(server.address().port), close: () => server.close() };
}

async function onRuntime(fetch) {
  if (Bun) {
    // A silent response is cut after so many seconds, unless the mount lifts the limit.
    const server = Bun.serve({ port: 0, hostname, idleTimeout: 1, fetch });
    return { url: at(server.port), close: () => server.stop(true) };
  }
  const server = Deno.serve({ port: 0, hostname, onListen: () => undefined }, fetch);
  return { url: at(server.addr.port), close: () => server.shutdown() };
}

const nodeUser = (request) => request.headers['x-user'];
const mounts = {
  'node:http': (options) => onNode(eventStreamHandler(options(nodeUser))),
  "node:http, writer 'response'": (options) => onNode(eventStreamHandler({ ...options(nodeUser), writer: 'response' })),
  Koa: (options) => {
    const app = new Koa();
    app.silent = true;
    return onNode(app.use(koaEventStream(options((ctx) => ctx.get('X-User')))).callback());
  },
  Fastify: async (options) => {
    // Deno keeps idle connections, for which Fastify would wait.
    const app = fastify({ forceCloseConnections: true });
    await app.register(fastifyEventStream, options(nodeUser));
    await app.listen({ port: 0, host: hostname });
    return { url: at(app.server.address().port), close: () => app.close() };
  },
  'fetch, on its own server': (options) => onRuntime(fetchHandler(options((request) => request.headers.get('X-User')))),
  'Hono, on its own server': (options) =>
    onRuntime(new Hono().all(path, honoEventStream(options((c) => c.req.header('X-User')))).fetch),
};

const alice = { 'X-User': 'alice' };

for (const [name, start] of Object.entries(mounts)) {
  const mounted = async (more = {}) => {
    const made = shop();
    const options = (userOf) => ({ broker: made.broker, acl: (own) => made.rightsOf(userOf(own)), ...more });
    return { ...made, ...(await start(options)) };
  };

  check(`${name}: what there is, then what comes, until the client leaves; and a resume`, async () => {
    const { broker, publish, url, close } = await mounted();
    await publish(1);
    const lines = await Lines.open(url, alice);
    const epoch = lines.response.headers.get('X-Fenceline-Epoch');
    assert.equal((await lines.json()).Index, 1);
    await publish(2);
    assert.equal((await lines.json()).Events[0].Key, 'o2');
    lines.leave();
    await deserted(broker);
    const resumed = await Lines.open(`${url}&index=2&epoch=${epoch}`, alice);
    assert.equal((await resumed.json()).Index, 2);
    resumed.leave();
    await deserted(broker);
    await close();
  });

  check(`${name}: 403 without rights, and the end of a stream whose right is taken away`, async () => {
    const { broker, publish, revoke, url, close } = await mounted();
    const refused = await fetch(url);
    assert.deepEqual([refused.status, (await refused.json()).Error.Code], [403, 'permission_denied']);
    const lines = await Lines.open(url, alice);
    await publish(1);
    const revoked = revoke();
    await publish(2);
    await revoked;
    assert.equal((await lines.json()).Index, 1);
    const { Error: end } = await lines.json();
    assert.deepEqual([end.Code, end.Index], ['acl_revoked', 1]);
    assert.equal(await lines.next(), undefined);
    await broker.close();
    await close();
  });

  check(`${name}: compressed, each event as it comes, and whole to the end`, async () => {
    const { broker, publish, url, close } = await mounted({ compression: true });
    const request = http.get(url, { headers: { ...alice, 'Accept-Encoding': 'gzip' } });
    const [response] = await once(request, 'response');
    assert.equal(response.headers['content-encoding'], 'gzip');
    const decoded = response.pipe(createGunzip());
    let text = '';
    decoded.on('data', (part) => (text += part));
    for (let n = 1; n <= 40; n++) {
      await publish(n);
      while (!text.includes(`"o${n}"`)) await once(decoded, 'data');
    }
    // It checks the length and the checksum of all.
    const ended = once(decoded, 'end');
    await broker.close();
    await ended;
    assert.match(text, /"closed"/);
    await close();
  });

  check(`${name}: a reader that does not read waits at its place, and then loses nothing`, async () => {
    const { broker, publish, url, close } = await mounted();
    const lines = await Lines.open(`${url}&index=latest`, alice);
    const lagging = [];
    broker.once('lagging', (notice) => lagging.push(notice));
    let last = 0;
    while (lagging.length === 0 && last < 900) {
      last = await publish(last + 1, { text: 'x'.repeat(64 * 1024) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(lagging.length, 1, 'it pushes back');
    for (let index = 1; index <= last; index++) assert.equal((await lines.json()).Index, index);
    lines.leave();
    await deserted(broker);
    await close();
  });

  check(`${name}: a silent stream is kept open by heartbeats`, async () => {
    const { broker, url, close } = await mounted({ heartbeatMs: 3000 });
    const lines = await Lines.open(url, alice);
    for (let beats = 0; beats < 3; beats++) await lines.heartbeat();
    lines.leave();
    await deserted(broker);
    await close();
  });
}

check('a client that leaves while its rights are looked up leaves nothing behind', async () => {
  const { broker, rightsOf } = shop();
  let [arrived, answer] = [() => undefined, () => undefined];
  const hasArrived = new Promise((resolve) => (arrived = resolve));
  const rights = new Promise((resolve) => (answer = resolve));
  const acl = () => {
    arrived();
    return rights;
  };
  const { url, close } = await onRuntime(fetchHandler({ broker, acl }));
  const abort = new AbortController();
  const left = fetch(url, { signal: abort.signal }).catch(({ name }) => name);
  await hasArrived;
  abort.abort();
  assert.equal(await left, 'AbortError');
  answer(rightsOf('alice'));
  // One more round trip, so that the runtime has heard of the first one's end.
  const lines = await Lines.open(url);
  lines.leave();
  await deserted(broker);
  await close();
});

check('server-sent events, and a resume by Last-Event-ID', async () => {
  const { broker, rightsOf, publish } = shop();
  const { url, close } = await onNode(sseHandler({ broker, acl: (request) => rightsOf(nodeUser(request)) }));
  await publish(1);
  await publish(2);
  const lines = await Lines.open(url, alice);
  assert.match(lines.response.headers.get('Content-Type'), /^text\/event-stream/);
  const ids = [];
  while (ids.length < 2) {
    const line = await lines.next();
    if (line.startsWith('id:')) ids.push(line.slice(3).trim());
  }
  lines.leave();
  await deserted(broker);
  const resumed = await Lines.open(url, { ...alice, 'Last-Event-ID': ids[0] });
  let line = await resumed.next();
  while (!line.startsWith('data:')) line = await resumed.next();
  assert.match(line, /"Index":2/);
  resumed.leave();
  await deserted(broker);
  await close();
});

check('the client reads, and resumes where it was', async () => {
  const { broker, rightsOf, publish } = shop();
  const { url: asked, close } = await onRuntime(fetchHandler({ broker, acl: () => rightsOf('alice') }));
  const [url] = asked.split('?');
  for (const n of [1, 2, 3]) await publish(n);
  const first = streamEvents(url, { topics: ['Order'] });
  assert.equal((await first.next()).value.index, 1);
  const { position } = first;
  first.close();
  const second = streamEvents(url, { topics: ['Order'], ...position });
  assert.equal((await second.next()).value.index, 2);
  second.close();
  await deserted(broker);
  await close();
});

check('the explorer’s page is served', async () => {
  const { url, close } = await onNode(explorerHandler());
  assert.match(await (await fetch(url)).text(), /<html/);
  await close();
});
