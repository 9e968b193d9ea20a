import type { Clock } from '../../model/clock.ts';
import type { BrokerError } from '../../model/errors.ts';
import type { Interest } from '../matching/interest.ts';
import { FlushSchedule, type FlushOptions } from './flush-schedule.ts';
import { Heartbeats, type Beating } from './heartbeats.ts';

/** Who reads by itself, a slice in each flush. */
export interface Advancing {
  advance(): void;
  /** The queue has come to its end. */
  fail(error: BrokerError): void;
}

/** Heartbeats are spread over so many moments of their interval. */
const SPREAD_SLOTS = 32;

/**
 * What waits to be written in the next flush: chunks of the interests that matched, then a slice for each reader that
 * is behind.
 */
export class FlushQueue {
  readonly #clock: Clock;
  readonly #schedule: FlushSchedule;
  /** By their interval. */
  readonly #spread = new Map<number, Heartbeats>();
  readonly #together = new Map<number, Heartbeats>();
  #interests: Interest[] = [];
  #behind = new Set<Advancing>();
  /** Oldest index that an interest holds unflushed. */
  #oldest = Infinity;
  /** Of all that was published since the last flush. */
  #bytes = 0;

  /**
   * @param run runs a flush that is due
   * @throws TypeError for an option that is out of its range
   */
  constructor(clock: Clock, options: FlushOptions, run: (flush: () => boolean) => boolean) {
    this.#clock = clock;
    const flush = (): boolean => run(() => this.flush());
    this.#schedule = new FlushSchedule(clock, options, flush, () => this.#bytes);
  }

  /** An interest that has something since the batch with this index. */
  add(interest: Interest, index: number): void {
    this.#interests.push(interest);
    this.#oldest = Math.min(this.#oldest, index);
    this.#schedule.request();
  }

  /** So much was published, in bytes of memory. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Lets the reader go on in the next flush. */
  schedule(reader: Advancing): void {
    this.#behind.add(reader);
    this.#schedule.request();
  }

  /** Writes before the buffer lets go of what was not written: so it bounds what interests hold. */
  flushBefore(trimmed: number): void {
    if (trimmed >= this.#oldest) this.flush();
  }

  /** @returns whether joining saved writes, at least one for every second interest */
  flush(): boolean {
    const interests = this.#interests;
    this.#interests = [];
    this.#oldest = Infinity;
    this.#bytes = 0;
    let saved = 0;
    for (const interest of interests) saved += interest.flush();
    const behind = this.#behind;
    this.#behind = new Set();
    for (const reader of behind) reader.advance();
    return 2 * saved >= interests.length;
  }

  /**
   * @param isTogether at the same time as all others that are, instead of spread over the interval
   * @returns what stops the heartbeats
   */
  beatEvery(intervalMs: number, stream: Beating, isTogether: boolean): () => void {
    const circles = isTogether ? this.#together : this.#spread;
    const forget = (): void => void circles.delete(intervalMs);
    const slots = isTogether ? 1 : SPREAD_SLOTS;
    const heartbeats = circles.get(intervalMs) ?? new Heartbeats(this.#clock, intervalMs, slots, forget);
    circles.set(intervalMs, heartbeats);
    return heartbeats.add(stream);
  }

  /** Nothing is flushed any more: what is still behind ends with `error`. */
  stop(error: BrokerError): void {
    for (const reader of this.#behind) reader.fail(error);
    this.#behind.clear();
    this.#schedule.stop();
  }
}
