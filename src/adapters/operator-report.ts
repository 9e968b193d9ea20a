import type { BrokerStats } from '../core/broker/broker-stats.ts';
import type { SubscriptionInfo } from '../core/broker/subscription-info.ts';
import type { SubscriptionCondition } from '../core/delivery/subscription-condition.ts';
import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';

/** What an operator sees of a broker, as JSON. Holds no secret, claim or payload. */
export interface OperatorReport {
  readonly stats: BrokerStats;
  /** How many streams there are: all, or all of the accessor that was asked for. */
  readonly streams: number;
  /** How many of them stand how; what none does is not in it. */
  readonly states: Readonly<Partial<Record<SubscriptionCondition, number>>>;
  /** Bytes that the peers of all of them have not taken yet. */
  readonly waitingBytes: number;
  /** The first of them, those first that are furthest behind. `streams` says how many there are. */
  readonly shown: readonly SubscriptionInfo[];
}

/** As much of a broker as a report needs. */
export interface ReportSource {
  stats(): BrokerStats;
  subscriptions(): readonly SubscriptionInfo[];
}

export interface ReportRequest {
  /** Only the streams of this accessor. */
  readonly accessor: string | undefined;
  readonly limit: number;
}

/** @throws BrokerError `bad_request` that names the parameter and what is allowed */
export function parseReportRequest(url: string, maxStreams: number): ReportRequest {
  const start = url.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : url.slice(start));
  const limit = query.get('limit') ?? String(maxStreams);
  if (!/^[1-9]\d{0,8}$/.test(limit))
    throw new BrokerError('bad_request', `Parameter limit must be a whole number, 1 or more; got ${describe(limit)}.`);
  return { accessor: query.get('accessor') ?? undefined, limit: Math.min(Number(limit), maxStreams) };
}

/** Cost: a look at each open stream, and sorting those that are asked for. */
export function reportOf(source: ReportSource, { accessor, limit }: ReportRequest): OperatorReport {
  const streams = source.subscriptions().filter((one) => accessor === undefined || one.accessorId === accessor);
  const states: Partial<Record<SubscriptionCondition, number>> = {};
  let waitingBytes = 0;
  for (const stream of streams) {
    states[stream.state] = (states[stream.state] ?? 0) + 1;
    waitingBytes += stream.waitingBytes ?? 0;
  }
  const shown = streams.toSorted(byTrouble).slice(0, limit);
  return { stats: source.stats(), streams: streams.length, states, waitingBytes, shown };
}

function byTrouble(one: SubscriptionInfo, other: SubscriptionInfo): number {
  return other.lag - one.lag || (other.waitingBytes ?? 0) - (one.waitingBytes ?? 0) || one.since - other.since;
}
