import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Subscription } from '../core/delivery/subscription.ts';
import type { OptionNames } from '../model/options.ts';
import { chunkedFormat, frameBytes, rawSocketOf } from './chunked.ts';
import { whenGone } from './gone.ts';
import { whenItsTurn } from './pipelining.ts';
import { ResponseSink, SocketSink, type NodeResponse } from './response-sink.ts';
import {
  answerStreamRequest,
  endpointOptions,
  type StreamAnswer,
  type StreamEndpointOptions,
} from './stream-endpoint.ts';
import { EXPOSE_HEADERS, withExposed, type PlainAnswer } from './stream-response.ts';

/** A request of `node:http`, or of `node:http2`'s compatibility API; Express and Connect hand on the first. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** What the mounts on a Node response take. `Request` is what the framework hands its own handlers. */
export interface EventStreamHandlerOptions<Request = NodeRequest> extends StreamEndpointOptions<Request> {
  /**
   * `'auto'` (default): over plain HTTP/1.1, chunks are framed once for all readers and written to the socket.
   * `'response'`: always the response's own `write`. What the client gets is the same.
   */
  readonly writer?: 'auto' | 'response';
}

/** The options of the mounts on a Node response. */
export const nodeOptions: OptionNames<EventStreamHandlerOptions<never>> = { ...endpointOptions, writer: true };

/** Resolves when the answer has begun, or is over; never rejects. */
export type EventStreamHandler<Request = NodeRequest> = (request: Request, response: NodeResponse) => Promise<void>;

/**
 * What all mounts on a Node response share; each checks its options before.
 * @returns a handler that takes, beside Node's request and response, the framework's own for the host's functions
 */
export function nodeHandler<Own>(
  options: EventStreamHandlerOptions<Own>,
): (request: NodeRequest, response: NodeResponse, own: Own) => Promise<void> {
  return async (request, response, own) => {
    try {
      await serve(options, request, response, own);
    } catch {
      // Past the answer it is the response's own failure: a middleware's `writeHead` that throws.
      response.destroy();
    }
  };
}

async function serve<Own>(
  options: EventStreamHandlerOptions<Own>,
  request: NodeRequest,
  response: NodeResponse,
  own: Own,
): Promise<void> {
  // A response behind another one on its connection is not written to, nor told that the connection closes: nothing is
  // subscribed for it.
  if (!(await whenItsTurn(request, response))) return;
  let subscription: Subscription | undefined = undefined;
  const isGone = whenGone(response as ServerResponse, () => subscription?.close());
  if (isGone()) return;
  const answer = await answerStreamRequest(options, {
    own,
    method: request.method ?? 'GET',
    // Express strips the path that it was mounted on and keeps the query.
    url: request.url ?? '/',
    header: (name) => request.headers[name],
  });
  if ('stream' in answer) subscription = answer.stream.subscription;
  if (isGone()) return subscription?.close();
  if ('stream' in answer) sendStream(options, response as ServerResponse, answer.stream);
  else sendPlain(response, answer.plain);
}

/** Writes an answer that is no stream. */
export function sendPlain(to: NodeResponse, { status, headers, body }: PlainAnswer): void {
  const response = to as ServerResponse;
  response.writeHead(status, withExposed(headers, response.getHeader(EXPOSE_HEADERS)));
  response.end(body);
}

function sendStream(
  { writer }: Pick<EventStreamHandlerOptions, 'writer'>,
  response: ServerResponse,
  { subscription, headers, format, options, compressor }: StreamAnswer,
): void {
  response.writeHead(200, withExposed(headers, response.getHeader(EXPOSE_HEADERS)));
  response.flushHeaders?.();
  const onDrain = (): void => subscription.delivery?.drained();
  const socket = writer === 'response' ? undefined : rawSocketOf(response);
  const sink = socket ? new SocketSink(response, socket, onDrain) : new ResponseSink(response, onDrain);
  if (compressor) subscription.deliverTo(compressor.before(sink, format, socket && frameBytes), format, options);
  else subscription.deliverTo(sink, socket ? chunkedFormat(format) : format, options);
}
