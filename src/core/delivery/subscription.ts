import type { Clock } from '../../model/clock.ts';
import { Cursor, type Backlog, type CursorStart } from '../backlog/cursor.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import type { BatchPart } from '../batch/encoded-batch.ts';
import type { BrokerError } from '../../model/errors.ts';
import type { Event, EventBatch, Gap, GapReason } from '../../model/event.ts';
import { joinGaps } from '../../model/gap.ts';
import type { Interest } from '../matching/interest.ts';
import type { Outbox } from './flush-queue.ts';
import type { Registry } from '../broker/subscription-registry.ts';
import { gapError } from '../broker/start-position.ts';
import type { ByteSink } from './byte-sink.ts';
import type { StreamFormat } from '../batch/stream-format.ts';

/**
 * - `synced`: in step with the head; what is published reaches it without looking at the buffer
 * - `unsynced`: behind, with a position of its own: new, replaying, slow, or waiting at a fence for its rights
 * - `closed`: gets nothing more
 */
export type SubscriptionState = 'synced' | 'unsynced' | 'closed';

/** What a subscription needs of its broker. */
export interface SubscriptionHost extends Backlog {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly registry: Registry;
  epoch(): string;
}

/** How long to wait before the log is asked again after it failed, in ms. */
const LOG_RETRY_MS = 250;

type Result<E extends Event> = Promise<IteratorResult<EventBatch<E>, undefined>>;

/**
 * One reader's place in the stream: what it asked for, as far as it may see it, in strictly increasing index, each batch once. Made by
 * `broker.subscribe`. Read it by `for await`, `next()` or `poll()`, or hand it to a transport with {@link deliverTo}; one of them, not two.
 *
 * It holds a position, not a queue: a reader that does not read costs nothing, and is told of the gap if it falls off the buffer.
 * `close()`, the `signal` given to `subscribe`, and leaving the loop all free it.
 */
export class Subscription<E extends Event = Event> implements AsyncIterableIterator<EventBatch<E>> {
  /** The broker's run of indexes at the time of subscribing. */
  readonly epoch: string;
  readonly #host: SubscriptionHost;
  readonly #cursor: Cursor;
  readonly #failOnGap: boolean;
  #interest: Interest;
  #isClosed = false;
  #error: BrokerError | undefined;
  /** It ends with this as soon as what was published before has been read. */
  #ending: BrokerError | undefined;
  #isAttached = true;
  #delivery: Delivery | undefined;
  /** Takes a {@link Result} each; untyped, so that a subscription to some topics is one to topics. */
  #waiting: ((result: unknown) => void)[] = [];
  #isAwaiting = false;
  #isFilling = false;
  /** Told with the next batch. */
  #untold: Gap | undefined;

  /** Made by `EventBroker.subscribe` alone. */
  constructor(host: SubscriptionHost, interest: Interest, start: CursorStart, failOnGap: boolean) {
    this.epoch = host.epoch();
    this.#host = host;
    this.#interest = interest;
    this.#cursor = new Cursor(host, interest, start);
    this.#failOnGap = failOnGap;
  }

  get state(): SubscriptionState {
    if (this.#isClosed) return 'closed';
    if (this.#cursor.limit !== Infinity) return 'unsynced';
    return this.#delivery?.isSynced || this.#cursor.isAtHead ? 'synced' : 'unsynced';
  }

  /** Newest index that it has passed: all that it matches up to here was handed over. 0 before the first. */
  get position(): number {
    if (this.#untold !== undefined) return Math.min(this.#untold.from - 1, this.#cursor.passed);
    return this.#delivery?.isSynced ? this.#passedTogether() : this.#cursor.passed;
  }

  /** @internal What a heartbeat may say was passed: nothing while a gap is to be told, whose indexes may be of another epoch. */
  get bookmark(): number | undefined {
    return this.#cursor.hasGap ? undefined : this.position;
  }

  /** Why it ended; undefined while it is open and after an orderly end. */
  get error(): BrokerError | undefined {
    return this.#error;
  }

  /**
   * The next batch if one waits. With a log, older batches are fetched in the background and wait then.
   * @throws BrokerError the reason, when it was ended by other than its owner
   */
  poll(): EventBatch<E> | undefined {
    const batch = this.#takeBatch();
    if (batch === undefined && !this.#isClosed && this.#cursor.needsHistory) this.#fill();
    return batch;
  }

  /** The next batch, as soon as there is one; `done` after an orderly end. @throws (rejects) as {@link poll} does */
  next(): Result<E> {
    const result = this.#waiting.length === 0 ? this.#result() : undefined;
    if (result !== undefined) return result;
    return new Promise((resolve) => {
      this.#waiting.push(resolve as (result: unknown) => void);
      this.awaitMore();
    });
  }

  return(): Result<E> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Writes the stream to a transport from now on: a heartbeat at once, then what comes. What several subscriptions share is encoded once.
   * One that has ended already ends the transport at once.
   * @throws TypeError when it is delivered already
   */
  deliverTo(sink: ByteSink, format: StreamFormat, options: DeliveryOptions = {}): Delivery {
    if (this.#delivery) throw new TypeError('It is delivered already.');
    this.#delivery = new Delivery(this, this.#host, sink, format, options);
    if (this.#isClosed) this.#delivery.end(this.#error);
    else this.#delivery.start();
    return this.#delivery;
  }

  /** Its way into a transport, once there is one. */
  get delivery(): Delivery | undefined {
    return this.#delivery;
  }

  /** Frees it. A reader that waits gets `done`. */
  close(): void {
    this.#finish(undefined);
  }

  // What follows is called by the broker's own parts.

  /** @internal The next part, and the gap before it if there is one. */
  readPart(): { readonly part: BatchPart | undefined; readonly gap: Gap | undefined } {
    if (this.#isClosed) return { part: undefined, gap: undefined };
    const part = this.#cursor.read();
    // Before the gap is taken, which nobody would hear of any more: the error's index stays in front of it.
    if (part === undefined && this.#ending && !this.#cursor.needsHistory && this.#cursor.position > this.#cursor.end)
      this.#finish(this.#ending);
    const gap = this.#isClosed ? undefined : this.#cursor.takeGap();
    if (gap !== undefined) this.#onGap(gap);
    return { part, gap };
  }

  /** @internal Joins those that get the shared chunk, if it is in step. */
  join(delivery: Delivery): boolean {
    const { head } = this.#host.buffer;
    const { position, limit } = this.#cursor;
    const isInStep = position === head + 1 && limit === Infinity && this.#passedTogether() === head;
    if (isInStep) this.#interest.join(delivery);
    return isInStep;
  }

  /** @internal Leaves them, and takes its position along. */
  leave(delivery: Delivery): void {
    this.#cursor.position = this.#passedTogether() + 1;
    this.#interest.leave(delivery);
  }

  /** @internal Wakes it once there is more to read: when it was fetched from the log, or something matches. */
  awaitMore(): void {
    if (this.#cursor.needsHistory) return this.#fill();
    if (this.#isAwaiting) return;
    this.#isAwaiting = true;
    this.#interest.wait(this);
  }

  /** @internal Something matches. */
  offered(): void {
    this.#isAwaiting = false;
    this.#wake();
  }

  /** @internal Nothing above `index` is handed over until {@link release}. */
  fence(index: number): void {
    this.#delivery?.leave();
    this.#cursor.limit = Math.min(this.#cursor.limit, index);
    this.#wake();
  }

  /** @internal Its rights were confirmed; `interest` is what they let it see now. */
  release(interest: Interest): void {
    this.#delivery?.leave();
    const before = this.#interest;
    this.#interest = interest;
    this.#cursor.interest = interest;
    this.#cursor.limit = Infinity;
    // Whoever waits for the old interest (this one, perhaps others) looks again.
    if (before !== interest) before.wakeAll();
    this.#wake();
  }

  /** @internal Ends it with `error` after what is left up to the fence; at once where the transport does not keep up. */
  revoke(error: BrokerError): void {
    // It may be in step, without a fence: it opened while the token's others still waited for the store.
    this.#delivery?.leave();
    this.#cursor.limit = Math.min(this.#cursor.limit, this.#host.buffer.head);
    this.#ending = error;
    this.#detach(error);
    if (this.#delivery?.isBlocked) this.#finish(error);
    else this.#wake();
  }

  /** @internal Its transport does not keep up. */
  lag(): void {
    if (this.#ending) this.#finish(this.#ending);
    else this.#host.registry.lagging(this);
  }

  /** @internal Ends it with `error`: a transport at once, a reader in process after what was published before. */
  fail(error: BrokerError): void {
    if (this.#delivery) this.#finish(this.#ending ?? error);
    else this.revoke(error);
  }

  /** @internal Out of step with all others, at a position of its own. */
  part(): void {
    if (this.#delivery?.isSynced) this.#delivery.leave();
    else this.#cursor.settle();
  }

  /** @internal Goes on at `next`: the log is another one, came back shorter, or was trimmed unseen. */
  lose(reason: GapReason, next: number, epoch?: string): void {
    const gap = this.#cursor.lose(reason, next, epoch);
    if (gap && this.#failOnGap) this.#finish(gapError(gap));
    else this.#wake();
  }

  #passedTogether(): number {
    return (this.#interest.oldestPending ?? this.#host.buffer.head + 1) - 1;
  }

  #takeBatch(): EventBatch<E> | undefined {
    if (this.#error) throw this.#error;
    const { part, gap } = this.readPart();
    if (this.#error) throw this.#error;
    const told = gap ? joinGaps(this.#untold, gap) : this.#untold;
    this.#untold = part === undefined ? told : undefined;
    if (part === undefined) return undefined;
    return (told === undefined ? part.batch : Object.freeze({ ...part.batch, gap: told })) as EventBatch<E>;
  }

  #onGap(gap: Gap): void {
    this.#host.registry.gap(this, gap);
    if (gap.reason !== 'slow' || !this.#failOnGap) return;
    // The error's index stands in front of it.
    this.#untold = gap;
    this.#finish(gapError(gap));
  }

  /** Hands what there is to those who wait for it. One is taken out first: reading may end the subscription, which serves the others. */
  #serve(): void {
    for (let resolve = this.#waiting.shift(); resolve !== undefined; resolve = this.#waiting.shift()) {
      const result = this.#result();
      if (result === undefined) {
        this.#waiting.unshift(resolve);
        return this.awaitMore();
      }
      resolve(result);
    }
  }

  /** What {@link next} gives now: a batch, the reason for the end, the end; undefined when it has to wait. */
  #result(): Result<E> | undefined {
    try {
      const batch = this.#takeBatch();
      if (batch !== undefined) return Promise.resolve({ value: batch, done: false });
      return this.#isClosed ? Promise.resolve({ value: undefined, done: true }) : undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #wake(): void {
    if (this.#delivery) this.#delivery.wake();
    else this.#serve();
  }

  #fill(): void {
    if (this.#isFilling) return;
    this.#isFilling = true;
    this.#cursor.fill().then(
      () => this.#filled(),
      () => this.#retryFill(),
    );
  }

  /** One that ends anyway does not wait for a log that is down: its error says where it was. */
  #retryFill(): void {
    if (this.#ending) this.#finish(this.#ending);
    else this.#host.clock.after(LOG_RETRY_MS, () => this.#filled());
  }

  /** Also after a failure: the log tells of its outage by itself, and the stream stays open and asks again. */
  #filled(): void {
    this.#isFilling = false;
    if (!this.#isClosed) this.#wake();
  }

  #finish(error: BrokerError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error?.at(Math.max(0, Math.min(this.position, this.#host.buffer.head)));
    this.#cursor.stopReading();
    this.#delivery?.end(this.#error);
    this.#interest.unwait(this);
    this.#detach(error);
    this.#serve();
  }

  #detach(error: BrokerError | undefined): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#host.registry.detach(this, error);
  }
}
