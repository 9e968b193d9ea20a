import { checkCounts } from '../../model/numbers.ts';

/**
 * What a broker lets its clients and publishers take. Each is a whole number of at least 1. What is refused for one of
 * them is told by the notification `refused`, and counted in `stats().refused`.
 */
export interface BrokerLimits {
  /** Subscriptions that are open at once; one more is refused with `at_capacity`. Default 100,000. */
  readonly subscriptions?: number;
  /**
   * Those among them of one accessor: of one token, or of all Acls with one `accessorId`. One more is refused with
   * `at_capacity`; those that are open stay. So one user cannot take what all share. Who has no accessor is not counted
   * here: no ACLs, no token, an Acl without `accessorId`. To count those too, give them one: the address they come
   * from, for example. Default 1,000.
   */
  readonly subscriptionsPerToken?: number;
  /** Topics with their keys in one request, `Job:a` and `Job:b` being two. More is a `bad_request`. Default 1,000. */
  readonly topicsPerRequest?: number;
  /**
   * Places in which one subscription is found: its namespaces times its topics with their keys. More is a
   * `bad_request`. A place takes about 200 bytes, and a query of two kilobytes can ask for thousands. Default 10,000.
   */
  readonly placesPerRequest?: number;
  /** Places of all distinct filters that are open together; past it, `at_capacity`. Default 500,000, about 100 MB. */
  readonly placesInAll?: number;
  /**
   * Those among them that were made for one accessor, in the sense of `subscriptionsPerToken`: past it, `at_capacity`.
   * Who asks for what is open already takes none. Default 50,000.
   */
  readonly placesPerToken?: number;
  /** Events of one `publish`; more is a `bad_request`, and nothing of it is published. Default 10,000. */
  readonly eventsPerBatch?: number;
  /**
   * One event: its payload as JSON, with its names and keys, in bytes of UTF-8. A `publish` with a larger one is a
   * `bad_request`, and nothing of it is published. Default 8 MiB: half of the longest line that `streamEvents` accepts.
   */
  readonly bytesPerEvent?: number;
  /**
   * Chunks of 64 KiB that are read of a log's history at once; other readers wait their turn, and nobody is refused.
   * `stats().waitingReads` says how many wait. Default 8.
   */
  readonly historyReads?: number;
}

export type CheckedLimits = Required<BrokerLimits>;

const defaults: CheckedLimits = {
  subscriptions: 100_000,
  subscriptionsPerToken: 1000,
  topicsPerRequest: 1000,
  placesPerRequest: 10_000,
  placesInAll: 500_000,
  placesPerToken: 50_000,
  eventsPerBatch: 10_000,
  bytesPerEvent: 8 * 1024 * 1024,
  historyReads: 8,
};

/** @throws TypeError for a limit that is not known or no whole number from 1 on */
export const checkLimits = (limits: BrokerLimits = {}): CheckedLimits =>
  checkCounts(limits, defaults, 'limits', 'a whole number, 1 or more');
