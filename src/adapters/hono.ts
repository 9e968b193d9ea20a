import { fetchHandler } from './fetch.ts';
import type { StreamEndpointOptions } from './stream-endpoint.ts';

export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

/** As much of Hono's context as the handler needs. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
}

/**
 * A Hono handler, for Node and for fetch runtimes.
 *
 * ```ts
 * const app = new Hono();
 * app.all('/v1/event/stream', honoEventStream({ broker }));
 * ```
 */
export function honoEventStream(options: StreamEndpointOptions<Request>): (context: HonoContext) => Promise<Response> {
  const handle = fetchHandler(options);
  return ({ req }) => handle(req.raw);
}
