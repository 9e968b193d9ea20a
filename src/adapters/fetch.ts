import type { DeliveryOptions } from '../core/delivery/delivery.ts';
import type { ByteSink } from '../core/delivery/byte-sink.ts';
import type { StreamFormat } from '../core/batch/stream-format.ts';
import type { Subscription } from '../core/delivery/subscription.ts';
import {
  answerStreamRequest,
  checkEndpoint,
  type StreamAnswer,
  type StreamEndpointOptions,
} from './stream-endpoint.ts';
import type { PlainAnswer } from './stream-response.ts';
import { tokenFromHeaders } from './token.ts';

export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';

/**
 * What may wait for a slow peer, in bytes, before its subscription reads on from its position instead. One chunk may
 * come on top.
 */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * Serves a broker's event stream to whatever speaks fetch: Bun, Deno, edge runtimes, Hono.
 *
 * ```ts
 * Bun.serve({ fetch: fetchHandler({ broker }) });
 * Deno.serve(fetchHandler({ broker }));
 * ```
 * @throws TypeError for an option that is out of its range
 */
export function fetchHandler(options: StreamEndpointOptions<Request>): (request: Request) => Promise<Response> {
  checkEndpoint(options);
  return async (request) => {
    const answer = await answerStreamRequest(options, {
      method: request.method,
      url: request.url,
      header: (name) => request.headers.get(name),
      token: () => (options.token ? options.token(request) : tokenFromHeaders((name) => request.headers.get(name))),
      signal: request.signal,
    });
    return 'plain' in answer ? plainResponse(answer.plain) : streamResponse(answer.stream);
  };
}

function plainResponse({ status, headers, body }: PlainAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers });
}

function streamResponse({ subscription, headers, format, options }: StreamAnswer): Response {
  const source = new StreamBody(subscription, format, options);
  const limits = { highWaterMark: MAX_WAITING_BYTES, size: (chunk: Uint8Array) => chunk.byteLength };
  // Not a byte stream: that takes the chunk's buffer away, which other streams share.
  return new Response(new ReadableStream(source, limits), { status: 200, headers });
}

/** Where a subscription is written to and a body is read from. */
class StreamBody implements ByteSink, UnderlyingDefaultSource<Uint8Array> {
  readonly #subscription: Subscription;
  readonly #format: StreamFormat;
  readonly #options: DeliveryOptions;
  /** Until it has ended or was cancelled. */
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(subscription: Subscription, format: StreamFormat, options: DeliveryOptions) {
    this.#subscription = subscription;
    this.#format = format;
    this.#options = options;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#subscription.deliverTo(this, this.#format, this.#options);
  }

  pull(): void {
    this.#subscription.delivery?.drained();
  }

  cancel(): void {
    this.#controller = undefined;
    this.#subscription.close();
  }

  write(chunk: Uint8Array): boolean {
    this.#controller?.enqueue(chunk);
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  end(last?: Uint8Array): void {
    if (last) this.#controller?.enqueue(last);
    this.#controller?.close();
    this.#controller = undefined;
  }
}
