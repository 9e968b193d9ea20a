import type { Event, EventBatch } from '../client/index.ts';
import type { Collection } from './stream-feed.ts';

/** The newest events, the oldest of them first. */
export class RecentEvents<E extends Event> implements Collection<EventBatch<E>, readonly E[]> {
  readonly #maxEvents: number;
  #events: readonly E[];

  constructor(maxEvents: number, initial: readonly E[] = []) {
    this.#maxEvents = maxEvents;
    this.#events = newest(initial, maxEvents);
  }

  take({ events }: EventBatch<E>): void {
    if (events.length > 0) this.#events = newest([...this.#events, ...events], this.#maxEvents);
  }

  value(): readonly E[] {
    return this.#events;
  }
}

const newest = <E>(events: readonly E[], count: number): readonly E[] =>
  events.slice(Math.max(0, events.length - count));
