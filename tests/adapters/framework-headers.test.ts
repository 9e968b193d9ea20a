import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { fastify } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { describe, expect, it, onTestFinished } from 'vitest';

import { EventBroker } from '../../src/index.ts';
import { fastifyEventStream } from '../../src/adapters/fastify.ts';
import { honoEventStream } from '../../src/adapters/hono.ts';
import { koaEventStream } from '../../src/adapters/koa.ts';

function newBroker(): EventBroker {
  const broker = new EventBroker();
  onTestFinished(() => broker.close());
  return broker;
}

/** The headers of a stream that is left at once. */
async function headersOf(url: string): Promise<Headers> {
  const response = await fetch(url);
  await response.body?.cancel();
  expect(response.status).toBe(200);
  return response.headers;
}

describe('what a framework has set for the response of a stream', () => {
  it('stays in Fastify, beside the own headers of the stream', async () => {
    const app = fastify();
    app.addHook('onRequest', (_request, reply, done) => {
      reply.header('x-own', 'a').header('x-left', 'b').removeHeader('x-left');
      done();
    });
    app.register(fastifyEventStream, { broker: newBroker() });
    onTestFinished(() => app.close());
    const headers = await headersOf(`${await app.listen({ port: 0, host: '127.0.0.1' })}/v1/event/stream`);
    expect([headers.get('x-own'), headers.get('x-left')]).toEqual(['a', null]);
    expect(headers.get('content-type')).toBe('application/json');
  });

  it.each([
    ['some of its own', 'X-Own', 'X-Own, X-Fenceline-Epoch'],
    ['none', undefined, 'X-Fenceline-Epoch'],
  ])('is joined in Hono with the names that the stream exposes: %s', async (_, own, expected) => {
    const app = new Hono();
    app.use(async (context, next) => {
      if (own !== undefined) context.header('Access-Control-Expose-Headers', own);
      await next();
    });
    app.get('/', honoEventStream({ broker: newBroker() }));
    const response = await app.request('/');
    expect(response.headers.get('access-control-expose-headers')).toBe(expected);
    await response.body?.cancel();
  });

  it('is left to the others in Koa, on every other path', async () => {
    const app = new Koa();
    app.use(koaEventStream({ broker: newBroker() }));
    app.use((context) => {
      context.body = 'other';
    });
    const server = createServer(app.callback()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await fetch(`${url}/other`)).text()).toBe('other');
    expect((await headersOf(`${url}/v1/event/stream`)).get('content-type')).toBe('application/json');
  });
});
