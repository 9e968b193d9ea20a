import type { BrokerErrorCode, LimitName } from '../../model/errors.ts';
import type { LogStatus } from '../log/event-log.ts';

/** Why a stream ended: the code of its error, or `none` where its owner or its client ended it. */
export type StreamEnd = BrokerErrorCode | 'none';

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
  /** Keys of topics with `retain` whose newest event is kept. */
  readonly retainedKeys: number;
  /** What these events take, roughly; those that are buffered too are in `bufferedBytes` as well. */
  readonly retainedBytes: number;
  /** Removals that are remembered for readers that resume. */
  readonly rememberedRemovals: number;
  /** Events that slow readers of a state were spared, since newer ones took their place. */
  readonly skippedEvents: number;
  readonly epoch: string;
  readonly publishedBatches: number;
  readonly publishedEvents: number;
  /** Streams that have ended, by reason; a reason that never came is not in it. */
  readonly ended: Readonly<Partial<Record<StreamEnd, number>>>;
  /** What was refused for one of the broker's `limits`, by limit; one that refused nothing is not in it. */
  readonly refused: Readonly<Partial<Record<LimitName, number>>>;
  /** Readers that wait until others have read of the log's history: see `limits.historyReads`. */
  readonly waitingReads: number;
  readonly revokedSubscriptions: number;
  readonly gaps: number;
  /** How often a topic's rule (`visible`) failed, so that an event was hidden. */
  readonly ruleFaults: number;
  readonly listenerErrors: number;
  /** Undefined without a log. */
  readonly log: LogStatus | undefined;
}
