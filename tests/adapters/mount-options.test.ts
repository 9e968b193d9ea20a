import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { Acl, EventBroker } from 'fenceline';
import { fastifyEventStream, type FastifyEventStreamOptions } from 'fenceline/fastify';
import { fetchHandler, type FetchHandler } from 'fenceline/fetch';
import { honoEventStream } from 'fenceline/hono';
import { eventStreamHandler, type EventStreamHandlerOptions } from 'fenceline/http';
import { koaEventStream, type KoaEventStreamOptions } from 'fenceline/koa';
import { ndjsonStream } from 'fenceline/ndjson';
import { sseHandler, type SseHandlerOptions } from 'fenceline/sse';

const broker = new EventBroker();
const register = (options: object) =>
  fastifyEventStream({ route: () => undefined }, options as FastifyEventStreamOptions, () => undefined);

const mounts: readonly [string, (options: object) => unknown][] = [
  ['eventStreamHandler', (options) => eventStreamHandler(options as EventStreamHandlerOptions)],
  ['sseHandler', (options) => sseHandler(options as SseHandlerOptions)],
  ['koaEventStream', (options) => koaEventStream(options as KoaEventStreamOptions)],
  ['fastifyEventStream', register],
  ['fetchHandler', (options) => fetchHandler(options as never)],
  ['honoEventStream', (options) => honoEventStream(options as never)],
];

describe('the option writer', () => {
  it.each([
    ['eventStreamHandler', eventStreamHandler],
    ['sseHandler', sseHandler],
  ] as const)('of %s', (name, mount) => {
    expect(() => mount({ broker, writer: 'response' })).not.toThrow();
    if (name === 'eventStreamHandler')
      expect(() => mount({ broker, writer: 'socket' as never })).toThrow(
        new TypeError(`writer must be 'auto' or 'response'; got "socket".`),
      );
  });
});

describe.each(mounts)('%s', (name, mount) => {
  it.each([
    ['heartbeat', 'heartbeatMs'],
    ['compress', 'compression'],
    ['tokens', 'token'],
    ['brokers', 'broker'],
    ['acls', 'acl'],
    ['pins', 'pin'],
  ])('refuses the option %s at once, and names %s', (option, meant) => {
    expect(() => mount({ broker, [option]: 1 })).toThrow(`${name} has no option "${option}". Did you mean "${meant}"?`);
  });

  it.each<[string, object]>([
    ['no broker', {}],
    ['what is no broker', { broker: {} }],
    ['a heartbeat in words', { broker, heartbeatMs: '5s' }],
    ['a heartbeat below 0', { broker, heartbeatMs: -1 }],
    ['a word for compression', { broker, compression: 'gzip' }],
    ['a token that is no function', { broker, token: 's3cret' }],
    ['rights that are no function', { broker, acl: Acl.management }],
    ['a pin that is no function', { broker, pin: { namespace: 'acme' } }],
  ])('refuses %s at once', (_, options) => {
    expect(() => mount(options)).toThrow(TypeError);
  });

  it('refuses acl and token together, and says so', () => {
    const options = { broker, acl: () => Acl.management, token: () => 's3cret' };
    expect(() => mount(options)).toThrow(
      new TypeError(`${name} takes acl or token, one of them: both say whose rights count.`),
    );
  });

  it.each([
    ['token', 'a function that finds the secret in a request'],
    ['acl', 'a function that answers with the Acl of who sent a request'],
    ['pin', 'a function that answers with what is pinned for a request: { namespace, topics, scope }'],
  ])('says what %s must be, and of a secret in its place nothing', (option, what) => {
    const message = `${option} must be ${what}; got a value of type string.`;
    expect(() => mount({ broker, [option]: 's3cret' })).toThrow(new TypeError(message));
  });
});

describe('ndjsonStream', () => {
  it('refuses an option that it does not have', async () => {
    const subscription = await broker.subscribe();
    expect(() => ndjsonStream(subscription, { heartbeat: 5 } as never)).toThrow(/Did you mean "heartbeatMs"\?/);
    subscription.close();
  });
});

describe('Fastify', () => {
  it('may register the plugin with options of its own', () => {
    expect(register({ broker, prefix: '/api', logLevel: 'warn' })).toBeUndefined();
  });
});

describe('a handler on a Node response', () => {
  it('returns a promise that resolves when the answer has begun', async () => {
    const handle = eventStreamHandler({ broker });
    const begun: boolean[] = [];
    const server = createServer((request, response) => {
      void handle(request, response).then(() => begun.push(response.headersSent));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const controller = new AbortController();
    await fetch(url, { signal: controller.signal });
    expect(begun).toEqual([true]);
    expect((await fetch(`${url}?index=x`)).status).toBe(400);
    expect(begun).toEqual([true, true]);
    controller.abort();
  });

  it.each([
    ['a number', () => 7],
    ['an object', () => ({})],
    ['nothing that can be had', () => Promise.reject(new Error('the session store is down'))],
    [
      'a throw',
      () => {
        throw new Error('secret');
      },
    ],
  ])('answers 500, without a word of it, where token finds %s', async (_, token) => {
    const server = createServer(eventStreamHandler({ broker, token: token as () => string }));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.close().closeAllConnections());
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      Error: { Code: 'internal', Message: 'The server failed to serve this stream.', Retry: 'resume' },
    });
  });
});

describe('a page of another origin', () => {
  it('may read the epoch; what the host exposes beside it stays exposed', async () => {
    const handle = eventStreamHandler({ broker });
    const server = createServer((request, response) => {
      response.setHeader('Access-Control-Expose-Headers', 'X-Request-Id');
      void handle(request, response);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.close().closeAllConnections());
    const controller = new AbortController();
    const { headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      signal: controller.signal,
    });
    expect(headers.get('Access-Control-Expose-Headers')).toBe('X-Request-Id, X-Fenceline-Epoch');
    controller.abort();
  });
});

describe('the fetch mount', () => {
  it('lifts the idle limit of Bun for a stream, and for a stream alone', async () => {
    const lifted: [Request, number][] = [];
    const server = { timeout: (request: Request, seconds: number) => void lifted.push([request, seconds]) };
    const handle = fetchHandler({ broker });
    const request = new Request('http://localhost/');
    const response = await handle(request, server);
    expect(lifted).toEqual([[request, 0]]);
    await response.body?.cancel();
    await handle(new Request('http://localhost/?index=x'), server);
    expect(lifted).toHaveLength(1);
    // What other runtimes hand over beside the request.
    for (const other of [undefined, null, {}, { remoteAddr: {} }, { timeout: 5 }])
      await (await handle(request, other)).body?.cancel();
  });

  it('hands each reader bytes of its own: what one does to them, no other sees', async () => {
    const handle = fetchHandler({ broker, heartbeatMs: 0 });
    const readers = await Promise.all(
      [1, 2].map(async () => (await handle(new Request('http://localhost/?index=latest'))).body!.getReader()),
    );
    await broker.publish({ topic: 'Job', type: 'Made', key: 'a', payload: 1 });
    const [first, second] = [await readers[0]!.read(), await readers[1]!.read()];
    structuredClone(first.value, { transfer: [first.value!.buffer] });
    expect(first.value).toHaveLength(0);
    expect(Buffer.from(second.value!).toString()).toContain('"Key":"a"');
    for (const reader of readers) await reader.cancel();
  });
});

describe('the types of the mounts', () => {
  it('name all that a host has to name to wrap one', () => {
    expectTypeOf<ReturnType<typeof eventStreamHandler>>().returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf(fetchHandler).returns.toEqualTypeOf<FetchHandler>();
    expectTypeOf<EventStreamHandlerOptions['token']>().toBeNullable();
    expectTypeOf<(request: IncomingMessage) => string>().toExtend<
      NonNullable<EventStreamHandlerOptions['token']> | ((request: IncomingMessage) => string)
    >();
  });
});
