import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import { LeftObjects } from './left-objects.ts';
import { lowerBound } from '../../model/lower-bound.ts';
import type { NamespaceFilter } from './namespace-filter.ts';
import { PlaceList, type Placed } from './place-list.ts';
import { viewName } from './view-name.ts';
import { SharedChunk } from './shared-chunk.ts';
import { SharedSlices } from './shared-slices.ts';
import type { TopicFilter } from './topic-filter.ts';

/** Narrows an interest to the events that its subscribers' ACL lets them see; equal keys mean equal answers. */
export interface Visibility {
  readonly key: string;
  /** A topic's rule has a say: of two events of one object one may be seen, and not the other. */
  readonly byRules: boolean;
  sees(event: EncodedEvent): boolean;
}

/** A synced member: it gets what its interest gathered between two flushes, as one chunk that all members share. */
export interface InterestMember extends Placed {
  receive(chunk: SharedChunk): void;
}

/** Who waits for something that matches. */
export interface InterestWaiter extends Placed {
  wake(): void;
}

/** What a subscription asks for, and an interest is for. */
export type Asked = Pick<Interest, 'filter' | 'namespaces'>;

/** One for all interests that have nothing to flush: a list for each would be work for the garbage collector. */
const noParts: readonly BatchPart[] = Object.freeze([]);

/** How many matched indexes an interest remembers. */
const MAX_MATCHES = 128;

/**
 * One distinct filter: what was asked for, in which namespaces, as far as it may be seen. All subscriptions with an
 * equal one share it.
 *
 * It holds what it matched since the last flush (bounded by the buffer: the broker flushes before it trims what was not
 * flushed) and the last few indexes that matched, so that a reader of a rare key need not search the buffer for them.
 * Who is further behind does.
 */
export class Interest {
  readonly filter: TopicFilter;
  readonly namespaces: NamespaceFilter;
  readonly #visibility: Visibility | undefined;
  /** Passes every event, so that a batch need not be looked into. */
  readonly #isAll: boolean;
  readonly #members = new PlaceList<InterestMember>();
  readonly #waiters = new PlaceList<InterestWaiter>();
  #pending: readonly BatchPart[] = noParts;
  /** Indexes that matched, oldest first: all of them from `#completeFrom` on. */
  #matches: number[] = [];
  #completeFrom: number;
  #slices: SharedSlices | undefined;
  /** How many subscriptions share it; kept by the {@link InterestIndex}. */
  users = 0;
  /**
   * Scratch of the index while a batch is matched: which batch, the positions of its events, and the interest that was
   * found before.
   */
  stamp = 0;
  hits: readonly number[] = [];
  before: Interest | undefined;

  /** Canonical: equal for equal interests. */
  readonly key: string;
  /** Its readers read the state: of what is retained they get the newest, and are told what is no longer their own. */
  readonly isState: boolean;
  /** The accessor whose budget of places it takes. */
  readonly payer: string | undefined;
  #left: LeftObjects | undefined;
  #view: string | undefined;
  /** From this position on it knows all that left it. */
  knowsLeftFrom: number;
  /** How many events it has gathered: what readers of the state are spared is counted by it. */
  gathered = 0;

  constructor(
    key: string,
    filter: TopicFilter,
    namespaces: NamespaceFilter,
    visibility: Visibility | undefined,
    head: number,
    isState = false,
    payer?: string,
  ) {
    this.key = key;
    this.payer = payer;
    this.isState = isState;
    this.knowsLeftFrom = head + 1;
    this.filter = filter;
    this.namespaces = namespaces;
    this.#visibility = visibility;
    this.#isAll = filter.isAll && namespaces.isAll && visibility === undefined;
    this.#completeFrom = head + 1;
  }

  /** First index ≥ `position` that matches; Infinity when there is none yet; undefined when that is not remembered. */
  nextMatch(position: number): number | undefined {
    if (position < this.#completeFrom) return undefined;
    return this.#matches[this.#placeOf(position)] ?? Infinity;
  }

  /** Position of the newest that it was told to match; 0 before the first. */
  get newestMatch(): number {
    return this.#matches.at(-1) ?? 0;
  }

  /** Newest index that matches and is older than `limit`; 0 when none is remembered. */
  lastMatchBefore(limit: number): number {
    return this.#matches[this.#placeOf(limit) - 1] ?? 0;
  }

  /** The indexes begin anew. */
  restart(head: number): void {
    this.#matches = [];
    this.#pending = noParts;
    this.#slices = this.#left = undefined;
    this.#completeFrom = this.knowsLeftFrom = head + 1;
  }

  /** What left it, though nothing removed it; undefined when nothing did. */
  get left(): LeftObjects | undefined {
    return this.#left;
  }

  get leftObjects(): LeftObjects {
    return (this.#left ??= new LeftObjects());
  }

  /** What its readers that are behind share. */
  get slices(): SharedSlices {
    return (this.#slices ??= new SharedSlices());
  }

  /** Position of the oldest that matched and is not flushed yet. */
  get oldestPending(): number | undefined {
    return this.#pending[0]?.position;
  }

  /** A short name of what it shows: the same for equal ones, in every process. */
  get view(): string {
    return (this.#view ??= viewName(this.key));
  }

  /** Rights or a topic's rule decide of each event, beside the filter. */
  get looksAtEvents(): boolean {
    return this.#visibility !== undefined;
  }

  /** As {@link looksAtEvents}, where a topic's rule has a say. */
  get asksRules(): boolean {
    return this.#visibility?.byRules === true;
  }

  sees(event: EncodedEvent): boolean {
    return this.#visibility === undefined || this.#visibility.sees(event);
  }

  /**
   * The part of a batch that this interest matches: for readers that are behind. News of ACLs alone has no events, and
   * is nobody's.
   * @param isMatch it is known to match
   */
  partOf(batch: EncodedBatch, isMatch = false): BatchPart | undefined {
    const { length } = batch.events;
    if (length > 0 && (this.#isAll || (isMatch && length === 1))) return batch;
    const hits: number[] = [];
    batch.events.forEach((event, i) => {
      if (this.passes(event)) hits.push(i);
    });
    return hits.length === 0 ? undefined : batch.part(hits);
  }

  /** Whether it matches this event. */
  passes(event: EncodedEvent): boolean {
    return this.namespaces.passes(event.namespace) && this.filter.matchesAny(event.names, event) && this.sees(event);
  }

  /**
   * Takes what a new batch holds for it, and wakes who waits.
   * @returns whether it has something to flush now and had nothing before
   */
  gather(part: BatchPart): boolean {
    this.#remember(part.position);
    this.gathered += part.events.length;
    const isFirst = this.#members.size > 0 && this.#addPending(part);
    if (this.#waiters.size > 0) this.wakeAll();
    return isFirst;
  }

  /** There is something at this position that its readers have to come past. */
  concern(position: number): void {
    this.#remember(position);
  }

  #addPending(part: BatchPart): boolean {
    const isFirst = this.#pending.length === 0;
    // A literal has room for one, and with most interests it stays at that.
    if (isFirst) this.#pending = [part];
    else (this.#pending as BatchPart[]).push(part);
    return isFirst;
  }

  /** Wakes it once, as soon as something matches. */
  wait(waiter: InterestWaiter): void {
    this.#waiters.add(waiter);
  }

  /** It no longer waits. */
  unwait(waiter: InterestWaiter): void {
    this.#waiters.remove(waiter);
  }

  wakeAll(): void {
    for (const waiter of this.#waiters.takeAll()) waiter.wake();
  }

  join(member: InterestMember): void {
    this.#members.add(member);
  }

  leave(member: InterestMember): void {
    this.#members.remove(member);
  }

  /** Hands what is pending to every member, and forgets it. @returns how many writes were saved by joining it */
  flush(): number {
    const parts = this.#pending;
    if (parts.length === 0) return 0;
    const saved = (parts.length - 1) * this.#members.size;
    this.#pending = noParts;
    const chunk = new SharedChunk(parts, this);
    // One may leave while another receives. No call by a closure: it would cost a twentieth of a delivery.
    for (const member of this.#members.all()) if (this.#members.has(member)) member.receive(chunk);
    return saved;
  }

  #placeOf(index: number): number {
    const matches = this.#matches;
    return lowerBound(0, matches.length, (place) => (matches[place] as number) < index);
  }

  #remember(index: number): void {
    if (this.#matches.push(index) <= MAX_MATCHES) return;
    const forgotten = this.#matches.splice(0, MAX_MATCHES / 2);
    this.#completeFrom = (forgotten.at(-1) ?? 0) + 1;
  }
}
