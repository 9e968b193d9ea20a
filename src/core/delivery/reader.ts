import type { StreamFormat } from '../batch/stream-format.ts';
import type { Backlog, Cursor, CursorStart } from '../backlog/cursor.ts';
import { EventCursor } from '../backlog/event-cursor.ts';
import { StateCursor } from '../backlog/state-cursor.ts';
import type { Interest, InterestWaiter } from '../matching/interest.ts';
import type { Slice } from '../matching/shared-slices.ts';
import type { Clock, ClockTimer } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type { EventBatch } from '../../model/event.ts';
import { gapError } from '../../model/gap-error.ts';
import type { Gap, GapReason } from '../../model/gap.ts';
import type { ByteSink } from './byte-sink.ts';
import type { Delivery, DeliveryOptions } from './delivery.ts';
import type { Handover } from './handover.ts';
import { Pull, type PullSource } from './pull.ts';
import { ended, type ReaderRead } from './reader-read.ts';
import { readerTransitions, type ReaderEvent, type ReaderStage } from './reader-stage.ts';
import type { SubscriptionCondition } from './subscription-condition.ts';
import { Subscription, type SubscriptionState } from './subscription.ts';
import { TransportDelivery, type DeliveryDrive, type DeliverySource } from './transport-delivery.ts';

/** Who is told of a reader's life. */
export interface ReaderObserver {
  /** It is to be told of nothing more, and holds nothing any more; it may still read what is left up to its fence. */
  detached(reader: Reader, error: BrokerError | undefined): void;
  gap(reader: Reader, gap: Gap): void;
  /** Its transport does not keep up. */
  lagging(reader: Reader): void;
  /** Only while somebody listens on the channel for it. */
  delivered(reader: Reader, handover: Handover): void;
}

/** What all readers of a broker share. */
export interface ReaderContext extends Backlog, DeliveryDrive {
  readonly clock: Clock;
  readonly observer: ReaderObserver;
  /** Reading is a step: listeners that are told of a gap act when it is over. */
  readonly gate: { enter(): void; leave(): void };
}

/** How long to wait before the log is asked again after it failed, in ms. */
const LOG_RETRY_MS = 250;

/**
 * How long one that ends may take to read what is left of the log, in ms: a log that never answers must not keep it.
 */
const LAST_READS_MS = 5000;

/**
 * The inside of a subscription: its cursor, its interest, its stage, and what the broker does with it. What the host
 * may do stands in {@link Subscription}. {@link readerTransitions} says what follows from what; here is what each stage
 * does when it is entered.
 */
export class Reader extends Subscription implements DeliverySource, PullSource, InterestWaiter {
  place = -1;
  readonly epoch: string;
  readonly #context: ReaderContext;
  readonly #cursor: Cursor;
  readonly #failOnGap: boolean;
  protected toldEpoch: string;
  readonly #pull = new Pull(this);
  #delivery: TransportDelivery | undefined;
  #stage: ReaderStage = 'behind';
  /** It ends with this as soon as what was published before has been read. */
  #ending: BrokerError | undefined;
  /** Bounds its last reads: one for all of them, or each would hold the reader for as long. */
  #lastReads: ClockTimer | undefined;
  #error: BrokerError | undefined;

  /** @param cameFrom the epoch that its host names, if it does */
  constructor(context: ReaderContext, interest: Interest, start: CursorStart, failOnGap: boolean, cameFrom?: string) {
    super();
    this.epoch = context.buffer.epoch;
    this.toldEpoch = (start.gap?.epoch !== undefined && cameFrom) || this.epoch;
    this.#context = context;
    const { state } = start;
    this.#cursor = state
      ? new StateCursor(context, interest, { ...start, state })
      : new EventCursor(context, interest, start);
    this.#failOnGap = failOnGap;
  }

  // For the host: see Subscription.

  get state(): SubscriptionState {
    if (this.#stage === 'ended') return 'closed';
    if (this.#cursor.limit !== Infinity) return 'unsynced';
    return this.#stage === 'synced' || this.#cursor.isAtHead ? 'synced' : 'unsynced';
  }

  get position(): number {
    const { untold } = this.#pull;
    if (untold !== undefined) return Math.min(untold.from - 1, this.#cursor.passed);
    return this.#stage === 'synced' ? this.#context.buffer.passedAt(this.#passedTogether) : this.#cursor.passed;
  }

  /** Of one that is open. */
  get condition(): SubscriptionCondition {
    if (this.#stage === 'blocked') return 'blocked';
    if (this.#cursor.isFenced) return 'fenced';
    if (this.#stage === 'fetching') return 'fetching';
    return this.state === 'synced' ? 'synced' : 'behind';
  }

  /** Bytes that its peer has not taken yet: 0 in process, undefined where the transport cannot tell. */
  get waitingBytes(): number | undefined {
    return this.#delivery ? this.#delivery.waitingBytes : 0;
  }

  get error(): BrokerError | undefined {
    return this.#error;
  }

  get mark(): string | undefined {
    return this.#cursor.mark;
  }

  get skipped(): number {
    return this.#cursor.skipped;
  }

  get mayBeCompressed(): boolean {
    return this.#context.topics.mayBeCompressed(this.#cursor.interest.filter.topics);
  }

  get delivery(): Delivery | undefined {
    return this.#delivery;
  }

  poll(): EventBatch | undefined {
    if (this.#delivery) throw alreadyDelivered('poll()');
    if (this.#pull.isWaiting) throw new TypeError('poll() would take what a next() waits for: read it by one of them.');
    const { gate } = this.#context;
    gate.enter();
    try {
      return this.#pull.poll();
    } finally {
      gate.leave();
    }
  }

  next(): Promise<IteratorResult<EventBatch, undefined>> {
    if (this.#delivery) return Promise.reject(alreadyDelivered('next()'));
    const { gate } = this.#context;
    gate.enter();
    try {
      return this.#pull.next();
    } finally {
      gate.leave();
    }
  }

  deliverTo(sink: ByteSink, format: StreamFormat, options: DeliveryOptions = {}): Delivery {
    if (this.#delivery) throw new TypeError('It is delivered to a transport already.');
    if (this.#pull.isWaiting) throw new TypeError('deliverTo() would take what a next() waits for.');
    const delivery = new TransportDelivery(this, this.#context, sink, format, options);
    this.#delivery = delivery;
    // What a poll() was to tell with its next batch is the transport's to tell now.
    this.#cursor.returnGap(this.#pull.takeUntold());
    if (this.#stage === 'ended') delivery.end(this.#error);
    else delivery.start();
    return delivery;
  }

  close(): void {
    this.#finish(undefined);
  }

  // For its pull or its delivery.

  get stage(): ReaderStage {
    return this.#stage;
  }

  /** Nothing while a gap is to be told: its indexes may be of another epoch. */
  get bookmark(): number | undefined {
    return this.#cursor.hasGap ? undefined : this.position;
  }

  read(): ReaderRead {
    if (this.#stage === 'ended') return ended;
    // Before a gap is taken, which nobody would hear of any more: the error's index stays in front of it.
    if (this.#ending && this.#cursor.isAtEnd) return this.#finish(this.#ending);
    const read = this.#cursor.read();
    switch (read.kind) {
      case 'part':
      case 'current':
        return read;
      case 'gap':
        return this.#passGap(read.gap) ?? read;
      case 'fetch':
        this.#enter('needs-log');
        return read;
      case 'wait':
        return this.#ending ? this.#finish(this.#ending) : read;
    }
  }

  get sliceStart(): number | undefined {
    return this.#cursor.sharedPlace;
  }

  get turns(): number {
    return this.#cursor.turns;
  }

  takeSlice(format: StreamFormat, start: number): Slice | undefined {
    return this.#cursor.takeSlice(format, start);
  }

  shareSlice(slice: Pick<Slice, 'format' | 'start' | 'bytes' | 'isFull'>): void {
    this.#cursor.shareSlice(slice);
  }

  get neededView(): string | undefined {
    return this.#cursor.neededView;
  }

  returnCurrent(): void {
    this.#cursor.returnCurrent();
  }

  awaitMore(): void {
    this.#enter(this.#isInStep ? 'caught-up' : 'exhausted');
  }

  told({ epoch }: Gap): void {
    if (epoch !== undefined) this.toldEpoch = epoch;
  }

  handedOver(handover: Handover): void {
    this.#context.observer.delivered(this, handover);
  }

  block(): void {
    this.#enter('blocked');
  }

  unblock(): void {
    this.#enter('drained');
  }

  stalled(): void {
    this.#finish(this.#ending ?? new BrokerError('slow', 'The client took nothing for too long.'));
  }

  // For the broker.

  /** Something matches. */
  wake(): void {
    this.#enter('woken');
  }

  /** Nothing above `index` is handed over until {@link release}. */
  fence(index: number): void {
    this.#enter('parted');
    this.#cursor.fence(index);
    this.wake();
  }

  /**
   * Its rights were confirmed; `interest` is what they let it see above the fence. It is the reader's own from here.
   */
  release(interest: Interest): void {
    this.#enter('parted');
    // It may wait for what the old interest would have matched.
    this.#cursor.interest.unwait(this);
    this.#cursor.release(interest);
    this.wake();
  }

  /** Ends it with `error` after what is left up to the fence; at once where the transport does not keep up. */
  revoke(error: BrokerError): void {
    // It may be in step, without a fence: it opened while the token's others still waited for the store.
    this.fence(this.#context.buffer.head);
    const isBlocked = this.#stage === 'blocked';
    this.#detach((this.#ending ??= error));
    if (isBlocked) this.#finish(this.#ending);
    else this.#readLast();
  }

  /** Ends it with `error`: a transport at once, a reader in process after what was published before. */
  fail(error: BrokerError, before?: number): void {
    if (this.#delivery || this.#cursor.isInLog) this.#finish(this.#ending ?? error, before);
    else this.revoke(error);
  }

  /** Out of step with all others, at a position of its own. */
  stepOut(): void {
    if (this.#stage === 'synced') this.#enter('parted');
    else this.#cursor.advanceToReached();
  }

  /** Goes on at `next`: the log is another one, came back shorter, or was trimmed unseen. */
  moveTo(next: number, reason: GapReason, epoch?: string): void {
    const gap = this.#cursor.moveTo(next, reason, epoch);
    if (gap && this.#failOnGap) this.#finish(gapError(gap));
    else this.wake();
  }

  #enter(event: ReaderEvent): void {
    const before = this.#stage;
    const after = readerTransitions[before][event];
    if (after === before) return;
    if (before === 'synced') this.#leaveOthers();
    this.#stage = after;
    this.#act(after);
  }

  /** What a stage does when it is entered. */
  #act(stage: ReaderStage): void {
    switch (stage) {
      case 'behind':
        return (this.#delivery ?? this.#pull).proceed();
      case 'synced':
        if (this.#delivery) this.#cursor.interest.join(this.#delivery);
        return;
      case 'waiting':
        return this.#cursor.interest.wait(this);
      case 'fetching':
        return this.#fetch();
      case 'blocked':
        return this.#ending ? void this.#finish(this.#ending) : this.#context.observer.lagging(this);
      case 'ended':
        return this.#letGo();
    }
  }

  /** It takes its position along. */
  #leaveOthers(): void {
    this.#cursor.part();
    this.#cursor.position = this.#passedTogether + 1;
    if (this.#delivery) this.#cursor.interest.leave(this.#delivery);
  }

  #letGo(): void {
    this.#cursor.stopReading();
    this.#cursor.interest.unwait(this);
    this.#lastReads?.cancel();
    this.#delivery?.end(this.#error);
    this.#detach(this.#error);
    this.#pull.proceed();
  }

  /**
   * Whether it can get the shared chunk from now on: nothing limits it, and it has passed the head, as all that are in
   * step have: a flush writes their chunks first.
   */
  get #isInStep(): boolean {
    const { head } = this.#context.buffer;
    const { position, limit } = this.#cursor;
    return this.#delivery !== undefined && position === head + 1 && limit === Infinity;
  }

  get #passedTogether(): number {
    return (this.#cursor.interest.oldestPending ?? this.#context.buffer.head + 1) - 1;
  }

  #passGap(gap: Gap): typeof ended | undefined {
    this.#context.observer.gap(this, gap);
    return this.#failOnGap ? this.#finish(gapError(gap), gap.from - 1) : undefined;
  }

  #fetch(): void {
    if (this.#ending) this.#readLast();
    if (this.#cursor.isFetching) return;
    this.#cursor.fetch().then(
      () => this.wake(),
      () => this.#retryFetch(),
    );
  }

  /**
   * The log tells of its outage by itself: the stream stays open and asks again. One that ends anyway does not wait for
   * it.
   */
  #retryFetch(): void {
    if (this.#ending) this.#finish(this.#ending);
    else this.#context.clock.after(LOG_RETRY_MS, () => this.wake());
  }

  /** Reads on to its end, or ends at once where nothing is left. Bounds how long it takes. */
  #readLast(): void {
    if (this.#cursor.isAtEnd) this.#finish(this.#ending);
    else if (this.#stage === 'fetching')
      this.#lastReads ??= this.#context.clock.after(LAST_READS_MS, () => void this.#finish(this.#ending));
    else this.wake();
  }

  /** @param index newest index that was passed, for the error */
  #finish(error: BrokerError | undefined, index = this.position): typeof ended {
    if (this.#stage === 'ended') return ended;
    this.#error = error?.at(Math.max(0, Math.min(index, this.#context.buffer.latestIndex)));
    this.#enter('ended');
    return ended;
  }

  #detach(error: BrokerError | undefined): void {
    this.#cursor.disown();
    this.#context.observer.detached(this, error);
  }
}

const alreadyDelivered = (call: string): TypeError =>
  new TypeError(`${call} would take what its transport is to get: it is delivered already.`);
