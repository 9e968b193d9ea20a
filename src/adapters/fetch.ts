import type { ServerResponse } from 'node:http';
import type { ByteSink } from '../core/delivery/byte-sink.ts';
import {
  answerStreamRequest,
  checkEndpoint,
  endpointOptions,
  type StreamAnswer,
  type StreamEndpointOptions,
} from './stream-endpoint.ts';
import { answerOperatorRequest, checkOperator, type OperatorHandlerOptions } from './operator-endpoint.ts';
import { whenItsTurn } from './pipelining.ts';
import type { ReportRequest } from './report-endpoint.ts';
import { endSoon } from './response-sink.ts';
import type { PlainAnswer } from './stream-response.ts';
import { answerTopicsRequest, checkTopicsHandler, type TopicsHandlerOptions } from './topics-endpoint.ts';

export type { OperatorHandlerOptions, OperatorSource } from './operator-endpoint.ts';
export type { OperatorReport, ReportSource } from './operator-report.ts';
export type { StreamEndpointOptions, StreamSource } from './stream-endpoint.ts';
export type { TopicsHandlerOptions, TopicsReport, TopicsSource } from './topics-endpoint.ts';

/**
 * What may wait for a slow peer, in bytes, before its subscription reads on from its position instead. One chunk may
 * come on top.
 */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * @param server what the runtime hands a handler beside the request: Bun its server, Deno what it knows of the
 * connection
 */
export type FetchHandler = (request: Request, server?: unknown) => Promise<Response>;

/**
 * Serves a broker's event stream to whatever speaks fetch: Bun, Deno, a Durable Object, Hono. On Workers see
 * docs/runtimes.md.
 *
 * ```ts
 * Bun.serve({ fetch: fetchHandler({ broker }) });
 * Deno.serve(fetchHandler({ broker, acl: (request) => rightsOf(request.headers.get('cookie')) }));
 * ```
 * @throws TypeError for an option that is not known or out of its range
 */
export function fetchHandler(options: StreamEndpointOptions<Request>): FetchHandler {
  checkEndpoint(options, 'fetchHandler', endpointOptions);
  const handle = fetchServer(options);
  return (request, server) => handle(request, server, request);
}

/**
 * `operatorHandler` of `fenceline/http`, for whatever speaks fetch.
 * @throws TypeError for an option that is not known or out of its range
 */
export function operatorFetchHandler(
  options: OperatorHandlerOptions<Request>,
): (request: Request) => Promise<Response> {
  checkOperator(options, 'operatorFetchHandler');
  return async (request) => plainResponse(await answerOperatorRequest(options, reportRequestOf(request)));
}

/**
 * `topicsHandler` of `fenceline/http`, for whatever speaks fetch.
 * @throws TypeError for an option that is not known or out of its range
 */
export function topicsFetchHandler(options: TopicsHandlerOptions<Request>): (request: Request) => Promise<Response> {
  checkTopicsHandler(options, 'topicsFetchHandler');
  return async (request) => plainResponse(await answerTopicsRequest(options, reportRequestOf(request)));
}

function reportRequestOf(request: Request): ReportRequest<Request> {
  const { method, url, headers } = request;
  return { own: request, method, url, header: (name) => headers.get(name) };
}

/**
 * What all mounts that speak fetch share; each checks its options before.
 * @internal
 * @returns a handler that takes, beside what the runtime hands it, the framework's own for the host's functions
 */
export function fetchServer<Own>(
  options: StreamEndpointOptions<Own>,
): (request: Request, server: unknown, own: Own) => Promise<Response> {
  return async (request, server, own) => {
    const node = nodeBehind(server);
    if (node && !(await whenItsTurn(node.incoming, node.outgoing))) return new Response(null, { status: 499 });
    const answer = await answerStreamRequest(options, {
      own,
      method: request.method,
      url: request.url,
      header: (name) => request.headers.get(name),
      ...(!isDeno(server) && { signal: request.signal }),
    });
    if ('plain' in answer) return plainResponse(answer.plain);
    liftIdleLimit(server, request);
    return streamResponse(answer.stream, node?.outgoing);
  };
}

/** What a bridge from Node stands between. */
interface NodeBehind {
  readonly incoming: object;
  readonly outgoing: ServerResponse;
}

/**
 * Bridges from Node hand on what they bridge: a pipelined request waits there, and a peer that does not read the end is
 * let go, as on Node itself.
 */
function nodeBehind(server: unknown): NodeBehind | undefined {
  const { incoming, outgoing } = (server ?? {}) as { incoming?: unknown; outgoing?: unknown };
  if (typeof incoming !== 'object' || typeof outgoing !== 'object' || incoming === null || outgoing === null)
    return undefined;
  return { incoming, outgoing: outgoing as ServerResponse };
}

/**
 * Deno warns on stderr of a handler that listens to a request's signal, since that is aborted at the end of every
 * answer. That a client has left, its body tells as well. `completed` is looked for, not read: it may be a promise that
 * rejects.
 */
function isDeno(server: unknown): boolean {
  return typeof server === 'object' && server !== null && 'completed' in server && 'remoteAddr' in server;
}

/**
 * Bun cuts a response that was silent for ten seconds, unless its server is told not to: a heartbeat comes later than
 * that.
 */
function liftIdleLimit(server: unknown, request: Request): void {
  const { timeout } = (server ?? {}) as { timeout?: unknown };
  if (typeof timeout === 'function') timeout.call(server, request, 0);
}

function plainResponse({ status, headers, body }: PlainAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers });
}

function streamResponse({ headers, ...answer }: StreamAnswer, outgoing: ServerResponse | undefined): Response {
  const source = new StreamBody(answer, outgoing);
  const limits = { highWaterMark: MAX_WAITING_BYTES, size: (chunk: Uint8Array) => chunk.byteLength };
  return new Response(new ReadableStream(source, limits), { status: 200, headers });
}

/** Where a subscription is written to and a body is read from. */
class StreamBody implements ByteSink, UnderlyingDefaultSource<Uint8Array> {
  readonly #answer: Omit<StreamAnswer, 'headers'>;
  /** What a bridge writes the body to. */
  readonly #outgoing: ServerResponse | undefined;
  /** Until it has ended or was cancelled. */
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(answer: Omit<StreamAnswer, 'headers'>, outgoing: ServerResponse | undefined) {
    this.#answer = answer;
    this.#outgoing = outgoing;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    const { subscription, format, options, compressor } = this.#answer;
    subscription.deliverTo(compressor?.before(this, format) ?? this, format, options);
  }

  pull(): void {
    this.#answer.subscription.delivery?.drained();
  }

  cancel(): void {
    this.#controller = undefined;
    this.#answer.subscription.close();
  }

  /** Who reads the body may write to a chunk, or transfer its buffer: it gets its own, or others would see it. */
  write(chunk: Uint8Array): boolean {
    this.#controller?.enqueue(new Uint8Array(chunk));
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  end(last?: Uint8Array): Promise<void> | undefined {
    if (last) this.#controller?.enqueue(last);
    this.#controller?.close();
    this.#controller = undefined;
    return this.#outgoing && endSoon(this.#outgoing);
  }
}
