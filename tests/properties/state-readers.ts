import type { EventBatch, Subscription } from 'fenceline';
import { BrokerError } from '../../src/model/errors.ts';
import { ndjsonFormat } from '../../src/adapters/ndjson.ts';
import { parseLine } from '../../src/client/wire.ts';
import type { Gap } from '../../src/model/gap.ts';

/** How a reader reads: what it is handed goes to `take`. */
export interface ReaderKind {
  read(count: number): void;
  block(): void;
  /** Why it ended; undefined while it is open. */
  readonly error: string | undefined;
}

export type OpenReader = (subscription: Subscription, take: (batch: EventBatch) => void, isBlocked: boolean) => ReaderKind;

export const polling: OpenReader = (subscription, take) => {
  let error: string | undefined;
  return {
    read(count) {
      try {
        for (let i = 0; i < count; i++) {
          const batch = subscription.poll();
          if (batch === undefined) return;
          take(batch);
        }
      } catch (thrown) {
        if (!BrokerError.is(thrown)) throw thrown;
        error = thrown.code;
      }
    },
    block: () => undefined,
    get error() {
      return error;
    },
  };
};

/** A transport, which takes as many chunks as it is told to. */
export const sinking: OpenReader = (subscription, take, isBlocked) => {
  let error: string | undefined;
  let isFull = isBlocked;
  let gap: Gap | undefined;
  const hand = (batch: EventBatch): void => {
    take(gap === undefined ? batch : { ...batch, gap });
    gap = undefined;
  };
  const takeBytes = (bytes: Uint8Array): void => {
    for (const line of Buffer.from(bytes).toString().split('\n').filter(Boolean)) {
      const value = parseLine(line);
      if (value.kind === 'error') error = value.error.code;
      if (value.kind === 'gap') ({ gap } = value);
      if (value.kind === 'current') hand({ index: value.index, events: [], current: true });
      if (value.kind === 'batch') hand(value);
    }
  };
  const sink = {
    write: (bytes: Uint8Array): boolean => (takeBytes(bytes), !isFull),
    end: (last: Uint8Array | undefined) => last && takeBytes(last),
  };
  subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
  return {
    read() {
      isFull = false;
      subscription.delivery?.drained();
    },
    block: () => void (isFull = true),
    get error() {
      return error;
    },
  };
};
