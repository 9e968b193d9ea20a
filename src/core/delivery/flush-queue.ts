import type { Clock } from '../../model/clock.ts';
import type { Delivery } from './delivery.ts';
import type { BrokerError } from '../../model/errors.ts';
import { FlushSchedule, type FlushOptions } from './flush-schedule.ts';
import { Heartbeats } from './heartbeats.ts';
import type { Interest } from '../matching/interest.ts';

/** What waits to be written in the next flush: chunks of the interests that matched, then a slice for each delivery that is behind. */
export class Outbox {
  readonly #clock: Clock;
  readonly #schedule: FlushSchedule;
  readonly #heartbeats = new Map<number, Heartbeats>();
  #interests: Interest[] = [];
  #behind = new Set<Delivery>();
  /** Oldest index that an interest holds unflushed. */
  #oldest = Infinity;

  /** @param run runs a flush that is due */
  constructor(clock: Clock, options: FlushOptions, run: (flush: () => boolean) => boolean) {
    this.#clock = clock;
    this.#schedule = new FlushSchedule(clock, options, () => run(() => this.flush()));
  }

  /** An interest that has something since the batch with this index. */
  add(interest: Interest, index: number): void {
    this.#interests.push(interest);
    this.#oldest = Math.min(this.#oldest, index);
    this.#schedule.request();
  }

  /** Lets the delivery go on in the next flush. */
  schedule(delivery: Delivery): void {
    this.#behind.add(delivery);
    this.#schedule.request();
  }

  unschedule(delivery: Delivery): void {
    this.#behind.delete(delivery);
  }

  /** Writes before the buffer lets go of what was not written: it bounds what interests hold. */
  flushBefore(trimmed: number): void {
    if (trimmed >= this.#oldest) this.flush();
  }

  /** @returns whether joining saved writes, at least one for every second interest */
  flush(): boolean {
    const interests = this.#interests;
    this.#interests = [];
    this.#oldest = Infinity;
    let saved = 0;
    for (const interest of interests) saved += interest.flush();
    const behind = this.#behind;
    this.#behind = new Set();
    for (const delivery of behind) delivery.advance();
    return 2 * saved >= interests.length;
  }

  /** @returns what stops the heartbeats */
  beatEvery(intervalMs: number, delivery: Delivery): () => void {
    const forget = (): void => void this.#heartbeats.delete(intervalMs);
    const heartbeats = this.#heartbeats.get(intervalMs) ?? new Heartbeats(this.#clock, intervalMs, forget);
    this.#heartbeats.set(intervalMs, heartbeats);
    return heartbeats.add(delivery);
  }

  /** Nothing is flushed any more: what is still behind ends with `error`. */
  stop(error: BrokerError): void {
    this.#schedule.stop();
    this.#interests = [];
    for (const delivery of [...this.#behind]) delivery.fail(error);
    this.#behind.clear();
  }
}
