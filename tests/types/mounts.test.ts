import http, { type IncomingMessage } from 'node:http';
import http2, { type Http2ServerRequest } from 'node:http2';
import express from 'express';
import { fastify, type FastifyRequest } from 'fastify';
import { Hono, type Context } from 'hono';
import Koa from 'koa';
import { describe, expectTypeOf, it } from 'vitest';
import { Acl, EventBroker } from 'fenceline';
import { fastifyEventStream } from 'fenceline/fastify';
import { fetchHandler } from 'fenceline/fetch';
import { honoEventStream } from 'fenceline/hono';
import { eventStreamHandler, type EventStreamHandler, type NodeRequest } from 'fenceline/http';
import { koaEventStream } from 'fenceline/koa';
import { sseHandler } from 'fenceline/sse';

const broker = new EventBroker();
const rights = (): Acl => Acl.management;
const path = '/v1/event/stream';

/** Checked by the compiler, and never run. */
export function mustNotCompile(): void {
  // @ts-expect-error an option that does not exist
  express().get(path, eventStreamHandler({ broker, acls: rights }));
  // @ts-expect-error an acl that answers with none
  express().get(path, eventStreamHandler({ broker, acl: () => 'alice' }));
  // @ts-expect-error rights themselves, not a function
  new Koa().use(koaEventStream({ broker, acl: Acl.management }));
  // @ts-expect-error a pin that answers with what cannot be pinned
  new Hono().get(path, honoEventStream({ broker, pin: () => ({ index: 7 }) }));
  // @ts-expect-error a scope that does not exist
  void fetchHandler({ broker, pin: () => ({ scope: 'some' }) });
  // @ts-expect-error what Express adds, where there is no Express
  http.createServer(eventStreamHandler({ broker, token: (request) => request.ip }));
  // @ts-expect-error the same, in words
  http.createServer(eventStreamHandler<express.Request>({ broker }));
}

describe('the request that a host’s functions are handed', () => {
  it('is Express’s, with the parameters of the route', () => {
    const app = express();
    app.get(path, eventStreamHandler({ broker, acl: (req) => (req.get('cookie') === req.ip ? rights() : rights()) }));
    app.all(
      '/:tenant/events',
      eventStreamHandler({
        broker,
        token: (req) => req.get('x-session'),
        pin: (req) => {
          expectTypeOf(req).toEqualTypeOf<express.Request<{ tenant: string }>>();
          return { namespace: req.params.tenant };
        },
      }),
    );
    const acl = (req: express.Request): Acl => (req.secure ? rights() : rights());
    app.use(path, eventStreamHandler({ broker, acl: (req) => acl(req) }));
    express.Router().get(path, eventStreamHandler({ broker, acl }));
    app.get('/sse', sseHandler({ broker, acl: (req) => acl(req) }));
  });

  it('is Express’s by a type argument, where no place says so', () => {
    const handler = eventStreamHandler<express.Request>({
      broker,
      token: (req) => {
        expectTypeOf(req).toEqualTypeOf<express.Request>();
        return req.get('x-session');
      },
    });
    expectTypeOf(handler).toEqualTypeOf<EventStreamHandler<express.Request>>();
    express().get('/:tenant/events', handler);
    express().use(sseHandler<express.Request>({ broker, token: (req) => req.get('x-session') }));
  });

  it('is Node’s on node:http and on node:http2, and either where no place says so', () => {
    http.createServer(eventStreamHandler({ broker }));
    http2.createServer(eventStreamHandler({ broker }));
    http.createServer(
      eventStreamHandler({ broker, acl: (req) => (expectTypeOf(req).toEqualTypeOf<IncomingMessage>(), rights()) }),
    );
    http2.createServer(
      eventStreamHandler({ broker, acl: (req) => (expectTypeOf(req).toEqualTypeOf<Http2ServerRequest>(), rights()) }),
    );
    const handler = eventStreamHandler({
      broker,
      acl: (req) => (expectTypeOf(req).toEqualTypeOf<NodeRequest>(), rights()),
    });
    http.createServer((request, response) => void handler(request, response));
    http2.createServer(handler);
    express().use(handler);
  });

  it('is Fastify’s', () => {
    const app = fastify();
    void app.register(fastifyEventStream, { broker });
    void app.register(fastifyEventStream, {
      broker,
      prefix: '/api',
      acl: (request) => (expectTypeOf(request).toEqualTypeOf<FastifyRequest>(), rights()),
      pin: (request) => ({ namespace: request.hostname }),
    });
  });

  it('is Koa’s context, with the host’s own state', () => {
    new Koa().use(koaEventStream({ broker, token: (ctx) => ctx.cookies.get('session') }));
    new Koa<{ tenant: string }>().use(
      koaEventStream({
        broker,
        acl: async (ctx) => (await Promise.resolve(ctx.cookies.get('session')), rights()),
        pin: (ctx) => {
          expectTypeOf(ctx.state).toEqualTypeOf<{ tenant: string }>();
          return { namespace: ctx.state.tenant };
        },
      }),
    );
  });

  it('is Hono’s context, with the host’s own variables', () => {
    interface Host {
      Variables: { user: string };
    }
    const app = new Hono<Host>();
    app.get(
      '/:tenant/events',
      honoEventStream({
        broker,
        acl: (c) => {
          expectTypeOf(c).toExtend<Context<Host, '/:tenant/events'>>();
          expectTypeOf(c.get('user')).toEqualTypeOf<string>();
          return Acl.fromRules([], { accessorId: c.get('user') });
        },
        pin: (c) => ({ namespace: c.req.param('tenant') }),
      }),
    );
    app.all(path, honoEventStream({ broker, token: (c) => c.req.header('x-session') }));
    app.use(path, honoEventStream({ broker }));
  });

  it('is the Request itself where fetch is spoken', () => {
    fetchHandler({ broker, acl: (request) => (expectTypeOf(request).toEqualTypeOf<Request>(), rights()) });
  });
});
