import { createServer, IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, Http2ServerRequest } from 'node:http2';
import { serve } from '@hono/node-server';
import compression from 'compression';
import express from 'express';
import { fastify, type FastifyRequest } from 'fastify';
import { Hono, type Context } from 'hono';
import Koa from 'koa';

import { fastifyEventStream } from '../../src/adapters/fastify.ts';
import { fetchHandler } from '../../src/adapters/fetch.ts';
import { honoEventStream } from '../../src/adapters/hono.ts';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { koaEventStream } from '../../src/adapters/koa.ts';
import type { StreamEndpointOptions, StreamSource } from '../../src/adapters/stream-endpoint.ts';
import type { Acl, SubscribePin } from '../../src/index.ts';
import { MountedServer } from './mounted-server.ts';

/** A header of a request, asked for in the words of the framework that it is the own of. */
export type HeaderOf = (name: string) => string | undefined;

/** What every mount is given. The host's functions get a look into the framework's own request. */
export interface MountOptions {
  readonly broker: StreamSource;
  readonly heartbeatMs?: number;
  readonly compression?: boolean;
  readonly token?: (header: HeaderOf) => string | undefined | Promise<string | undefined>;
  readonly acl?: (header: HeaderOf) => Acl | Promise<Acl>;
  readonly pin?: (header: HeaderOf) => SubscribePin | undefined | Promise<SubscribePin | undefined>;
}

/** One way to serve the stream. */
export interface Mount {
  readonly name: string;
  readonly protocol: 'http1' | 'http2';
  /** Where the stream is. */
  readonly path: string;
  start(options: MountOptions): Promise<MountedServer>;
}

const path = '/v1/event/stream';
const host = '127.0.0.1';

/** The options in terms of a framework's own request. */
function inWordsOf<Request>(
  { token, acl, pin, ...others }: MountOptions,
  header: (request: Request, name: string) => string | string[] | undefined,
): StreamEndpointOptions<Request> {
  const look = (request: Request) => (name: string) => header(request, name)?.toString();
  return {
    ...others,
    ...(token && { token: (request: Request) => token(look(request)) }),
    ...(acl && { acl: (request: Request) => acl(look(request)) }),
    ...(pin && { pin: (request: Request) => pin(look(request)) }),
  };
}

// Each asks in its framework's own way, which the request beneath it does not know.
export const forNode = (options: MountOptions) =>
  inWordsOf(options, (request: IncomingMessage | Http2ServerRequest, name) =>
    request instanceof IncomingMessage || request instanceof Http2ServerRequest ? request.headers[name] : undefined,
  );
const forExpress = (options: MountOptions) => inWordsOf(options, (req: express.Request, name) => req.get(name));
const forFastify = (options: MountOptions) =>
  inWordsOf(options, (request: FastifyRequest, name) =>
    request.routeOptions.url === path ? request.headers[name] : undefined,
  );
const forKoa = (options: MountOptions) => inWordsOf(options, (ctx: Koa.ParameterizedContext, name) => ctx.get(name));
const forHono = (options: MountOptions) => inWordsOf(options, (c: Context, name) => c.req.header(name));
const forFetch = (options: MountOptions) =>
  inWordsOf(options, (request: Request, name) => request.headers.get(name) ?? undefined);

function onServer(listener: (options: MountOptions) => RequestListener): Mount['start'] {
  return (options) => MountedServer.listening(createServer(listener(options)).listen(0, host));
}

export function onNode(listener: (options: StreamEndpointOptions<IncomingMessage>) => RequestListener): Mount['start'] {
  return onServer((options) => listener(forNode(options)));
}

function onExpress(name: string, at: string, mountOn: (app: express.Express, options: MountOptions) => void): Mount {
  const start = onServer((options) => {
    const app = express();
    mountOn(app, options);
    return app as RequestListener;
  });
  return { name, protocol: 'http1', path: at, start };
}

/** Has small answers too, which show that it compresses at all. */
function compress(app: express.Express): void {
  app.use(compression());
  app.get('/text', (_request, response) => void response.type('text').send('text '.repeat(1000)));
}

const onKoa = onServer((options) => {
  const app = new Koa();
  app.silent = true;
  app.use(koaEventStream(forKoa(options)));
  const handle = app.callback();
  return (request, response) => void handle(request, response);
});

async function onFastify(options: MountOptions): Promise<MountedServer> {
  const app = fastify();
  await app.register(fastifyEventStream, forFastify(options));
  const server = new MountedServer(app.server);
  await app.listen({ port: 0, host });
  return server;
}

function onFetch(fetch: (request: Request, env: object) => Response | Promise<Response>): Promise<MountedServer> {
  return MountedServer.listening(serve({ fetch, port: 0, hostname: host }));
}

function onHono(options: MountOptions): Promise<MountedServer> {
  const app = new Hono();
  app.all(path, honoEventStream(forHono(options)));
  return onFetch((request, env) => app.fetch(request, env));
}

export const mounts: readonly Mount[] = [
  { name: 'node:http', protocol: 'http1', path, start: onNode(eventStreamHandler) },
  {
    name: "node:http with writer 'response'",
    protocol: 'http1',
    path,
    start: onNode((options) => eventStreamHandler({ ...options, writer: 'response' })),
  },
  {
    name: 'node:http2',
    protocol: 'http2',
    path,
    start: (options) =>
      MountedServer.listening(createHttp2Server(eventStreamHandler(forNode(options))).listen(0, host)),
  },
  onExpress('Express', path, (app, options) => void app.all(path, eventStreamHandler(forExpress(options)))),
  onExpress('Express below a router', `/api${path}`, (app, options) => {
    const router = express.Router();
    router.use(path, eventStreamHandler(forExpress(options)));
    app.use('/api', router);
  }),
  onExpress('Express under compression', path, (app, options) => {
    compress(app);
    app.all(path, eventStreamHandler(forExpress(options)));
  }),
  { name: 'Fastify', protocol: 'http1', path, start: onFastify },
  { name: 'Koa', protocol: 'http1', path, start: onKoa },
  { name: 'Hono', protocol: 'http1', path, start: onHono },
  { name: 'fetch', protocol: 'http1', path, start: (options) => onFetch(fetchHandler(forFetch(options))) },
];

/** A host that takes `no-transform` back, so that the stream itself is compressed. */
export const compressedMount = onExpress('Express, the stream compressed', path, (app, options) => {
  compress(app);
  const handle = eventStreamHandler<express.Request>(forExpress(options));
  app.all(path, (request, response) => {
    const { writeHead } = response;
    response.writeHead = ((status: number, headers: Record<string, string>) =>
      writeHead.call(response, status, { ...headers, 'Cache-Control': 'no-cache' })) as typeof writeHead;
    void handle(request, response);
  });
});
