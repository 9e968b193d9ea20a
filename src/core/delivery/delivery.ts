import { checkNumber, finite } from '../../model/numbers.ts';

/** How a subscription is written to a transport. */
export interface DeliveryOptions {
  /** Time between heartbeats in ms. Default 15,000; 0 for none, the first included. */
  readonly heartbeatMs?: number;
  /** Heartbeats carry the newest index that was passed; the first also the epoch and the interval. Default false. */
  readonly bookmarks?: boolean;
  /**
   * All such streams of one interval get their heartbeats at the same time, instead of spread over it: for a transport
   * that shares what is written, since a heartbeat of its own sets a stream apart from the others. The first may come
   * sooner than after `heartbeatMs`. Default false.
   */
  readonly beatsTogether?: boolean;
}

/** A subscription's way into a transport. */
export interface Delivery {
  /** In step with the head: it gets the chunk that its interest's members share. */
  readonly isSynced: boolean;
  /** The transport pushes back. */
  readonly isBlocked: boolean;
  /** To be called by the transport when it can take more again. */
  drained(): void;
}

/**
 * The default interval. The first idle limits that streams meet are at 30 s and more (load balancers, mobile networks),
 * most at 60 s; at half of the shortest, one heartbeat may be late or lost and the connection lives.
 */
export const defaultHeartbeatMs = 15_000;

/** @throws TypeError for a heartbeat interval that is negative or no finite number */
export function checkHeartbeatMs(heartbeatMs: number): void {
  checkNumber('heartbeatMs', heartbeatMs, { ...finite, allowed: 'a number of milliseconds, 0 (none) or more' });
}
