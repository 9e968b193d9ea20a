import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import { lowerBound } from './lower-bound.ts';
import type { NamespaceFilter } from './namespace-filter.ts';
import type { StreamFormat } from '../batch/stream-format.ts';
import type { TopicFilter } from './topic-filter.ts';

/** Narrows an interest to the events that its subscribers' ACL lets them see; equal keys mean equal answers. */
export interface Sight {
  readonly key: string;
  sees(event: EncodedEvent): boolean;
}

/** A synced member: it gets what its interest gathered in a turn, as one chunk that all members share. */
export interface InterestMember {
  /** Place in the interest's list; kept by the interest. */
  place: number;
  receive(turn: Turn): void;
}

/** Who waits for something that matches. */
export interface InterestWaiter {
  offered(): void;
}

/** What a subscription asks for, and an interest is for. */
export type Asked = Pick<Interest, 'filter' | 'namespaces'>;

/** What one interest gathered since the last flush, encoded once per format. */
export class Turn {
  readonly #parts: readonly BatchPart[];
  #format: StreamFormat | undefined;
  #chunk: Uint8Array | undefined;

  constructor(parts: readonly BatchPart[]) {
    this.#parts = parts;
  }

  /** The chunk in a format: one object for all members that read in it one after another. */
  chunk(format: StreamFormat): Uint8Array {
    if (this.#chunk !== undefined && this.#format === format) return this.#chunk;
    let text = '';
    for (const part of this.#parts) text += format.batch(part);
    this.#format = format;
    return (this.#chunk = format.encode(text));
  }
}

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
  readonly #sight: Sight | undefined;
  /** Passes every event, so that a batch need not be looked into. */
  readonly #isAll: boolean;
  #members: InterestMember[] = [];
  #waiters: InterestWaiter[] = [];
  #pending: BatchPart[] = [];
  /** Indexes that matched, oldest first: all of them from `#completeFrom` on. */
  #matches: number[] = [];
  #completeFrom: number;
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

  constructor(key: string, filter: TopicFilter, namespaces: NamespaceFilter, sight: Sight | undefined, head: number) {
    this.key = key;
    this.filter = filter;
    this.namespaces = namespaces;
    this.#sight = sight;
    this.#isAll = filter.isAll && namespaces.isAll && sight === undefined;
    this.#completeFrom = head + 1;
  }

  /** First index ≥ `position` that matches; Infinity when there is none yet; undefined when that is not remembered. */
  nextMatch(position: number): number | undefined {
    if (position < this.#completeFrom) return undefined;
    return this.#matches[this.#placeOf(position)] ?? Infinity;
  }

  /** Newest index that matches and is older than `limit`; 0 when none is remembered. */
  lastMatchBefore(limit: number): number {
    return this.#matches[this.#placeOf(limit) - 1] ?? 0;
  }

  /** The indexes begin anew. */
  restart(head: number): void {
    this.#matches = [];
    this.#pending = [];
    this.#completeFrom = head + 1;
  }

  /** Index of the oldest that matched and is not flushed yet. */
  get oldestPending(): number | undefined {
    return this.#pending[0]?.index;
  }

  sees(event: EncodedEvent): boolean {
    return this.#sight === undefined || this.#sight.sees(event);
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
      if (this.#passes(event)) hits.push(i);
    });
    return hits.length === 0 ? undefined : batch.part(hits);
  }

  #passes(event: EncodedEvent): boolean {
    return this.namespaces.passes(event.namespace) && this.filter.matchesAny(event.names, event) && this.sees(event);
  }

  /**
   * Takes what a new batch holds for it, for its members to be written. @returns true when it is the first since the
   * last flush
   */
  offer(part: BatchPart): boolean {
    this.#remember(part.index);
    const isFirst = this.#members.length > 0 && this.#gather(part);
    if (this.#waiters.length > 0) this.wakeAll();
    return isFirst;
  }

  #gather(part: BatchPart): boolean {
    const isFirst = this.#pending.length === 0;
    // A literal has room for one, and with most interests it stays at that.
    if (isFirst) this.#pending = [part];
    else this.#pending.push(part);
    return isFirst;
  }

  /** Calls once, as soon as something matches. */
  wait(waiter: InterestWaiter): void {
    this.#waiters.push(waiter);
  }

  /** A waiter that no longer waits. */
  unwait(waiter: InterestWaiter): void {
    const place = this.#waiters.lastIndexOf(waiter);
    if (place >= 0) this.#waiters.splice(place, 1);
  }

  wakeAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.offered();
  }

  join(member: InterestMember): void {
    member.place = this.#members.push(member) - 1;
  }

  leave(member: InterestMember): void {
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[member.place] = last;
    last.place = member.place;
  }

  /** Hands what is pending to every member, and forgets it. @returns how many writes were saved by joining it */
  flush(): number {
    const parts = this.#pending;
    if (parts.length === 0) return 0;
    const saved = (parts.length - 1) * this.#members.length;
    this.#pending = [];
    const turn = new Turn(parts);
    // One may leave while another receives.
    for (const member of [...this.#members]) if (this.#members[member.place] === member) member.receive(turn);
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
