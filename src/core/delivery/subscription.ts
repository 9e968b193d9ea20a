/// <reference lib="esnext.disposable" preserve="true" />
import type { StreamFormat } from '../batch/stream-format.ts';
import { describe } from '../../model/describe.ts';
import type { BrokerError } from '../../model/errors.ts';
import type { Event, EventBatch } from '../../model/event.ts';
import type { ByteSink } from './byte-sink.ts';
import type { Delivery, DeliveryOptions } from './delivery.ts';

/**
 * - `synced`: in step with the head; what is published reaches it without looking at the buffer
 * - `unsynced`: behind, with a position of its own: new, replaying, slow, or waiting at a fence for its rights
 * - `closed`: gets nothing more
 */
export type SubscriptionState = 'synced' | 'unsynced' | 'closed';

/** A place in the stream, plain JSON: options of `subscribe`. */
export interface ResumePlace {
  /** The next index to read. */
  readonly index: number;
  /** The run of indexes that `index` belongs to. */
  readonly epoch: string;
  /** Only of a state: see {@link Subscription.mark}. */
  readonly mark?: string;
}

/**
 * One reader's place in the stream: what it asked for, as far as it may see it, in strictly increasing index, each
 * batch once. Made by `broker.subscribe`. Read it by `for await`, `forEach`, `next()` or `poll()`, or hand it to a
 * transport with {@link deliverTo}: one of them at a time, or a batch would go to the one and be missed by the other.
 *
 * It holds a position, not a queue: a reader that does not read costs nothing, and is told of the gap if it falls off
 * the buffer. `close()`, the `signal` given to `subscribe`, `await using`, and leaving the loop all free it.
 */
export abstract class Subscription<E extends Event = Event> implements AsyncIterableIterator<EventBatch<E>> {
  /** The broker's run of indexes at the time of subscribing. */
  abstract readonly epoch: string;

  abstract readonly state: SubscriptionState;

  /** Newest index that it has passed: all that it matches up to here was handed over. 0 before the first. */
  abstract readonly position: number;

  /** Why it ended; undefined while it is open, and after it was closed by its owner. */
  abstract readonly error: BrokerError | undefined;

  /**
   * With `state`: a word for which state it reads, as far as rights and filter show it, and where the reading began.
   * {@link resumeAt} has it: without it, a state that rests on rights is read anew.
   */
  abstract readonly mark: string | undefined;

  /**
   * With `state`: how many events it was spared, since it was slow and newer ones had taken their place when it came to
   * them.
   */
  abstract readonly skipped: number;

  /** None of the topics that it asks for forbids it (`compression: false`). */
  abstract readonly mayBeCompressed: boolean;

  /** Its way into a transport, once there is one. */
  abstract readonly delivery: Delivery | undefined;

  /**
   * The next batch if one waits; undefined when none does, and after the end. With a log, older batches are fetched in
   * the background and wait then.
   * @throws BrokerError the reason, when it was ended by other than its owner: `closed`, when the host closed the
   * broker, is no failure and only stands in {@link error}
   * @throws TypeError while a `next()` waits, or when it is delivered to a transport
   */
  abstract poll(): EventBatch<E> | undefined;

  /**
   * The next batch, as soon as there is one; `done` when it was closed, here or with the broker.
   * @throws (rejects) as {@link poll} does
   */
  abstract next(): Promise<IteratorResult<EventBatch<E>, undefined>>;

  /**
   * Writes the stream to a transport from now on: a heartbeat at once, then what comes. What several subscriptions
   * share is encoded once. One that has ended already ends the transport at once.
   * @throws TypeError when it is delivered already, or a `next()` waits; for an option that is not known or out of its
   * range
   */
  abstract deliverTo(sink: ByteSink, format: StreamFormat, options?: DeliveryOptions): Delivery;

  /** Frees it. A reader that waits gets `done`. */
  abstract close(): void;

  /** The run of indexes that it has told of: another one counts once its gap was told. */
  protected abstract readonly toldEpoch: string;

  /**
   * Where another subscription goes on: keep it whole, and spread it into the options of `subscribe`. One that ends
   * before it has told the gap `restarted` goes on from where it came, so that the next one is told.
   */
  get resumeAt(): ResumePlace {
    const { position, mark, toldEpoch: epoch } = this;
    return { index: position + 1, epoch, ...(mark !== undefined && { mark }) };
  }

  /**
   * Calls `listener` with each batch, one after the other: as `for await` does, without a promise for each batch. A
   * promise that it returns is waited for before the next batch.
   * @returns resolves when the subscription was closed, here or with the broker
   * @throws (rejects) as {@link poll} does; with what the listener threw, and the subscription is closed then
   */
  async forEach(listener: (batch: EventBatch<E>) => unknown): Promise<void> {
    if (typeof listener !== 'function') throw new TypeError(`forEach needs a function; got ${describe(listener)}.`);
    for (;;) {
      const batch = this.poll() ?? (await this.next()).value;
      if (batch === undefined) return;
      try {
        const answer = listener(batch);
        if (isThenable(answer)) await answer;
      } catch (error) {
        this.close();
        throw error;
      }
    }
  }

  return(): Promise<IteratorResult<EventBatch<E>, undefined>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** `await using` frees it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Not a promise alone: database libraries answer with objects that begin when they are awaited. */
function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}
