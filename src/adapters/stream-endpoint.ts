import type { Acl } from '../acl/acl.ts';
import { checkHeartbeatMs, defaultHeartbeatMs, type DeliveryOptions } from '../core/delivery/delivery.ts';
import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import type { SubscribePin } from '../core/broker/pin.ts';
import type { SubscribeOptions } from '../core/broker/subscribe-request.ts';
import type { StreamFormat } from '../core/batch/stream-format.ts';
import type { Subscription } from '../core/delivery/subscription.ts';
import { acceptsGzip, gzipCompressor, type Compressor } from './compression/compressor.ts';
import { accepts, headerValue, type HeaderLookUp } from './header.ts';
import { ndjsonFormat } from './ndjson-format.ts';
import { parseLastEventId, sseFormat } from './sse-format.ts';
import { parseStreamRequest } from './stream-request.ts';
import { allowedMethods, errorAnswer, streamHeaders, type PlainAnswer } from './stream-response.ts';
import { tokenFromHeaders } from './token.ts';

/** As much of a broker as the endpoint needs: one of any topics will do. */
export interface StreamSource {
  subscribe(options: SubscribeOptions<never>): Promise<Subscription>;
}

/**
 * What every mount of the endpoint takes. `Request` is what the framework hands its own handlers: Express's `req`,
 * Fastify's `request`, Koa's `ctx`, Hono's `c`, a fetch `Request`.
 *
 * ```ts
 * eventStreamHandler({ broker, acl: (req) => rightsOf(req), pin: (req) => ({ namespace: req.params.tenant }) });
 * ```
 *
 * TypeScript 5.9 and newer know what `req` is from where the handler stands; older ones are told: `(req:
 * express.Request) => …`. `token`, `acl` and `pin` have the broker's `reauthorizeTimeoutMs` to answer. What they throw,
 * the client is not told; the host is, by the notification `denied`.
 */
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
   * `true`: streams are compressed with gzip for who accepts it. What readers have in common is compressed once for all
   * of them. A topic can forbid it for its streams (`compression: false` in `defineTopics`). Default false. Needs
   * `node:zlib`: Node, Bun, Deno.
   */
  readonly compression?: boolean;
  // Methods, since TypeScript compares their parameters both ways: where a framework says only in the end what its
  // request is, as Express does, a handler would else be refused.
  /**
   * Finds the token's secret in a request: a cookie, a session, a client certificate. Default: the headers
   * `X-Nomad-Token` and `Authorization: Bearer`. A failure, or an answer that is no text, is a `500`.
   */
  token?(request: Request): string | undefined | Promise<string | undefined>;
  /**
   * Answers with the rights of who sent a request; then no token is looked for. It is asked again, with that same
   * request, after each change that its last answer depends on: a cookie in it must be verified anew each time. It
   * denies by throwing an `AclDenial` (`403`, or the end with `acl_revoked`); another failure, or an answer that is no
   * Acl, is `acl_unavailable`. Not beside `token`.
   */
  acl?(request: Request): Acl | Promise<Acl>;
  /**
   * What the host has decided, whatever the query says: who asks for something else gets a `403`, who asks for nothing
   * gets this. Nothing is pinned where it answers with undefined. Like `acl`, it is asked again after each change that
   * the rights depend on. A failure, or an answer that is no pin, is a `500`.
   */
  pin?(request: Request): SubscribePin | undefined | Promise<SubscribePin | undefined>;
}

/** The options that every mount has. */
export const endpointOptions: OptionNames<StreamEndpointOptions<never>> = {
  broker: true,
  heartbeatMs: true,
  format: true,
  compression: true,
  token: true,
  acl: true,
  pin: true,
};

/** The options that are the host's functions of a request, and what each does. */
const hostFunctions = {
  token: 'finds the secret in a request',
  acl: 'answers with the Acl of who sent a request',
  pin: 'answers with what is pinned for a request: { namespace, topics, scope }',
} as const;

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
  const { broker, heartbeatMs = defaultHeartbeatMs, format = 'accept' } = (options ?? {}) as Partial<O>;
  if (typeof broker?.subscribe !== 'function')
    throw new TypeError(`${where} needs a broker: { broker: new EventBroker() }; got ${describe(broker)}.`);
  checkHeartbeatMs(heartbeatMs);
  if (!['accept', 'ndjson', 'sse'].includes(format))
    throw new TypeError(`format must be 'accept', 'ndjson' or 'sse'; got ${describe(format)}.`);
  checkCompression(options.compression);
  checkHostFunctions(options, where);
}

function checkCompression(compression: unknown = false): void {
  if (typeof compression !== 'boolean')
    throw new TypeError(`compression must be true or false; got ${describe(compression)}.`);
  // It fails here, where the mount is made, and not with the first request.
  if (compression) gzipCompressor();
}

/** Says the kind alone of what was given: it may be a secret. */
export function checkHostFunctions(
  options: Partial<Pick<StreamEndpointOptions<never>, keyof typeof hostFunctions>>,
  where: string,
): void {
  for (const [name, deed] of Object.entries(hostFunctions)) {
    const given: unknown = options[name as keyof typeof hostFunctions];
    if (given !== undefined && typeof given !== 'function')
      throw new TypeError(`${name} must be a function that ${deed}; got a value of type ${typeof given}.`);
  }
  if (options.acl && options.token)
    throw new TypeError(`${where} takes acl or token, one of them: both say whose rights count.`);
}

/** A request, as far as the endpoint looks at it. */
export interface EndpointRequest<Own> {
  /** The framework's own: what the host's functions are asked with. */
  readonly own: Own;
  readonly method: string;
  /** Path and query, or a whole URL. */
  readonly url: string;
  readonly header: HeaderLookUp;
  /** Aborted when the client is gone; left out where the mount closes the subscription itself. */
  readonly signal?: AbortSignal;
}

/** A stream to be written. */
export interface StreamAnswer {
  readonly subscription: Subscription;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: StreamFormat;
  readonly options: DeliveryOptions;
  /** What its bytes go through before they are written, if anything. */
  readonly compressor: Compressor | undefined;
}

/** Either a stream, or an answer that is complete. */
export type EndpointAnswer = { readonly stream: StreamAnswer } | { readonly plain: PlainAnswer };

/**
 * The endpoint without a server: checks the method, reads the query, subscribes, and says what to answer. Never throws:
 * whatever fails is an answer. Every mount is a translation of this.
 */
export async function answerStreamRequest<Own>(
  endpoint: StreamEndpointOptions<Own>,
  request: EndpointRequest<Own>,
): Promise<EndpointAnswer> {
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

async function openStream<Own>(
  endpoint: StreamEndpointOptions<Own>,
  request: EndpointRequest<Own>,
): Promise<StreamAnswer> {
  const { broker, format, heartbeatMs } = endpoint;
  const { topics, bookmarks, lastEventId, ...start } = parseStreamRequest(request.url);
  const isSse = format === 'sse' || (format !== 'ndjson' && acceptsEvents(headerValue(request.header, 'accept')));
  const asked: SubscribeOptions = {
    ...start,
    ...(isSse ? resumePoint(request, lastEventId, start.state === true) : {}),
    ...(topics.length > 0 ? { topics } : {}),
    ...saidByHost(endpoint, request),
    ...(request.signal ? { signal: request.signal } : {}),
  };
  // Names of topics come from a query and from the host alike: the broker checks them.
  const subscription = await broker.subscribe(asked as SubscribeOptions<never>);
  const compressor = compressorFor(endpoint, request, subscription);
  const options = {
    bookmarks,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(compressor && { beatsTogether: true }),
  };
  const answer = written(subscription, isSse);
  const headers = { ...answer.headers, ...encodingHeaders(endpoint.compression, compressor) };
  return { ...answer, subscription, options, headers, compressor };
}

function compressorFor(
  { compression }: Pick<StreamEndpointOptions<never>, 'compression'>,
  { header }: Pick<EndpointRequest<unknown>, 'header'>,
  subscription: Subscription,
): Compressor | undefined {
  const isAsked = compression === true && acceptsGzip(headerValue(header, 'accept-encoding'));
  return isAsked && subscription.mayBeCompressed ? gzipCompressor() : undefined;
}

/** A cache between must not hand to one what another accepts: also where this one is not compressed. */
function encodingHeaders(compression = false, compressor?: Compressor): Readonly<Record<string, string>> {
  return {
    ...(compression && { Vary: 'Accept-Encoding' }),
    ...(compressor && { 'Content-Encoding': 'gzip' }),
  };
}

/** Closed over the request: the broker asks, and knows no requests. */
export function saidByHost<Own>(
  endpoint: Pick<StreamEndpointOptions<Own>, keyof typeof hostFunctions>,
  request: Pick<EndpointRequest<Own>, 'own' | 'header'>,
): Pick<SubscribeOptions, 'token' | 'acl' | 'pin'> {
  const { pin } = endpoint;
  return { ...credentialOf(endpoint, request), ...(pin && { pin: () => pin.call(endpoint, request.own) }) };
}

/**
 * With `acl` no header is looked at: what a client sends along must not stand beside the rights that the host gives.
 */
export function credentialOf<Own>(
  endpoint: Pick<StreamEndpointOptions<Own>, 'acl' | 'token'>,
  { own, header }: Pick<EndpointRequest<Own>, 'own' | 'header'>,
): Pick<SubscribeOptions, 'token' | 'acl'> {
  const { acl, token } = endpoint;
  if (acl) return { acl: () => acl.call(endpoint, own) };
  if (token) return { token: () => token.call(endpoint, own) };
  const secret = tokenFromHeaders(header);
  return secret === undefined ? {} : { token: secret };
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
const acceptsEvents = (header: string | undefined): boolean => accepts(header, 'text/event-stream');

/**
 * A browser that reconnects says by itself what it got last; that counts more than the query, which is the same each
 * time.
 */
function resumePoint(
  request: EndpointRequest<unknown>,
  inQuery: string | undefined,
  isState: boolean,
): { readonly epoch: string; readonly index: number } | undefined {
  const inHeader = headerValue(request.header, 'last-event-id');
  if (inHeader) return parseLastEventId(inHeader, 'Header Last-Event-ID', isState);
  return inQuery === undefined ? undefined : parseLastEventId(inQuery, 'Parameter lastEventId', isState);
}

/** What a GET would answer, without its stream. */
function headAnswer({ subscription, headers }: StreamAnswer): PlainAnswer {
  subscription.close();
  return { status: 200, headers, body: '' };
}
