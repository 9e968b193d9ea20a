import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventStreamHandler, type EventStreamHandlerOptions } from './http.ts';

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

export interface FastifyEventStreamOptions extends EventStreamHandlerOptions {
  /** Where the stream is. Default `/v1/event/stream`. */
  readonly path?: string;
}

/**
 * A Fastify plugin. Hooks run before the stream opens (`onRequest`, `preHandler`), and the headers that they set are
 * sent.
 *
 * ```ts
 * const app = fastify();
 * await app.register(fastifyEventStream, { broker });
 * app.addHook('preClose', () => broker.close()); // else app.close() waits until the clients leave
 * ```
 */
export function fastifyEventStream(
  host: FastifyHost,
  options: FastifyEventStreamOptions,
  done: (error?: Error) => void,
): void {
  const handle = eventStreamHandler(options);
  host.route({
    method: ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: options.path ?? '/v1/event/stream',
    exposeHeadRoute: false,
    handler(request, reply) {
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      handle(request.raw, reply.raw);
    },
  });
  done();
}
