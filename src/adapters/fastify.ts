import type { IncomingMessage, ServerResponse } from 'node:http';

// Its type alone, which the build takes away. A project without Fastify that checks the declarations of its packages
// would have an error here; one that expects an error would have it where there is Fastify.
/* oxlint-disable-next-line typescript/ban-ts-comment */
/** @ts-ignore */
import type { FastifyRequest } from 'fastify';
import { nodeHandler, nodeOptions, type EventStreamHandlerOptions } from './node-handler.ts';
import type { OptionNames } from '../model/options.ts';
import { checkEndpoint } from './stream-endpoint.ts';

export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

/** As much of Fastify as the plugin needs. */
export interface FastifyHost {
  route(route: {
    method: string[];
    url: string;
    exposeHeadRoute: boolean;
    handler(request: { readonly raw: IncomingMessage }, reply: FastifyReplyHost): void;
  }): unknown;
}

export interface FastifyReplyHost {
  readonly raw: ServerResponse;
  /** What hooks have set, CORS among it. */
  getHeaders(): Readonly<Record<string, string | number | readonly string[] | undefined>>;
  hijack(): unknown;
}

export interface FastifyEventStreamOptions extends EventStreamHandlerOptions<FastifyRequest> {
  /** Where the stream is. Default `/v1/event/stream`. */
  readonly path?: string;
}

/** What a plugin is registered with belongs to Fastify too. */
const ofFastify = { prefix: true, logLevel: true, logSerializers: true, exposeHeadRoute: true } as const;
const knownOptions: OptionNames<FastifyEventStreamOptions> = { ...nodeOptions, path: true, ...ofFastify };

/**
 * A Fastify plugin. Hooks run before the stream opens (`onRequest`, `preHandler`), and the headers that they set are
 * sent.
 *
 * ```ts
 * const app = fastify();
 * await app.register(fastifyEventStream, { broker, acl: (request) => rightsOf(request.user) });
 * app.addHook('preClose', () => broker.close()); // else app.close() waits until the clients leave
 * ```
 */
export function fastifyEventStream(
  host: FastifyHost,
  options: FastifyEventStreamOptions,
  done: (error?: Error) => void,
): void {
  checkEndpoint(options, 'fastifyEventStream', knownOptions);
  const handle = nodeHandler(options);
  host.route({
    method: ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: options.path ?? '/v1/event/stream',
    exposeHeadRoute: false,
    handler(request, reply) {
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      // It is that: the host's interface names the few members that are used here.
      void handle(request.raw, reply.raw, request as FastifyRequest);
    },
  });
  done();
}
