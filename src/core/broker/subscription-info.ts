import type { SubscriptionCondition } from '../delivery/subscription-condition.ts';

/** An open subscription, as an operator sees it. Holds no secret. */
export interface SubscriptionInfo {
  /** Public name of the token, where there is one. */
  readonly accessorId: string | undefined;
  /** What it asked for: canonical text of the filter. */
  readonly filter: string;
  /** In which namespaces; `*` is all. */
  readonly namespaces: readonly string[];
  /** What happens, or the newest of each key first. */
  readonly reads: 'events' | 'state';
  /** Read by a transport (`deliverTo`, every mount), or by the host's own code. */
  readonly by: 'transport' | 'process';
  readonly state: SubscriptionCondition;
  /** Newest index that it has passed; 0 before the first. */
  readonly position: number;
  /**
   * How many indexes it is behind the newest; what it does not match counts too, until it has passed it. 0 when it has
   * passed all.
   */
  readonly lag: number;
  /** When it was opened, in ms since 1970. */
  readonly since: number;
  /** Bytes that its peer has not taken yet: 0 in process, undefined where the transport cannot tell. */
  readonly waitingBytes: number | undefined;
}
