import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Subscription } from '../core/delivery/subscription.ts';
import { chunkedFormat, rawSocketOf } from './chunked.ts';
import { ResponseSink, SocketSink, type NodeResponse } from './response-sink.ts';
import {
  answerStreamRequest,
  checkEndpoint,
  type StreamAnswer,
  type StreamEndpointOptions,
} from './stream-endpoint.ts';
import type { PlainAnswer } from './stream-response.ts';
import { tokenFromHeaders } from './token.ts';

export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';
export type { NodeResponse } from './response-sink.ts';

/** A request of `node:http`, or of `node:http2`'s compatibility API; Express and Connect hand on the first. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

export interface EventStreamHandlerOptions extends StreamEndpointOptions<NodeRequest> {
  /**
   * `'auto'` (default): over plain HTTP/1.1, chunks are framed once for all readers and written to the socket.
   * `'response'`: always the response's own `write`. What the client gets is the same.
   */
  readonly writer?: 'auto' | 'response';
}

/**
 * Serves a broker's event stream, whatever the path it is mounted on, to `node:http`, `node:http2` (compatibility API),
 * Express and Connect.
 *
 * ```ts
 * http.createServer(eventStreamHandler({ broker })).listen(4646);
 * app.get('/v1/event/stream', eventStreamHandler({ broker }));
 * ```
 * @throws TypeError for an option that is out of its range
 */
export function eventStreamHandler(
  options: EventStreamHandlerOptions,
): (request: NodeRequest, response: NodeResponse) => void {
  checkEndpoint(options);
  // What fails past the answer is the response's own: a middleware's `writeHead` that throws.
  return (request, response) => void serve(options, request, response).catch(() => response.destroy());
}

async function serve(options: EventStreamHandlerOptions, request: NodeRequest, response: NodeResponse): Promise<void> {
  let subscription: Subscription | undefined = undefined;
  const isGone = onceGone(request, response as ServerResponse, () => subscription?.close());
  if (isGone()) return;
  const answer = await answerStreamRequest(options, {
    method: request.method ?? 'GET',
    // Express strips the path that it was mounted on and keeps the query.
    url: request.url ?? '/',
    header: (name) => request.headers[name],
    token: () => (options.token ? options.token(request) : tokenFromHeaders((name) => request.headers[name])),
  });
  if ('stream' in answer) subscription = answer.stream.subscription;
  if (isGone()) return subscription?.close();
  if ('stream' in answer) sendStream(options, response as ServerResponse, answer.stream);
  else sendPlain(response as ServerResponse, answer.plain);
}

/**
 * Calls when nobody reads the response any more. An AbortSignal would do it too, for a kilobyte with each stream.
 * @returns whether that is so, be it since before the handler was called; or the host has answered otherwise
 */
function onceGone(request: NodeRequest, response: ServerResponse, call: () => void): () => boolean {
  let isGone = false;
  const onGone = (): void => {
    isGone = true;
    call();
  };
  // The response's close: the request's may never come once its body was read. Not `once`, which costs each stream two
  // objects more.
  response.on('close', onGone);
  response.on('error', onGone);
  // Behind another response on its connection it has no socket yet, and would not hear that the connection closes.
  if (response.socket === null && !isOver(response)) onceSocketGone(request.socket, response, onGone);
  return () => isGone || isOver(response) || (response.socket === null && request.socket.destroyed);
}

function onceSocketGone(socket: Socket, response: ServerResponse, onGone: () => void): void {
  socket.once('close', onGone);
  response.once('close', () => socket.off('close', onGone));
}

/** Its client is gone, or the host has answered otherwise. */
function isOver(response: ServerResponse & { readonly stream?: Http2Stream | undefined }): boolean {
  return response.destroyed || response.writableEnded || response.headersSent || response.stream?.destroyed === true;
}

function sendPlain(response: ServerResponse, { status, headers, body }: PlainAnswer): void {
  response.writeHead(status, headers);
  response.end(body);
}

function sendStream(
  { writer }: EventStreamHandlerOptions,
  response: ServerResponse,
  { subscription, headers, format, options }: StreamAnswer,
): void {
  response.writeHead(200, headers);
  response.flushHeaders?.();
  const onDrain = (): void => subscription.delivery?.drained();
  const socket = writer === 'response' ? undefined : rawSocketOf(response);
  const sink = socket ? new SocketSink(response, socket, onDrain) : new ResponseSink(response, onDrain);
  subscription.deliverTo(sink, socket ? chunkedFormat(format) : format, options);
}
