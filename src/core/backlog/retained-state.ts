import invariant from 'tiny-invariant';
import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { ByteLedger, EncodedEvent } from '../batch/encoded-event.ts';
import type { Asked } from '../matching/interest.ts';
import type { ObjectKey } from '../../model/event.ts';
import type { Topics } from '../../model/topics.ts';
import { PositionList } from './position-list.ts';
import type { RemovalRules } from './removal-rules.ts';
import type { StateChange } from './state-changes.ts';
import { StateEntry } from './state-entry.ts';
import { StatePartition } from './state-partition.ts';
import { questionOf, TrimMemory } from './trim-memory.ts';

/** What is kept of it at most. */
export interface StateBounds {
  readonly maxRetainedKeys: number;
  readonly maxRetainedBytes: number;
  readonly maxRemovals: number;
  readonly maxTrimEntries: number;
}

/** By entry, in the order of the events. */
type Changes = Map<StateEntry, StateChange>;

/** So many records that cannot be read are remembered one by one. */
const MAX_UNREADABLE = 64;

/**
 * The compacted backlog: of each key of a topic with `retain: 'latest'`, the newest event, or the one that removed it,
 * in the order of their positions. What no longer fits is forgotten from the old end, removals first, and remembered by
 * position only, as in the buffer.
 */
export class RetainedState {
  readonly #topics: Topics;
  readonly #rules: RemovalRules;
  readonly #isUsed: boolean;
  readonly #bounds: StateBounds;
  #partitions = new Map<string, Map<string, StatePartition>>();
  #all = new PositionList<StateEntry>();
  /** The same in two: what is there, and what was removed. */
  #keys = new PositionList<StateEntry>();
  #removals = new PositionList<StateEntry>();
  #ledger: ByteLedger = { bytes: 0 };
  /** Positions of records that cannot be read, oldest first. */
  #unreadable: number[] = [];
  #lostKeys: TrimMemory;
  #lostRemovals: TrimMemory;
  #shifts: TrimMemory;
  #newestLost = 0;
  #lastRemoval = 0;
  #version = 0;
  /** Some of what came before is not known. */
  #isPartial = false;
  /** How many events were superseded before slow readers came to them. Counted by who reads. */
  skipped = 0;
  /** What a log holds is here. */
  isLoaded = true;

  constructor(topics: Topics, rules: RemovalRules, bounds: StateBounds) {
    this.#topics = topics;
    this.#rules = rules;
    this.#isUsed = topics.retained.length > 0;
    this.#bounds = bounds;
    this.#lostKeys = new TrimMemory(bounds.maxTrimEntries);
    this.#lostRemovals = new TrimMemory(bounds.maxTrimEntries);
    this.#shifts = new TrimMemory(bounds.maxTrimEntries);
  }

  /** How many keys it has. */
  get size(): number {
    return this.#keys.size;
  }

  get removals(): number {
    return this.#removals.size;
  }

  /** About how much memory its events take; those that the buffer holds too are counted here as well. */
  get bytes(): number {
    return this.#ledger.bytes;
  }

  /** Changes when partitions come and go: what was found out about them before counts no more. */
  get version(): number {
    return this.#version;
  }

  /**
   * What was removed or forgotten up to here is not among what is read from now on: who begins needs not hear of it.
   */
  get floor(): number {
    return Math.max(this.#lastRemoval, this.#newestLost);
  }

  /** Position of the oldest entry; undefined when there is none. */
  get oldest(): number | undefined {
    return this.#all.oldest?.position;
  }

  /** All entries, in the order of their positions. */
  get all(): PositionList<StateEntry> {
    return this.#all;
  }

  /** The partitions of a topic, by namespace. */
  partitionsOf(topic: string): ReadonlyMap<string, StatePartition> | undefined {
    return this.#partitions.get(topic);
  }

  /**
   * Takes what a batch holds for it.
   * @param pins {@link pinOf} the keys of which it is known to hold the newest, where it is not that of all of its keys
   * @returns what it changed; undefined where nothing of it is retained
   */
  append(batch: EncodedBatch, pins?: ReadonlySet<string>): readonly StateChange[] | undefined {
    // Most brokers retain nothing, and a publish is not to cost more for it.
    if (!this.#isUsed) return undefined;
    let changes: Changes | undefined;
    for (let place = 0; place < batch.events.length; place++) {
      const event = batch.events[place] as EncodedEvent;
      if (!this.#topics.retains(event.topic) || pins?.has(pinOf(event)) === false) continue;
      this.#put(batch, place, (changes ??= new Map()));
    }
    if (changes === undefined) return undefined;
    this.#enforceBounds();
    return [...changes.values()];
  }

  /** A record that cannot be read stands here: it may have changed any key. */
  appendUnreadable(position: number): void {
    this.#unreadable.push(position);
    if (this.#unreadable.length <= MAX_UNREADABLE) return;
    const oldest = this.#unreadable.shift() ?? 0;
    this.#lostKeys.forgetUpTo(oldest);
    this.#lostRemovals.forgetUpTo(oldest);
    this.#newestLost = Math.max(this.#newestLost, oldest);
  }

  /** Position of the first record from here on that cannot be read; Infinity when there is none. */
  nextUnreadable(position: number): number {
    return this.#unreadable.find((one) => one >= position) ?? Infinity;
  }

  /** Newest forgotten key that such a reader could have seen; 0 when there is none. */
  lastLostKey(asked: Asked): number {
    return this.#lostKeys.lastFor(questionOf(asked));
  }

  /** Whether such a reader, who knows what came up to `position`, may miss what was forgotten. */
  hasLostSince(position: number, asked: Asked): boolean {
    if (this.#newestLost <= position) return false;
    const question = questionOf(asked);
    return this.#lostRemovals.lastFor(question) > position || this.#lostKeys.lastFor(question) > position;
  }

  /** Whether events after `position` may have taken the place of others that such a reader saw, but not them. */
  hasShiftedSince(position: number, asked: Asked): boolean {
    return this.#shifts.lastFor(questionOf(asked)) > position;
  }

  /** What came up to here was not seen: of a log that was trimmed. */
  startAfter(position: number, hasKeys: boolean): void {
    this.#isPartial = true;
    this.#lostRemovals.forgetUpTo(position);
    this.#shifts.forgetUpTo(position);
    if (!hasKeys) this.#lostKeys.forgetUpTo(position);
    this.#newestLost = Math.max(this.#newestLost, position);
  }

  /** Forgets everything: the positions begin anew. */
  restart(): void {
    const { maxTrimEntries } = this.#bounds;
    for (const { event } of this.#all.from(0)) event.letGo();
    this.#partitions = new Map();
    this.#all = new PositionList();
    this.#keys = new PositionList();
    this.#removals = new PositionList();
    this.#ledger = { bytes: 0 };
    this.#unreadable = [];
    this.#lostKeys = new TrimMemory(maxTrimEntries);
    this.#lostRemovals = new TrimMemory(maxTrimEntries);
    this.#shifts = new TrimMemory(maxTrimEntries);
    this.#newestLost = this.#lastRemoval = 0;
    this.#isPartial = false;
    this.#version++;
    this.isLoaded = !this.#isUsed;
  }

  /** One of the same kind, empty: to read a log into. */
  blank(): RetainedState {
    return new RetainedState(this.#topics, this.#rules, this.#bounds);
  }

  /** Takes what was read of a log, all of it older than what came since: that counts. */
  load(older: RetainedState): void {
    const newer = [...this.#all.from(0)];
    const [unreadable, lastRemoval, newestLost] = [this.#unreadable, this.#lastRemoval, this.#newestLost];
    const known = this.#partitions;
    this.restart();
    this.isLoaded = true;
    this.#lostKeys = older.#lostKeys;
    this.#lostRemovals = older.#lostRemovals;
    this.#shifts = older.#shifts;
    this.#isPartial = older.#isPartial;
    this.#newestLost = Math.max(older.#newestLost, newestLost);
    this.#unreadable = [...older.#unreadable, ...unreadable];
    this.#lastRemoval = Math.max(older.#lastRemoval, lastRemoval);
    // What else was remembered meanwhile is not told apart any more.
    for (const memory of [this.#lostKeys, this.#lostRemovals]) memory.forgetUpTo(newestLost);
    this.#shifts.forgetUpTo(newer.at(-1)?.position ?? 0);
    for (const entry of older.#all.from(0)) {
      const { topic, namespace, key } = entry.event;
      if (known.get(topic)?.get(namespace)?.byKey.has(key) !== true) this.#keep(entry);
    }
    for (const entry of newer) this.#keep(entry);
    this.#enforceBounds();
  }

  #put(batch: EncodedBatch, place: number, changes: Changes): void {
    const event = batch.events[place] as EncodedEvent;
    const entry = new StateEntry(batch, place, this.#rules.removes(event));
    const partition = this.#partitionOf(event);
    const known = partition.byKey.get(event.key);
    if (known !== undefined) this.#bury(known, partition);
    this.#keep(entry);
    if (entry.isRemoval) this.#lastRemoval = entry.position;
    // One that stands in this batch too is its change so far.
    const earlier = known && changes.get(known);
    if (known && earlier) changes.delete(known);
    // A removal too: a reader that has not come to it yet still holds what it removed.
    const before = [...(earlier?.before ?? []), ...(known === undefined ? [] : [known.event])];
    const isParting = before.some((one) => mayPart(one, event, this.#topics));
    changes.set(entry, { entry, before, mayPart: isParting });
    // Of a key that nothing is known of, in a log that was trimmed, nobody knows what came before.
    if (isParting || (known === undefined && this.#isPartial)) this.#shifts.remember(event, batch.position);
  }

  #partitionOf({ topic, namespace }: EncodedEvent): StatePartition {
    const byNamespace = this.#partitions.get(topic) ?? new Map<string, StatePartition>();
    const known = byNamespace.get(namespace);
    if (known !== undefined) return known;
    const partition = new StatePartition(topic, namespace);
    this.#partitions.set(topic, byNamespace.set(namespace, partition));
    this.#version++;
    return partition;
  }

  #keep(entry: StateEntry): void {
    const { event } = entry;
    const partition = this.#partitionOf(event);
    partition.byKey.set(event.key, entry);
    partition.list.push(entry);
    this.#all.push(entry);
    this.#kindOf(entry).push(entry);
    event.keepIn(this.#ledger);
    if (event.filterKeys.length === 0 || partition.hasFilterKeys) return;
    partition.hasFilterKeys = true;
    this.#version++;
  }

  /** Something newer stands in its place. */
  #bury(entry: StateEntry, partition: StatePartition): void {
    entry.isDead = true;
    entry.event.letGo();
    partition.list.countDead();
    this.#all.countDead();
    this.#kindOf(entry).countDead();
  }

  #kindOf({ isRemoval }: StateEntry): PositionList<StateEntry> {
    return isRemoval ? this.#removals : this.#keys;
  }

  #enforceBounds(): void {
    const { maxRetainedKeys, maxRetainedBytes, maxRemovals } = this.#bounds;
    while (this.removals > maxRemovals || (this.bytes > maxRetainedBytes && this.removals > 0))
      this.#forget(this.#removals.oldest, this.#lostRemovals);
    while (this.size > maxRetainedKeys || (this.bytes > maxRetainedBytes && this.size > 0))
      this.#forget(this.#keys.oldest, this.#lostKeys);
  }

  #forget(entry: StateEntry | undefined, memory: TrimMemory): void {
    invariant(entry, 'what is over a bound holds something');
    const { topic, namespace, key } = entry.event;
    const byNamespace = this.#partitions.get(topic);
    const partition = byNamespace?.get(namespace);
    invariant(partition, 'an entry has a partition');
    this.#bury(entry, partition);
    partition.byKey.delete(key);
    memory.remember(entry.event, entry.position);
    this.#newestLost = Math.max(this.#newestLost, entry.position);
    if (partition.byKey.size > 0) return;
    byNamespace?.delete(namespace);
    if (byNamespace?.size === 0) this.#partitions.delete(topic);
    this.#version++;
  }
}

/** What a log keeps the newest record of an object by. */
export const pinOf = ({ topic, namespace, key }: ObjectKey): string => JSON.stringify([topic, namespace, key]);

/**
 * Whether somebody may see the one event of a key and not the other: they can be asked for by other names or keys, or a
 * topic's rule looks at them.
 */
function mayPart(one: EncodedEvent, other: EncodedEvent, topics: Topics): boolean {
  return (
    !isSame(one.names, other.names) ||
    !isSame(one.filterKeys, other.filterKeys) ||
    one.names.some((name) => topics.rulesFor(name).length > 0)
  );
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one === other || (one.length === other.length && one.every((text, i) => text === other[i]));
