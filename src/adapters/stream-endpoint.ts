import { checkHeartbeatMs, defaultHeartbeatMs, type DeliveryOptions } from '../core/delivery/delivery.ts';
import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import type { SubscribeOptions } from '../core/broker/subscribe-request.ts';
import type { StreamFormat } from '../core/batch/stream-format.ts';
import type { Subscription } from '../core/delivery/subscription.ts';
import { headerValue, type HeaderLookUp } from './header.ts';
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
  /** Time between heartbeats in ms. Default 15,000; 0 for none. */
  readonly heartbeatMs?: number;
  /**
   * `'accept'` (default): server-sent events for who accepts `text/event-stream` by name, ndjson for everybody else.
   * Else always that one.
   */
  readonly format?: 'accept' | 'ndjson' | 'sse';
  /**
   * Finds the token's secret in a request: a cookie, a session, a client certificate. Default: the headers
   * `X-Nomad-Token` and `Authorization: Bearer`.
   */
  readonly token?: (request: Request) => string | undefined | Promise<string | undefined>;
}

/** What of the options concerns every request alike. */
export type Endpoint = Pick<StreamEndpointOptions<never>, 'broker' | 'format' | 'heartbeatMs'>;

/** The options that every mount has. */
export const endpointOptions: OptionNames<StreamEndpointOptions<never>> = {
  broker: true,
  heartbeatMs: true,
  format: true,
  token: true,
};

/**
 * Once, where the endpoint is made, and not with each request.
 * @param where the mount's function, for the message
 * @param known the options that it has
 * @throws TypeError for an option that is not known or out of its range
 */
export function checkEndpoint<O extends StreamEndpointOptions<never>>(
  options: O,
  where: string,
  known: OptionNames<O>,
): void {
  checkOptions(options, known, where);
  const { broker, heartbeatMs = defaultHeartbeatMs, format = 'accept', token } = (options ?? {}) as Partial<O>;
  if (typeof broker?.subscribe !== 'function')
    throw new TypeError(`${where} needs a broker: { broker: new EventBroker() }; got ${describe(broker)}.`);
  checkHeartbeatMs(heartbeatMs);
  if (!['accept', 'ndjson', 'sse'].includes(format))
    throw new TypeError(`format must be 'accept', 'ndjson' or 'sse'; got ${describe(format)}.`);
  if (token !== undefined && typeof token !== 'function')
    throw new TypeError(`token must be a function that finds the secret in a request; got ${describe(token)}.`);
}

/** A request, as far as the endpoint looks at it. */
export interface EndpointRequest {
  readonly method: string;
  /** Path and query, or a whole URL. */
  readonly url: string;
  readonly header: HeaderLookUp;
  token(): string | undefined | Promise<string | undefined>;
  /** Aborted when the client is gone; left out where the mount closes the subscription itself. */
  readonly signal?: AbortSignal;
}

/** A stream to be written. */
export interface StreamAnswer {
  readonly subscription: Subscription;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: StreamFormat;
  readonly options: DeliveryOptions;
}

/** Either a stream, or an answer that is complete. */
export type EndpointAnswer = { readonly stream: StreamAnswer } | { readonly plain: PlainAnswer };

/**
 * The endpoint without a server: checks the method, reads the query, subscribes, and says what to answer. Never throws:
 * whatever fails is an answer. Every mount is a translation of this.
 */
export async function answerStreamRequest(endpoint: Endpoint, request: EndpointRequest): Promise<EndpointAnswer> {
  try {
    switch (request.method) {
      case 'GET':
        return { stream: await openStream(endpoint, request) };
      case 'HEAD':
        return { plain: headAnswer(await openStream(endpoint, request)) };
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

async function openStream({ broker, format, heartbeatMs }: Endpoint, request: EndpointRequest): Promise<StreamAnswer> {
  const { topics, bookmarks, lastEventId, ...start } = parseStreamRequest(request.url);
  const isSse = format === 'sse' || (format !== 'ndjson' && acceptsEvents(headerValue(request.header, 'accept')));
  const resumed = isSse ? resumePoint(request, lastEventId) : undefined;
  const token = checkToken(await request.token());
  const subscription = await broker.subscribe({
    ...start,
    ...resumed,
    ...(topics.length > 0 ? { topics: topics as readonly never[] } : {}),
    ...(token === undefined ? {} : { token }),
    ...(request.signal ? { signal: request.signal } : {}),
  });
  const options = { bookmarks, ...(heartbeatMs === undefined ? {} : { heartbeatMs }) };
  return { subscription, options, ...written(subscription, isSse) };
}

function written(subscription: Subscription, isSse: boolean): Pick<StreamAnswer, 'headers' | 'format'> {
  const { epoch } = subscription;
  try {
    return isSse
      ? { headers: streamHeaders('text/event-stream', epoch), format: sseFormat(epoch) }
      : { headers: streamHeaders('application/json', epoch), format: ndjsonFormat };
  } catch (error) {
    subscription.close();
    throw error;
  }
}

/**
 * Whether `Accept` names server-sent events (RFC 9110, section 12.5.1); a wildcard does not, or curl would get them.
 */
function acceptsEvents(accept: string | undefined): boolean {
  const range = accept?.split(',').find((one) => /^\s*text\/event-stream\s*(;|$)/i.test(one));
  return range !== undefined && !/;\s*q=0(\.0*)?\s*(;|$)/i.test(range);
}

/** What a host finds is its own: a value that is no secret is its mistake, which the client hears nothing of. */
function checkToken(token: string | undefined): string | undefined {
  if (token === undefined || typeof token === 'string') return token;
  throw new TypeError(`token must find a text or undefined; got ${describe(token)}.`);
}

/**
 * A browser that reconnects says by itself what it got last; that counts more than the query, which is the same each
 * time.
 */
function resumePoint(
  request: EndpointRequest,
  inQuery: string | undefined,
): { readonly epoch: string; readonly index: number } | undefined {
  const inHeader = headerValue(request.header, 'last-event-id');
  if (inHeader) return parseLastEventId(inHeader, 'Header Last-Event-ID');
  return inQuery === undefined ? undefined : parseLastEventId(inQuery, 'Parameter lastEventId');
}

/** What a GET would answer, without its stream. */
function headAnswer({ subscription, headers }: StreamAnswer): PlainAnswer {
  subscription.close();
  return { status: 200, headers, body: '' };
}
