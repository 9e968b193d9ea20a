// The code of docs/explorer.md, run: each block of the guide stands in this file.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve as serveFetch } from '@hono/node-server';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { Acl, AclDenial, defineTopics, EventBroker } from 'fenceline';
import { explorerFetchHandler, explorerHandler } from 'fenceline/explorer';
import { fastifyEventStream } from 'fenceline/fastify';
import { fetchHandler, operatorFetchHandler, topicsFetchHandler } from 'fenceline/fetch';
import { honoEventStream } from 'fenceline/hono';
import { eventStreamHandler, operatorHandler, topicsHandler } from 'fenceline/http';
import { koaEventStream } from 'fenceline/koa';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const guide = read('docs/explorer.md');
const blocks = [...guide.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code = '']) => code);
/** The formatter breaks lines elsewhere where code stands deeper. */
const plain = (code: string): string => code.replaceAll(/\s/g, '').replaceAll(/,(?=[)\]}]|$)/g, '');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function makeBroker(): EventBroker {
  const topics = defineTopics({ Order: { requires: { namespace: 'read-orders' } }, Audit: {} });
  const broker = new EventBroker({ topics });
  cleanups.push(() => broker.close());
  return broker as unknown as EventBroker;
}

/** Rights by the cookie of a session. */
function rightsOf(cookie = ''): Acl {
  if (cookie === 'session=root') return Acl.management;
  if (cookie !== 'session=alice') throw new AclDenial('unknown');
  return Acl.fromRules([{ namespace: { default: { capabilities: ['read-orders'] } } }]);
}

const isStaff = (cookie = ''): boolean => ['session=root', 'session=alice'].includes(cookie);

const urls = { streamUrl: '/v1/event/stream', topicsUrl: '/v1/event/topics', operatorUrl: '/v1/operator/streams' };

async function listen(server: { listen(port: number, host: string, done: () => void): http.Server }): Promise<string> {
  const listening = await new Promise<http.Server>((resolve) => {
    const started: http.Server = server.listen(0, '127.0.0.1', () => resolve(started));
  });
  cleanups.push(
    () => listening.close(),
    () => listening.closeAllConnections(),
  );
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

/** What every mount of the guide does: see the guide's words about protecting it. */
async function expectMounted(origin: string): Promise<void> {
  const ask = (path: string, cookie?: string) => fetch(origin + path, { ...(cookie && { headers: { cookie } }) });
  expect((await ask('/explorer')).status).toBe(404);
  const page = await ask('/explorer', 'session=alice');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const [, settings = ''] = /id="settings">([^<]*)</.exec(await page.text()) ?? [];
  expect(JSON.parse(settings)).toEqual(urls);

  for (const path of Object.values(urls)) expect([path, (await ask(path)).status]).toEqual([path, 403]);
  const { topics } = (await (await ask(urls.topicsUrl, 'session=alice')).json()) as { topics: { name: string }[] };
  expect(topics.map(({ name }) => name)).toEqual(['Order']);
  expect((await ask(urls.operatorUrl, 'session=alice')).status).toBe(403);
  expect(await (await ask(urls.operatorUrl, 'session=root')).json()).toMatchObject({ streams: 0 });
  const stream = await ask(`${urls.streamUrl}?topic=Order`, 'session=alice');
  expect(stream.status).toBe(200);
  const reader = stream.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('{}\n');
  await reader?.cancel();
}

describe('the guide about the explorer', () => {
  it('has no code that is not in this file, and leads to files that are there', () => {
    const run = plain(read('tests/readme/explorer-guide.test.ts'));
    expect(blocks.length).toBe(7);
    expect(blocks.filter((block) => !run.includes(plain(block)))).toEqual([]);
    const links = [...guide.matchAll(/(?:\]\(|(?:src|srcset)=")(?!https:)([^)#"]+)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) expect(() => read(`docs/${link}`)).not.toThrow();
  });

  it('has pictures that are no heavier than the page that shows them may be', () => {
    for (const name of ['explorer', 'explorer-dark', 'explorer-operator']) {
      const picture = readFileSync(new URL(`../../examples/${name}.png`, import.meta.url));
      expect([name, picture.length <= 150_000]).toEqual([name, true]);
    }
  });

  it('mounts it on node:http', async () => {
    const broker = makeBroker();
    const acl = (request: http.IncomingMessage) => rightsOf(request.headers.cookie);
    const stream = eventStreamHandler({ broker, acl });
    const topics = topicsHandler({ broker, acl });
    const operator = operatorHandler({ broker, acl });
    const explorer = explorerHandler(urls);
    const server = http.createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname === urls.streamUrl) void stream(request, response);
      else if (pathname === urls.topicsUrl) void topics(request, response);
      else if (pathname === urls.operatorUrl) void operator(request, response);
      else if (pathname === '/explorer' && isStaff(request.headers.cookie)) explorer(request, response);
      else response.writeHead(404).end();
    });
    await expectMounted(await listen(server));
  });

  it('mounts it on Express', async () => {
    const broker = makeBroker();
    const app = express();
    const acl = (req: express.Request) => rightsOf(req.headers.cookie);
    app.get(urls.streamUrl, eventStreamHandler({ broker, acl }));
    app.get(urls.topicsUrl, topicsHandler({ broker, acl }));
    app.get(urls.operatorUrl, operatorHandler({ broker, acl }));
    app.use('/explorer', (req, res, next) => (isStaff(req.headers.cookie) ? next() : res.sendStatus(404)));
    app.get('/explorer', explorerHandler(urls));
    await expectMounted(await listen(app));
  });

  it('mounts it on Fastify', async () => {
    const broker = makeBroker();
    const app = fastify();
    await app.register(fastifyEventStream, { broker, acl: (request) => rightsOf(request.headers.cookie) });
    const acl = (request: http.IncomingMessage) => rightsOf(request.headers.cookie);
    const handlers = {
      [urls.topicsUrl]: topicsHandler({ broker, acl }),
      [urls.operatorUrl]: operatorHandler({ broker, acl }),
      '/explorer': explorerHandler(urls),
    };
    for (const [path, handle] of Object.entries(handlers)) {
      app.get(path, (request, reply) => {
        if (path === '/explorer' && !isStaff(request.headers.cookie)) return reply.code(404).send();
        reply.hijack();
        return handle(request.raw, reply.raw);
      });
    }
    cleanups.push(() => app.close());
    await expectMounted(await app.listen({ port: 0, host: '127.0.0.1' }));
  });

  it('mounts it on Koa', async () => {
    const broker = makeBroker();
    const app = new Koa();
    app.use(koaEventStream({ broker, acl: (ctx) => rightsOf(ctx.req.headers.cookie) }));
    const acl = (request: http.IncomingMessage) => rightsOf(request.headers.cookie);
    const topics = topicsHandler({ broker, acl });
    const operator = operatorHandler({ broker, acl });
    const explorer = explorerHandler(urls);
    app.use(async (ctx) => {
      const isHere = [urls.topicsUrl, urls.operatorUrl].includes(ctx.path);
      if (!isHere && !(ctx.path === '/explorer' && isStaff(ctx.headers.cookie))) return;
      ctx.respond = false; // these write the response themselves
      if (ctx.path === urls.topicsUrl) await topics(ctx.req, ctx.res);
      else if (ctx.path === urls.operatorUrl) await operator(ctx.req, ctx.res);
      else explorer(ctx.req, ctx.res);
    });
    await expectMounted(await listen(app));
  });

  it('mounts it on Hono', async () => {
    const broker = makeBroker();
    const app = new Hono();
    app.get(urls.streamUrl, honoEventStream({ broker, acl: (c) => rightsOf(c.req.header('cookie')) }));
    const acl = (request: Request) => rightsOf(request.headers.get('cookie') ?? undefined);
    const topics = topicsFetchHandler({ broker, acl });
    const operator = operatorFetchHandler({ broker, acl });
    const explorer = explorerFetchHandler(urls);
    app.get(urls.topicsUrl, (c) => topics(c.req.raw));
    app.get(urls.operatorUrl, (c) => operator(c.req.raw));
    app.get('/explorer', (c) => (isStaff(c.req.header('cookie')) ? explorer(c.req.raw) : c.notFound()));
    await expectMounted(await listenFetch(app.fetch));
  });

  it('mounts it on whatever speaks fetch', async () => {
    const broker = makeBroker();
    const acl = (request: Request) => rightsOf(request.headers.get('cookie') ?? undefined);
    const stream = fetchHandler({ broker, acl });
    const topics = topicsFetchHandler({ broker, acl });
    const operator = operatorFetchHandler({ broker, acl });
    const explorer = explorerFetchHandler(urls);
    async function handle(request: Request, server?: unknown): Promise<Response> {
      const { pathname } = new URL(request.url);
      if (pathname === urls.streamUrl) return stream(request, server);
      if (pathname === urls.topicsUrl) return topics(request);
      if (pathname === urls.operatorUrl) return operator(request);
      const isShown = pathname === '/explorer' && isStaff(request.headers.get('cookie') ?? undefined);
      return isShown ? explorer(request) : new Response(null, { status: 404 });
    }
    await expectMounted(await listenFetch(handle));
  });
});

async function listenFetch(
  handle: (request: Request, server?: object) => Response | Promise<Response>,
): Promise<string> {
  const server = serveFetch({ fetch: handle, port: 0, hostname: '127.0.0.1' }) as http.Server;
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
