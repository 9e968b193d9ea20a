import type { Acl } from '../../acl/acl.ts';
import { BrokerError } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';
import { NamespaceFilter, type NamespaceInput } from '../matching/namespace-filter.ts';
import type { CheckedLimits } from './limits.ts';
import { checkIndex } from './publish-request.ts';
import { TopicFilter, type TopicsInput } from '../matching/topic-filter.ts';
import { checkOptions, type OptionNames } from '../../model/options.ts';
import type { Topics } from '../../model/topics.ts';

/** What a subscription asks for. */
export interface SubscribeOptions<Name extends string = string> {
  /** Default everything, which needs management where there are ACLs. */
  readonly topics?: TopicsInput<Name>;
  /** Default `'default'`. */
  readonly namespace?: NamespaceInput;
  /**
   * First index wanted, inclusive. `0` (default): the whole backlog; `'latest'`: only what comes. One past the newest
   * waits for it.
   */
  readonly index?: number | 'latest';
  /** The epoch that `index` is from, where it is known: another one is told as the gap `restarted`. */
  readonly epoch?: string;
  /** The token's secret. */
  readonly token?: string;
  /** Rights instead of a token: `Acl.management` for trusted code. */
  readonly acl?: Acl;
  /**
   * What to do where batches may be missing: `'continue'` (default) tells it with the next batch, `'fail'` ends the
   * subscription.
   */
  readonly onGap?: 'continue' | 'fail';
  /** Frees the subscription when aborted. */
  readonly signal?: AbortSignal;
}

export interface CheckedSubscribe {
  readonly filter: TopicFilter;
  readonly namespaces: NamespaceFilter;
  readonly index: number | 'latest';
  readonly epoch: string | undefined;
  readonly token: string | undefined;
  readonly acl: Acl | undefined;
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
  onGap: true,
  signal: true,
};

/**
 * @throws TypeError for an option that is not known; BrokerError `bad_request` naming the option and what is allowed;
 * the signal's reason when it is aborted
 */
export function checkSubscribe(options: SubscribeOptions, topics: Topics, limits: CheckedLimits): CheckedSubscribe {
  checkOptions<SubscribeOptions>(options, knownOptions, 'subscribe');
  const { index = 0, epoch, token, acl, onGap = 'continue', signal } = options;
  signal?.throwIfAborted();
  const filter = TopicFilter.from(options.topics);
  const namespaces = NamespaceFilter.from(options.namespace);
  // Before anything is done for them: a short query can ask for many.
  checkPlaces(filter, namespaces, limits);
  for (const name of filter.topics) topics.checkKnown(name, 'topic');
  if (onGap !== 'continue' && onGap !== 'fail')
    throw new BrokerError('bad_request', `onGap must be "continue" or "fail"; got ${describe(onGap)}.`);
  if (token !== undefined && typeof token !== 'string') throw new BrokerError('bad_request', 'token must be a string.');
  return {
    filter,
    namespaces,
    index: index === 'latest' ? index : checkIndex(index, 'index', 0),
    epoch,
    token,
    acl,
    failOnGap: onGap === 'fail',
    signal,
  };
}

function checkPlaces(filter: TopicFilter, namespaces: NamespaceFilter, { placesPerRequest }: CheckedLimits): void {
  const places = filter.size * namespaces.names.length;
  if (places <= placesPerRequest) return;
  throw new BrokerError(
    'bad_request',
    `A subscription may ask for at most ${placesPerRequest} pairs of namespace and topic, not ${places}.`,
  );
}
