import { checkNumber, type NumberRule } from '../../model/numbers.ts';
import type { AclSource } from '../../acl/acl-resolver.ts';
import type { BufferOptions } from '../backlog/event-buffer.ts';
import type { FlushOptions } from '../delivery/flush-schedule.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../../model/clock.ts';
import { describe } from '../../model/describe.ts';
import { checkOptions, type OptionNames } from '../../model/options.ts';
import type { TopicMap, Topics } from '../../model/topics.ts';
import type { BrokerLimits } from './limits.ts';

/** How a broker is made. All of it is optional. */
export interface EventBrokerOptions<T extends TopicMap = TopicMap, Name extends string = string> {
  /** The topics that can be published and asked for. Default: any, each needing management. */
  readonly topics?: Topics<T, Name>;
  /** Resolves tokens. Default none: everybody may see everything. */
  readonly acl?: AclSource;
  readonly buffer?: BufferOptions;
  readonly flush?: FlushOptions;
  /** Where batches are kept beyond the process. Default: in the buffer alone. The host opens and closes it. */
  readonly log?: EventLog;
  /**
   * While the log is down: `'fail'` (default) refuses a publish at once, `'wait'` holds it (at most 1,024) until the
   * log is back.
   */
  readonly publishWhenDown?: 'fail' | 'wait';
  /** How long the ACL store may take, in ms, before what waits for it ends with `acl_unavailable`. Default 5,000. */
  readonly reauthorizeTimeoutMs?: number;
  /**
   * How long a transport may take nothing, in ms, before its stream ends with `slow`: its peer is gone without a word,
   * or does not read, and what it holds would stay. Default 60,000; Infinity for never.
   */
  readonly stalledMs?: number;
  /**
   * A stream's longest life, in ms, each a tenth more or less; then it ends with `rotate`, and its client goes on where
   * it was. For streams on a transport: what is read in process has no connection to move. Default Infinity: none.
   */
  readonly maxStreamMs?: number;
  /** What clients and publishers may take. */
  readonly limits?: BrokerLimits;
  /** The same as `limits.subscriptions`, which counts where both are given. */
  readonly maxSubscriptions?: number;
  readonly clock?: Clock;
  /** Spreads the ends of streams: from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

const knownOptions: OptionNames<EventBrokerOptions> = {
  topics: true,
  acl: true,
  buffer: true,
  flush: true,
  log: true,
  publishWhenDown: true,
  reauthorizeTimeoutMs: true,
  stalledMs: true,
  maxStreamMs: true,
  limits: true,
  maxSubscriptions: true,
  clock: true,
  random: true,
};

/** @throws TypeError for an option that is not known, or cannot be meant */
export function checkBroker(options: EventBrokerOptions): void {
  checkOptions(options, knownOptions, 'EventBroker');
  const { publishWhenDown = 'fail', acl, random = Math.random } = options;
  if (publishWhenDown !== 'fail' && publishWhenDown !== 'wait')
    throw new TypeError(`publishWhenDown must be 'fail' or 'wait'; got ${describe(publishWhenDown)}.`);
  if (typeof random !== 'function') throw new TypeError(`random must be a function; got ${describe(random)}.`);
  // Any value that is no source would be a broker that lets everybody see everything, or none that works.
  if (acl !== undefined && typeof (acl as Partial<AclSource> | null)?.resolve !== 'function')
    throw new TypeError(`acl must be an AclResolver, or have a function resolve; got ${describe(acl)}.`);
}

const atLeastOne: NumberRule = { allowed: 'a number ≥ 1', holds: (value) => value >= 1 };

/** @throws TypeError for what is no number, or one below 1 */
export function bound<Name extends string>(
  options: { readonly [K in Name]?: number },
  name: Name,
  byDefault: number,
): number {
  return checkNumber(name, options[name] ?? byDefault, atLeastOne);
}
