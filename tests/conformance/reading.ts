import type { EventBatch } from '../../src/model/event.ts';
import type { Gap } from '../../src/model/gap.ts';
import { BrokerError } from '../../src/model/errors.ts';

/** Whatever can be polled: a subscription, whatever its topics. */
export interface Pollable {
  poll(): EventBatch | undefined;
}

/** What a subscription gave until nothing waited, and the error that it ended with. */
export interface Drained {
  readonly batches: readonly EventBatch[];
  readonly indexes: readonly number[];
  readonly gaps: readonly Gap[];
  readonly error: BrokerError | undefined;
}

/** Polls until nothing waits. */
export function drain(subscription: Pollable): Drained {
  const batches: EventBatch[] = [];
  let error: BrokerError | undefined;
  try {
    for (let batch = subscription.poll(); batch !== undefined; batch = subscription.poll()) batches.push(batch);
  } catch (caught) {
    if (!BrokerError.is(caught)) throw caught;
    error = caught;
  }
  return {
    batches,
    indexes: batches.map(({ index }) => index),
    gaps: batches.flatMap(({ gap }) => gap ?? []),
    error,
  };
}

/** The error of a call that is to fail with a BrokerError. */
export async function failureOf(call: () => unknown): Promise<BrokerError> {
  try {
    await call();
  } catch (error) {
    if (BrokerError.is(error)) return error;
    throw error;
  }
  throw new Error('It was to fail, and did not.');
}
