import type { Acl } from '../../acl/acl.ts';
import type { AclFunction, Credential } from '../../acl/session.ts';
import { BrokerError } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';
import { parseMark, type StateMark } from '../backlog/state-mark.ts';
import type { NamespaceInput } from '../matching/namespace-filter.ts';
import type { AskHost } from './host-answers.ts';
import type { CheckedLimits } from './limits.ts';
import { withinPin, type SubscribePin } from './pin.ts';
import { checkIndex } from './publish-request.ts';
import type { Scope, ScopedRequest } from './rights-view.ts';
import type { TopicsInput } from '../matching/topic-filter.ts';
import { checkOptions, type OptionNames } from '../../model/options.ts';
import { limitError } from '../../model/limit-error.ts';
import type { Topics } from '../../model/topics.ts';

/** What a subscription asks for. */
export interface SubscribeOptions<Name extends string = string> {
  /** Default everything, which needs management where there are ACLs. */
  readonly topics?: TopicsInput<Name>;
  /** Default `'default'`; with `scope: 'allowed'` all: `'*'`. */
  readonly namespace?: NamespaceInput;
  /**
   * First index wanted, inclusive. `0` (default): the whole backlog; `'latest'`: only what comes. One past the newest
   * waits for it.
   */
  readonly index?: number | 'latest';
  /**
   * The state first: of topics with `retain: 'latest'` the newest event of each key, from `index` on, then a batch with
   * `current: true`, then what comes. Topics that are not retained are read from now on, or from `index` where one is
   * given. However slow it reads, it gets the newest of each key, and no gap as long as what it missed is remembered.
   * Default false. Not with `index: 'latest'`.
   */
  readonly state?: boolean;
  /** With `state`, to resume: which state `index` belongs to. From `Subscription.mark`. */
  readonly mark?: string | undefined;
  /** The epoch that `index` is from, where it is known: another one is told as the gap `restarted`. */
  readonly epoch?: string;
  /** The token's secret, or a function that finds it: it is asked once. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>);
  /**
   * Rights instead of a token: an Acl (`Acl.management` for trusted code), or a function that answers with one. The
   * function is asked again after each change that its last answer depends on, and the stream waits at the change until
   * it has answered. It denies by throwing an `AclDenial`; whatever else it throws, or an answer that is no Acl, ends
   * the stream with `acl_unavailable`.
   */
  readonly acl?: Acl | AclFunction;
  /**
   * What becomes of a request that is not allowed in all its parts. `'all'` (default): it is refused. `'allowed'`: the
   * stream holds what is allowed, also after the rights have changed, from the change's index on; it ends when nothing
   * is left.
   */
  readonly scope?: Scope;
  /**
   * What the host has decided, whatever else is asked for; or a function that answers with it. Like rights, it is asked
   * again after each change that the rights depend on, and the answer counts from the change on.
   */
  readonly pin?: SubscribePin<Name> | (() => SubscribePin<Name> | undefined | Promise<SubscribePin<Name> | undefined>);
  /**
   * What to do where batches may be missing: `'continue'` (default) tells it with the next batch, `'fail'` ends the
   * subscription.
   */
  readonly onGap?: 'continue' | 'fail';
  /** Frees the subscription when aborted. */
  readonly signal?: AbortSignal;
}

/** A request that was checked as far as it can be before rights are asked for. */
export interface CheckedSubscribe {
  /** What is asked for, within the pin: asked anew each time, where the host left that to a function. */
  readonly scoped: ScopedRequest | (() => Promise<ScopedRequest>);
  readonly index: number | 'latest';
  readonly isState: boolean;
  readonly mark: StateMark | undefined;
  readonly epoch: string | undefined;
  readonly credential: Credential;
  readonly failOnGap: boolean;
  readonly signal: AbortSignal | undefined;
}

const knownOptions: OptionNames<SubscribeOptions> = {
  topics: true,
  namespace: true,
  index: true,
  epoch: true,
  token: true,
  acl: true,
  scope: true,
  pin: true,
  state: true,
  mark: true,
  onGap: true,
  signal: true,
};

/** What a request is checked with. */
export interface RequestParts {
  readonly topics: Topics;
  readonly limits: CheckedLimits;
  readonly ask: AskHost;
}

/**
 * Asks for the token where the host left that to a function; a request of plain options is checked in the same turn.
 * @throws TypeError for an option that is not known, one of the host's that is none, or two of which one counts;
 * BrokerError `bad_request` naming the option and what is allowed, `permission_denied` for what lies outside the pin,
 * `internal` for a pin or a token that is none; the signal's reason when it is aborted
 */
export function checkSubscribe(
  options: SubscribeOptions,
  parts: RequestParts,
): CheckedSubscribe | Promise<CheckedSubscribe> {
  checkOptions<SubscribeOptions>(options, knownOptions, 'subscribe');
  checkCredentials(options);
  options.signal?.throwIfAborted();
  const request = { ...checkStart(options), scoped: scopedBy(options, parts) };
  const { acl, token } = options;
  if (typeof token !== 'function') return { ...request, credential: acl ?? token };
  return parts.ask(token).then((found) => ({ ...request, credential: checkFound(found) }));
}

/** What is asked for now. */
export function askScoped({ scoped }: CheckedSubscribe): ScopedRequest | Promise<ScopedRequest> {
  return typeof scoped === 'function' ? scoped() : scoped;
}

function scopedBy(options: SubscribeOptions, { topics, limits, ask }: RequestParts): CheckedSubscribe['scoped'] {
  const { pin, ...asked } = options;
  const within = (pin: SubscribePin | undefined): ScopedRequest => {
    const scoped = withinPin(asked, pin, topics);
    // Before anything is done for them: a short query can ask for many.
    checkPlaces(scoped, limits);
    return scoped;
  };
  return typeof pin === 'function' ? () => ask(pin).then(within) : within(pin);
}

function checkCredentials({ acl, token }: SubscribeOptions): void {
  if (acl !== undefined && token !== undefined)
    throw new TypeError('subscribe takes acl or token, one of them: both say whose rights count.');
  // Whatever is no rights would be a subscription with none, or one with a token's.
  if (acl !== undefined && typeof acl !== 'function' && typeof (acl as Partial<Acl> | null)?.meets !== 'function')
    throw new TypeError(`acl must be an Acl, or a function that answers with one; got ${describe(acl)}.`);
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function')
    throw new BrokerError('bad_request', 'token must be a string.');
}

function checkStart({
  index = 0,
  epoch,
  state = false,
  mark,
  onGap = 'continue',
  signal,
}: SubscribeOptions): Omit<CheckedSubscribe, 'scoped' | 'credential'> {
  if (onGap !== 'continue' && onGap !== 'fail')
    throw new BrokerError('bad_request', `onGap must be "continue" or "fail"; got ${describe(onGap)}.`);
  if (typeof state !== 'boolean')
    throw new BrokerError('bad_request', `state must be true or false; got ${describe(state)}.`);
  if (state && index === 'latest')
    throw new BrokerError('bad_request', 'state needs an index: 0 for all of it, or one to go on from; got "latest".');
  if (mark !== undefined && !state) throw new BrokerError('bad_request', 'mark needs state.');
  return {
    isState: state,
    mark: mark === undefined ? mark : parseMark(mark),
    index: index === 'latest' ? index : checkIndex(index, 'index', 0),
    epoch,
    failOnGap: onGap === 'fail',
    signal,
  };
}

/** What a host finds is its own: a value that is no secret is its mistake, which the client hears nothing of. */
function checkFound(token: string | undefined): string | undefined {
  if (token === undefined || typeof token === 'string') return token;
  throw BrokerError.from(new TypeError(`token must find a text or undefined; got ${describe(token)}.`));
}

function checkPlaces({ filter, namespaces }: ScopedRequest, limits: CheckedLimits): void {
  const { topicsPerRequest, placesPerRequest } = limits;
  if (filter.size > topicsPerRequest) {
    const most = `at most ${topicsPerRequest} topics with their keys`;
    throw limitError('topicsPerRequest', `A subscription may ask for ${most}, not ${filter.size}.`);
  }
  const places = filter.size * namespaces.names.length;
  if (places <= placesPerRequest) return;
  throw limitError(
    'placesPerRequest',
    `A subscription may ask for at most ${placesPerRequest} pairs of namespace and topic, not ${places}.`,
  );
}
