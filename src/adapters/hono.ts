import type { InPlace } from '../model/in-place.ts';
import { fetchServer } from './fetch.ts';
import { checkEndpoint, endpointOptions, type StreamEndpointOptions } from './stream-endpoint.ts';
import { EXPOSE_HEADERS, withExposed } from './stream-response.ts';

export type { InPlace } from '../model/in-place.ts';
export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

/** As much of Hono's context as the handler needs. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  /** What middleware has set so far. */
  readonly res: Response;
  /** What the runtime hands beside the request: Bun its server. */
  readonly env: unknown;
  header(name: string, value: string): void;
}

/**
 * A Hono handler, for Node and for fetch runtimes.
 *
 * ```ts
 * const app = new Hono();
 * app.all('/v1/event/stream', honoEventStream({ broker, acl: (c) => rightsOf(c.get('user')) }));
 * ```
 * @throws TypeError for an option that is not known or out of its range
 */
export function honoEventStream<Context extends HonoContext>(
  options: InPlace<StreamEndpointOptions<Context>, Context>,
): (context: Context) => Promise<Response> {
  checkEndpoint<StreamEndpointOptions<Context>>(options, 'honoEventStream', endpointOptions);
  const handle = fetchServer<Context>(options);
  return async (context) => {
    const response = await handle(context.req.raw, serverOf(context.env), context);
    exposeToo(context, response);
    return response;
  };
}

/** Hono puts what middleware has set over a handler's own headers: the two lists of exposed names become one there. */
function exposeToo(context: HonoContext, response: Response): void {
  const [own, others] = [response.headers.get(EXPOSE_HEADERS), context.res.headers.get(EXPOSE_HEADERS)];
  if (own === null || others === null) return;
  const exposed = withExposed({ [EXPOSE_HEADERS]: own }, others)[EXPOSE_HEADERS];
  if (exposed !== undefined) context.header(EXPOSE_HEADERS, exposed);
}

/** On Bun the environment is the server itself, or holds it. */
function serverOf(env: unknown): unknown {
  return (env as { readonly server?: unknown } | undefined)?.server ?? env;
}
