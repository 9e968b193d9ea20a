import { checkCounts } from '../../model/options.ts';

/** What a broker lets its clients take in all. Each is a whole number of at least 1. */
export interface BrokerLimits {
  /** Subscriptions that are open at once; one more is refused with `at_capacity`. Default 100,000. */
  readonly subscriptions?: number;
  /**
   * Places in which one subscription is found: its namespaces times its topics with their keys. More is a
   * `bad_request`. A place takes about 200 bytes, and a query of two kilobytes can ask for thousands. Default 10,000.
   */
  readonly placesPerRequest?: number;
  /** Places of all distinct filters that are open together; past it, `at_capacity`. Default 500,000, about 100 MB. */
  readonly placesInAll?: number;
  /** Chunks of 64 KiB that are read of a log's history at once; other readers wait their turn. Default 8. */
  readonly historyReads?: number;
}

export type CheckedLimits = Required<BrokerLimits>;

const defaults: CheckedLimits = {
  subscriptions: 100_000,
  placesPerRequest: 10_000,
  placesInAll: 500_000,
  historyReads: 8,
};

/** @throws TypeError for a limit that is not known or no whole number from 1 on */
export const checkLimits = (limits: BrokerLimits = {}): CheckedLimits =>
  checkCounts(limits, defaults, 'limits', 'a whole number, 1 or more');
