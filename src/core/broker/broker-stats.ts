import type { LogStatus } from '../log/event-log.ts';

/** A snapshot of a broker's figures. */
export interface BrokerStats {
  readonly subscriptions: number;
  /** Distinct filters among them. */
  readonly interests: number;
  readonly bufferedBatches: number;
  /** Roughly. */
  readonly bufferedBytes: number;
  /** Index of the oldest buffered batch; 0 when there is none. */
  readonly oldestIndex: number;
  /** Index of the newest batch; 0 before the first. */
  readonly latestIndex: number;
  readonly epoch: string;
  readonly publishedBatches: number;
  readonly publishedEvents: number;
  readonly revokedSubscriptions: number;
  readonly gaps: number;
  /** How often a topic's rule (`visible`) failed, so that an event was hidden. */
  readonly ruleFaults: number;
  readonly listenerErrors: number;
  /** Undefined without a log. */
  readonly log: LogStatus | undefined;
}
