import type { DeliveryOptions } from '../core/delivery.ts';
import type { ByteSink } from '../core/stream-format.ts';
import { answerStreamRequest, type StreamAnswer, type StreamEndpointOptions } from './stream-endpoint.ts';
import type { PlainAnswer } from './stream-response.ts';
import { tokenFromHeaders } from './token.ts';

/** What may wait for a slow peer, in bytes, before its subscription reads on from its position instead. One chunk may come on top. */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * Serves a broker's event stream to whatever speaks fetch: Bun, Deno, edge runtimes, Hono.
 *
 * ```ts
 * Bun.serve({ fetch: fetchHandler({ broker }) });
 * Deno.serve(fetchHandler({ broker }));
 * ```
 */
export function fetchHandler(options: StreamEndpointOptions<Request>): (request: Request) => Promise<Response> {
  return async (request) => {
    const answer = await answerStreamRequest(options.broker, {
      method: request.method,
      url: request.url,
      header: (name) => request.headers.get(name),
      token: () => (options.token ? options.token(request) : tokenFromHeaders((name) => request.headers.get(name))),
      signal: request.signal,
    });
    return 'plain' in answer ? plainResponse(answer.plain) : streamResponse(answer.stream, options.heartbeatMs);
  };
}

function plainResponse({ status, headers, body }: PlainAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers });
}

function streamResponse(answer: StreamAnswer, heartbeatMs: number | undefined): Response {
  const { subscription, headers, bookmarks, format } = answer;
  const options: DeliveryOptions = { bookmarks, ...(heartbeatMs === undefined ? {} : { heartbeatMs }) };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => void subscription.deliverTo(new ControllerSink(controller), format, options),
      pull: () => subscription.delivery?.drained(),
      cancel: () => subscription.close(),
    },
    { highWaterMark: MAX_WAITING_BYTES, size: (chunk) => chunk.byteLength },
  );
  return new Response(body, { status: 200, headers });
}

class ControllerSink implements ByteSink {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller;
  }

  write(chunk: Uint8Array): boolean {
    this.#controller.enqueue(chunk);
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  end(last?: Uint8Array): void {
    // A stream that was cancelled is closed already; its subscription ends for that.
    if (this.#controller.desiredSize === null) return;
    if (last) this.#controller.enqueue(last);
    this.#controller.close();
  }
}
