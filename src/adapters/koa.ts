import type { InPlace } from '../model/in-place.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { nodeHandler, nodeOptions, type EventStreamHandlerOptions } from './node-handler.ts';
import { checkEndpoint } from './stream-endpoint.ts';

export type { InPlace } from '../model/in-place.ts';
export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

/** As much of Koa's context as the middleware needs. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly path: string;
  respond?: boolean | undefined;
}

export interface KoaEventStreamOptions<Context = KoaContext> extends EventStreamHandlerOptions<Context> {
  /** Where the stream is. Default `/v1/event/stream`; other paths go to the next middleware. */
  readonly path?: string;
}

/**
 * A Koa middleware.
 *
 * ```ts
 * const app = new Koa();
 * app.use(koaEventStream({ broker, acl: (ctx) => rightsOf(ctx.cookies.get('session')) }));
 * ```
 * @throws TypeError for an option that is not known or out of its range
 */
export function koaEventStream<Context extends KoaContext>(
  options: InPlace<KoaEventStreamOptions<Context>, Context>,
): (context: Context, next: () => Promise<unknown>) => Promise<unknown> {
  checkEndpoint<KoaEventStreamOptions<Context>>(options, 'koaEventStream', { ...nodeOptions, path: true });
  const { path = '/v1/event/stream' } = options;
  const handle = nodeHandler<Context>(options);
  return async (context, next) => {
    if (context.path !== path) return next();
    // The response is written past Koa, which would wait for the end of a body.
    context.respond = false;
    context.res.statusCode = 200;
    await handle(context.req, context.res, context);
    return undefined;
  };
}
