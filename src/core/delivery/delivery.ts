import type { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/event.ts';
import type { InterestMember, Turn } from '../matching/interest.ts';
import type { ByteSink } from './byte-sink.ts';
import type { StreamFormat } from '../batch/stream-format.ts';
import type { Subscription, SubscriptionHost } from './subscription.ts';

export interface DeliveryOptions {
  /** Time between heartbeats in ms. Default 30,000; 0 for none, the first included. */
  readonly heartbeatMs?: number;
  /** Heartbeats carry the newest index that was passed. Default false. */
  readonly bookmarks?: boolean;
}

/** About how much of the backlog one subscription is handed in one turn, in letters of text, so that many who catch up take turns. */
const SLICE_LENGTH = 128 * 1024;

/**
 * - `behind`: reads forward by itself, a slice in each flush
 * - `synced`: a member of its interest, gets the shared chunk
 * - `waiting`: has read all it may; something must be published, released or fetched first
 * - `blocked`: the transport pushes back, until {@link Delivery.drained}
 */
type DeliveryState = 'behind' | 'synced' | 'waiting' | 'blocked' | 'ended';

/** Drives one subscription into one transport. At most one slice or chunk is handed over beyond what the transport took. */
export class Delivery implements InterestMember {
  place = -1;
  readonly #subscription: Subscription;
  readonly #host: SubscriptionHost;
  readonly #sink: ByteSink;
  #format: StreamFormat;
  readonly #heartbeatMs: number;
  readonly #bookmarks: boolean;
  #state: DeliveryState = 'behind';
  #stopHeartbeats: (() => void) | undefined;
  /** Read and not written yet: an end that comes while reading takes it along. */
  #slice = '';

  constructor(
    subscription: Subscription<never> | Subscription,
    host: SubscriptionHost,
    sink: ByteSink,
    format: StreamFormat,
    options: DeliveryOptions,
  ) {
    const { heartbeatMs = 30_000, bookmarks = false } = options;
    checkHeartbeatMs(heartbeatMs);
    this.#subscription = subscription;
    this.#host = host;
    this.#sink = sink;
    this.#format = format;
    this.#heartbeatMs = heartbeatMs;
    this.#bookmarks = bookmarks;
  }

  get isSynced(): boolean {
    return this.#state === 'synced';
  }

  get isBlocked(): boolean {
    return this.#state === 'blocked';
  }

  /** @internal */
  start(): void {
    const { opening } = this.#format;
    if (opening) this.#write(opening);
    if (this.#heartbeatMs > 0 && !this.#hasEnded) {
      this.#stopHeartbeats = this.#host.outbox.beatEvery(this.#heartbeatMs, this);
      this.beat();
    }
    if (this.#state === 'behind') this.#host.outbox.schedule(this);
  }

  /** The transport can take more again. */
  drained(): void {
    if (this.#state === 'blocked') this.#goOn();
  }

  /** @internal One slice; called from the flush. */
  advance(): void {
    if (this.#state !== 'behind') return;
    const isComplete = this.#guarded(() => this.#readSlice());
    if (!this.#writeSlice()) return;
    if (!isComplete) this.#host.outbox.schedule(this);
    else if (this.#subscription.join(this)) this.#state = 'synced';
    else {
      this.#state = 'waiting';
      this.#subscription.awaitMore();
    }
  }

  receive(turn: Turn): void {
    this.#write(turn);
  }

  /** @internal There may be something to read. */
  wake(): void {
    if (this.#state === 'waiting') this.#goOn();
  }

  /** @internal */
  fail(error: BrokerError): void {
    this.#subscription.fail(error);
  }

  /** @internal Out of step from here on. */
  leave(): void {
    if (this.#state !== 'synced') return;
    this.#subscription.leave(this);
    this.#goOn();
  }

  /** A transport that does not keep up gets no heartbeat: it has bytes enough to show that the stream is alive. */
  beat(): void {
    if (this.#state === 'blocked' || this.#hasEnded) return;
    const bookmark = this.#bookmarks ? this.#subscription.bookmark : undefined;
    this.#guarded(() => this.#write(this.#format.heartbeat(bookmark)));
  }

  /** @internal */
  end(error: BrokerError | undefined): void {
    if (this.#hasEnded) return;
    if (this.#state === 'synced') this.#subscription.leave(this);
    this.#state = 'ended';
    this.#stopHeartbeats?.();
    this.#host.outbox.unschedule(this);
    const text = this.#guarded(() => this.#slice + (error ? this.#format.error(error) : ''));
    this.#slice = '';
    const last = this.#guarded(() => (text ? this.#format.encode(text) : undefined));
    this.#guarded(() => this.#sink.end(last));
  }

  /** Asked anew after every call that runs the host's code or the subscription's. */
  get #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  #goOn(): void {
    this.#state = 'behind';
    this.#host.outbox.schedule(this);
  }

  /** @returns false when there is more to read than one slice holds */
  #readSlice(): boolean {
    while (this.#slice.length < SLICE_LENGTH) {
      const { part, gap } = this.#subscription.readPart();
      if (this.#hasEnded) return true;
      if (gap !== undefined) this.#tell(gap);
      if (part === undefined) return true;
      this.#slice += this.#format.batch(part);
    }
    return false;
  }

  #tell(gap: Gap): void {
    this.#slice += this.#format.gap(gap);
    this.#format = this.#format.after?.(gap) ?? this.#format;
  }

  /** @returns whether the delivery may go on */
  #writeSlice(): boolean {
    const text = this.#slice;
    this.#slice = '';
    if (text !== '') this.#write(text);
    return this.#state === 'behind';
  }

  /** Guards by itself: a closure for each reader of each chunk would cost more than all the rest of it. */
  #write(source: Turn | string): void {
    let isReady = false;
    try {
      const format = this.#format;
      isReady = this.#sink.write(typeof source === 'string' ? format.encode(source) : source.chunk(format));
    } catch {
      this.#subscription.close();
    }
    if (isReady || this.#hasEnded) return;
    if (this.#state === 'synced') this.#subscription.leave(this);
    this.#state = 'blocked';
    this.#host.outbox.unschedule(this);
    this.#subscription.lag();
  }

  /** A transport or a format that throws loses its own stream and harms no other. */
  #guarded<R>(call: () => R): R | undefined {
    try {
      return call();
    } catch {
      this.#subscription.close();
      return undefined;
    }
  }
}

/** @throws TypeError for a heartbeat interval that is negative or no finite number */
export function checkHeartbeatMs(heartbeatMs: number): void {
  if (heartbeatMs >= 0 && Number.isFinite(heartbeatMs)) return;
  throw new TypeError(`heartbeatMs must be 0 or more; got ${heartbeatMs}.`);
}
