import { BrokerError } from '../core/errors.ts';
import type { SubscribeOptions } from '../core/subscribe-request.ts';
import type { StreamFormat } from '../core/stream-format.ts';
import type { Subscription } from '../core/subscription.ts';
import { ndjsonFormat } from './ndjson-format.ts';
import { parseLastEventId, sseFormat } from './sse-format.ts';
import { parseStreamRequest } from './stream-request.ts';
import { allowedMethods, errorAnswer, streamHeaders, type PlainAnswer } from './stream-response.ts';

/** As much of a broker as the endpoint needs: one of any topics will do. */
export interface StreamSource {
  subscribe(options: SubscribeOptions<never>): Promise<Subscription>;
}

/** What every mount of the endpoint takes. `Request` is the server's own. */
export interface StreamEndpointOptions<Request> {
  /** The broker, whatever its topics. */
  readonly broker: StreamSource;
  /** Time between heartbeats in ms. Default 30,000; 0 for none. */
  readonly heartbeatMs?: number;
  /** Finds the token's secret in a request: a cookie, a session, a client certificate. Default: the headers `X-Nomad-Token` and `Authorization: Bearer`. */
  readonly token?: (request: Request) => string | undefined | Promise<string | undefined>;
}

/** A request, as far as the endpoint looks at it. */
export interface EndpointRequest {
  readonly method: string;
  /** Path and query, or a whole URL. */
  readonly url: string;
  /** Looks up a header by its lower-case name. */
  header(name: string): string | readonly string[] | null | undefined;
  token(): string | undefined | Promise<string | undefined>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** A stream to be written. */
export interface StreamAnswer {
  readonly subscription: Subscription;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: StreamFormat;
  readonly bookmarks: boolean;
}

/** Either a stream, or an answer that is complete. */
export type EndpointAnswer = { readonly stream: StreamAnswer } | { readonly plain: PlainAnswer };

/**
 * The endpoint without a server: checks the method, reads the query, subscribes, and says what to answer. Never throws: whatever fails is an answer.
 * Every mount is a translation of this.
 */
export async function answerStreamRequest(broker: StreamSource, request: EndpointRequest): Promise<EndpointAnswer> {
  try {
    switch (request.method) {
      case 'GET':
        return { stream: await openStream(broker, request) };
      case 'HEAD':
        return { plain: headAnswer(await openStream(broker, request)) };
      case 'OPTIONS':
        return { plain: { status: 204, headers: { Allow: allowedMethods }, body: '' } };
      default:
        throw new BrokerError(
          'method_not_allowed',
          `Method ${request.method} is not allowed here; allowed: ${allowedMethods}.`,
        );
    }
  } catch (error) {
    return { plain: errorAnswer(BrokerError.from(error)) };
  }
}

async function openStream(broker: StreamSource, request: EndpointRequest): Promise<StreamAnswer> {
  const { topics, bookmarks, ...options } = parseStreamRequest(request.url);
  const isSse = accepts(request, 'text/event-stream');
  const resumed = isSse ? resumePoint(request) : undefined;
  const token = await request.token();
  const subscription = await broker.subscribe({
    ...options,
    ...resumed,
    ...(topics.length > 0 ? { topics: topics as readonly never[] } : {}),
    ...(token === undefined ? {} : { token }),
    signal: request.signal,
  });
  const format = isSse ? sseFormat(subscription.epoch) : ndjsonFormat;
  const headers = streamHeaders(isSse ? 'text/event-stream' : 'application/json', subscription.epoch);
  return { subscription, headers, format, bookmarks };
}

function accepts(request: EndpointRequest, type: string): boolean {
  return one(request.header('accept'))?.toLowerCase().includes(type) ?? false;
}

/** A browser that reconnects says by itself what it got last; that counts more than the query, which is the same each time. */
function resumePoint(request: EndpointRequest): { readonly epoch: string; readonly index: number } | undefined {
  const id = one(request.header('last-event-id'));
  return id ? parseLastEventId(id) : undefined;
}

function one(value: string | readonly string[] | null | undefined): string | undefined {
  return (typeof value === 'string' ? value : value?.[0]) ?? undefined;
}

/** What a GET would answer, without its stream. */
function headAnswer({ subscription, headers }: StreamAnswer): PlainAnswer {
  subscription.close();
  return { status: 200, headers, body: '' };
}
