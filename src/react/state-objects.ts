import type { Event, EventBatch, ObjectKey } from '../client/index.ts';
import { isRestart } from '../model/gap.ts';
import type { Collection } from './stream-feed.ts';

export interface StateValue<E extends Event> {
  readonly objects: readonly E[];
  readonly isCurrent: boolean;
}

/**
 * A mirror of the server's state: the newest event of each object, in the order in which the objects came.
 *
 * Where the state begins anew (after a restart of the server, or a change of rights), what is shown stays until the new
 * one is complete, and then makes way for it as a whole: a page would else be empty for a moment.
 */
export class StateObjects<E extends Event> implements Collection<EventBatch<E>, StateValue<E>> {
  #shown: Map<string, E>;
  /** The state that will be shown when it is complete. */
  #next: Map<string, E> | undefined;
  #isCurrent = false;
  #value: StateValue<E> | undefined;

  constructor(initial: readonly E[] = []) {
    this.#shown = new Map(initial.map((event) => [idOf(event), event]));
  }

  take({ events, removed = [], current, gap }: EventBatch<E>): void {
    if (gap && isRestart(gap)) this.#restart();
    const objects = this.#next ?? this.#shown;
    for (const event of events) objects.set(idOf(event), event);
    // After the events: one of them may be what removed it.
    for (const object of removed) objects.delete(idOf(object));
    if (current) this.#complete();
    this.#value = undefined;
  }

  value(): StateValue<E> {
    return (this.#value ??= { objects: [...this.#shown.values()], isCurrent: this.#isCurrent });
  }

  #restart(): void {
    this.#next = new Map();
    this.#isCurrent = false;
  }

  #complete(): void {
    this.#shown = this.#next ?? this.#shown;
    this.#next = undefined;
    this.#isCurrent = true;
  }
}

/** Two objects never have the same. */
const idOf = ({ topic, namespace, key }: ObjectKey): string => JSON.stringify([topic, namespace, key]);
