import type { EncodedEvent } from '../batch/encoded-event.ts';
import { Interest, type Visibility } from './interest.ts';
import type { NamespaceFilter } from './namespace-filter.ts';
import { PlaceBudget, type PlaceLimits } from './place-budget.ts';
import type { TopicFilter } from './topic-filter.ts';

const none: readonly number[] = [];

/** Most places have one interest: a set for each would cost more memory than all the rest of them. */
type ByKey = Map<string, Interest | Set<Interest>>;
type ByNamespace = Map<string, ByKey>;

/** What is matched: a batch, or events that stood in several. */
export interface Matchable {
  readonly events: readonly EncodedEvent[];
}

/**
 * Finds the interests that match an event: topic → namespace → key → interests, with `*` on each level.
 *
 * A publish looks up the keys on its events (two topics × two namespaces × the keys and `*`, an alias adding a topic)
 * and touches the interests that match; those that do not are never looked at, however many there are. Topics come
 * first, since they are few: of tenants there may be ten thousand, and each level below them is seldom in the cache.
 */
export class InterestIndex {
  readonly #places = new Map<string, ByNamespace>();
  readonly #byKey = new Map<string, Interest>();
  readonly #budget: PlaceBudget;
  #stamp = 0;
  /** Scratch of {@link match}: a chain of what it has found, last first, so that a publish makes no list. */
  #found: Interest | undefined;

  constructor(limits: PlaceLimits) {
    this.#budget = new PlaceBudget(limits);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * The interest with this filter, made when there is none. Give it back with {@link release}.
   * @param accessorId of whom it is for: who pays for its places
   * @throws BrokerError `at_capacity` when there is no place left for it
   */
  acquire(
    filter: TopicFilter,
    namespaces: NamespaceFilter,
    visibility: Visibility | undefined,
    head: number,
    isState = false,
    accessorId?: string,
  ): Interest {
    const key = `${isState ? 'state ' : ''}${namespaces} ${filter} ${visibility?.key ?? ''}`;
    const interest =
      this.#byKey.get(key) ?? this.#add(new Interest(key, filter, namespaces, visibility, head, isState, accessorId));
    interest.users++;
    return interest;
  }

  release(interest: Interest): void {
    if (--interest.users > 0) return;
    this.#byKey.delete(interest.key);
    this.#budget.giveBack(placesIn(interest), interest.payer);
    for (const [namespace, topic, key] of placesOf(interest)) this.#remove(namespace, topic, key, interest);
  }

  /** The indexes begin anew. */
  restart(head: number): void {
    for (const interest of this.#byKey.values()) interest.restart(head);
  }

  /** Something at this position concerns every reader, whatever it asked for. */
  concernAll(position: number): void {
    for (const interest of this.#byKey.values()) interest.concern(position);
  }

  /**
   * Calls `found` once for each interest that matches some event of the batch; `interest.hits` has the positions of
   * those events.
   */
  match<B extends Matchable>(batch: B, found: (interest: Interest, batch: B) => void): void {
    this.#stamp++;
    // What a failure left there was of another batch.
    this.#found = undefined;
    for (let i = 0; i < batch.events.length; i++) this.#matchEvent(batch.events[i] as EncodedEvent, i);
    while (this.#found !== undefined) {
      const interest: Interest = this.#found;
      this.#found = interest.before;
      found(interest, batch);
      // Left there, they would outlive the batch in interests that are seldom hit: work for the garbage collector.
      interest.before = undefined;
      interest.hits = none;
    }
  }

  #matchEvent(event: EncodedEvent, position: number): void {
    this.#matchTopic(this.#places.get('*'), event, position);
    for (const name of event.names) this.#matchTopic(this.#places.get(name), event, position);
  }

  #matchTopic(byNamespace: ByNamespace | undefined, event: EncodedEvent, position: number): void {
    if (byNamespace === undefined) return;
    this.#matchNamespace(byNamespace.get('*'), event, position);
    if (event.namespace !== '*') this.#matchNamespace(byNamespace.get(event.namespace), event, position);
  }

  #matchNamespace(byKey: ByKey | undefined, event: EncodedEvent, position: number): void {
    if (byKey === undefined) return;
    this.#hit(byKey.get('*'), event, position);
    this.#hit(byKey.get(event.key), event, position);
    for (const key of event.filterKeys) this.#hit(byKey.get(key), event, position);
  }

  #hit(interests: Interest | Set<Interest> | undefined, event: EncodedEvent, position: number): void {
    if (interests === undefined) return;
    if (!(interests instanceof Set)) return this.#touch(interests, event, position);
    for (const interest of interests) this.#touch(interest, event, position);
  }

  #touch(interest: Interest, event: EncodedEvent, position: number): void {
    if (interest.stamp === this.#stamp && interest.hits.at(-1) === position) return;
    if (!interest.sees(event)) return;
    if (interest.stamp !== this.#stamp) {
      interest.stamp = this.#stamp;
      interest.hits = [position];
      interest.before = this.#found;
      this.#found = interest;
    } else (interest.hits as number[]).push(position);
  }

  #add(interest: Interest): Interest {
    this.#budget.take(placesIn(interest), interest.payer);
    const places = placesOf(interest);
    this.#byKey.set(interest.key, interest);
    for (const [namespace, topic, term] of places) {
      const byNamespace = this.#places.get(topic) ?? new Map<string, ByKey>();
      const byKey: ByKey = byNamespace.get(namespace) ?? new Map();
      const others = byKey.get(term);
      this.#places.set(
        topic,
        byNamespace.set(namespace, byKey.set(term, others ? withOthers(others, interest) : interest)),
      );
    }
    return interest;
  }

  /** Levels that have become empty go too: what once was asked for must not take memory for ever. */
  #remove(namespace: string, topic: string, key: string, interest: Interest): void {
    const byNamespace = this.#places.get(topic);
    const byKey = byNamespace?.get(namespace);
    const interests = byKey?.get(key);
    if (interests instanceof Set) interests.delete(interest);
    if (interests === interest || (interests as Set<Interest> | undefined)?.size === 0) byKey?.delete(key);
    if (byKey?.size === 0) byNamespace?.delete(namespace);
    if (byNamespace?.size === 0) this.#places.delete(topic);
  }
}

function withOthers(others: Interest | Set<Interest>, interest: Interest): Set<Interest> {
  return others instanceof Set ? others.add(interest) : new Set([others, interest]);
}

/** How many {@link placesOf} it has. */
const placesIn = ({ filter, namespaces }: Interest): number =>
  filter.size * (namespaces.isAll ? 1 : namespaces.names.length + 1);

/**
 * Events without a namespace pass every namespace filter: they are looked up under `''`, where every interest without
 * `*` stands too.
 */
function placesOf({ filter, namespaces }: Interest): [namespace: string, topic: string, key: string][] {
  const levels = namespaces.isAll ? ['*'] : ['', ...namespaces.names];
  const terms = filter.terms();
  return levels.flatMap((namespace) => terms.map(([topic, key]): [string, string, string] => [namespace, topic, key]));
}
