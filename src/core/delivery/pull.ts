import { deliverChannel } from './deliver-channel.ts';
import type { Handover } from './handover.ts';
import type { BrokerError } from '../../model/errors.ts';
import type { Event, EventBatch } from '../../model/event.ts';
import { joinGaps, type Gap } from '../../model/gap.ts';
import type { ReaderRead } from './reader-read.ts';

/** A reader, as far as pulling batches out of it needs one. */
export interface PullSource {
  read(): ReaderRead;
  /** The reader waits for more: the pull is told by {@link Pull.proceed}. */
  awaitMore(): void;
  /** What may be missing was told. */
  told(gap: Gap): void;
  /** A batch was handed over; told only while somebody listens. */
  handedOver(handover: Handover): void;
  readonly error: BrokerError | undefined;
}

type Result = Promise<IteratorResult<EventBatch, undefined>>;

/**
 * Reads a subscription in process: what `poll` and `next` do. Holds the calls that wait, and the gap that the next
 * batch will tell.
 */
export class Pull {
  readonly #source: PullSource;
  readonly #waiting: ((result: Result) => void)[] = [];
  #untold: Gap | undefined;

  constructor(source: PullSource) {
    this.#source = source;
  }

  /** Some `next()` waits. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Told with the next batch: what it covers was not passed yet. */
  get untold(): Gap | undefined {
    return this.#untold;
  }

  /** Hands the gap to whoever tells it. */
  takeUntold(): Gap | undefined {
    const gap = this.#untold;
    this.#untold = undefined;
    return gap;
  }

  /** @throws BrokerError the reason for the end */
  poll(): EventBatch | undefined {
    const taken = this.#take();
    return taken === 'nothing' || taken === 'over' ? undefined : taken;
  }

  next(): Result {
    const result = this.isWaiting ? undefined : this.#result();
    if (result !== undefined) return result;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#source.awaitMore();
    });
  }

  /**
   * There may be something for those who wait. One is taken out before it is served: reading may end the subscription,
   * which serves the others.
   */
  proceed(): void {
    for (let resolve = this.#waiting.shift(); resolve !== undefined; resolve = this.#waiting.shift()) {
      const result = this.#result();
      if (result === undefined) {
        this.#waiting.unshift(resolve);
        return this.#source.awaitMore();
      }
      resolve(result);
    }
  }

  /** What {@link next} gives now: a batch, the reason for the end, the end; undefined when it has to wait. */
  #result(): Result | undefined {
    try {
      const taken = this.#take();
      if (taken === 'nothing') return undefined;
      return Promise.resolve(taken === 'over' ? { value: undefined, done: true } : { value: taken, done: false });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #take(): EventBatch | 'nothing' | 'over' {
    for (;;) {
      const read = this.#source.read();
      switch (read.kind) {
        case 'part':
          return this.#handOver(read.batch);
        case 'current':
          return this.#handOver(currentAt(read.index));
        case 'gap':
          this.#untold = joinGaps(this.#untold, read.gap);
          break;
        case 'fetch':
        case 'wait':
          return 'nothing';
        case 'ended':
          return this.#over(this.#source.error);
      }
    }
  }

  #handOver(batch: EventBatch): EventBatch {
    const whole = this.#withGap(batch);
    if (deliverChannel.hasSubscribers) this.#source.handedOver({ bytes: undefined, events: batch.events.length });
    return whole;
  }

  #withGap(batch: EventBatch): EventBatch {
    const gap = this.takeUntold();
    if (gap === undefined) return batch;
    this.#source.told(gap);
    return Object.freeze({ ...batch, gap: Object.freeze(gap) });
  }

  /** That the host closed its own broker is no failure of the loops in its process: they end. */
  #over(error: BrokerError | undefined): 'over' {
    if (error === undefined || error.code === 'closed') return 'over';
    throw error;
  }
}

/** What tells that a state is complete. */
const currentAt = (index: number): EventBatch => Object.freeze({ index, events: noEvents, current: true });

const noEvents: readonly Event[] = Object.freeze([]);
