import invariant from 'tiny-invariant';
import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { ByteLedger, EncodedEvent } from '../batch/encoded-event.ts';
import { objectName } from '../batch/state-part.ts';
import type { Asked } from '../matching/interest.ts';
import type { Topics } from '../../model/topics.ts';
import { PositionList } from '../matching/position-list.ts';
import type { CheckedBuffer } from './event-buffer.ts';
import type { RemovalRules } from './removal-rules.ts';
import type { StateChange } from './state-changes.ts';
import { StateEntry } from './state-entry.ts';
import { StatePartition } from './state-partition.ts';
import { questionOf, TrimMemory } from './trim-memory.ts';

/** What is kept of it at most. */
type StateBounds = Pick<CheckedBuffer, 'maxRetainedKeys' | 'maxRetainedBytes' | 'maxRemovals' | 'maxTrimEntries'>;

/** What is known of what was forgotten. */
interface Forgotten {
  readonly keys: TrimMemory;
  readonly removals: TrimMemory;
  /** Events that took the place of others which somebody may have seen, though not them. */
  readonly shifts: TrimMemory;
}

/** An entry, and its place in the maps and lists; measured by `npm run bench`, scenario "state". */
const ENTRY_BYTES = 150;

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
  #forgotten: Forgotten;
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
    this.#forgotten = nothingForgotten(bounds);
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
   * @param pins {@link objectName} of the objects that it is known to hold the newest of, where that is not all of them
   * @returns what it changed; undefined where nothing of it is retained
   */
  append(batch: EncodedBatch, pins?: ReadonlySet<string>): readonly StateChange[] | undefined {
    // Most brokers retain nothing, and a publish is not to cost more for it.
    if (!this.#isUsed) return undefined;
    let changes: Changes | undefined;
    for (let place = 0; place < batch.events.length; place++) {
      const event = batch.events[place] as EncodedEvent;
      if (!this.#topics.retains(event.topic) || pins?.has(objectName(event)) === false) continue;
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
    this.#loseUpTo(oldest);
  }

  /** Position of the first record from here on that cannot be read; Infinity when there is none. */
  nextUnreadable(position: number): number {
    return this.#unreadable.find((one) => one >= position) ?? Infinity;
  }

  /** Newest forgotten key that such a reader could have seen; 0 when there is none. */
  lastLostKey(asked: Asked): number {
    return this.#forgotten.keys.lastFor(questionOf(asked));
  }

  /** Whether such a reader, who knows what came up to `position`, may miss what was forgotten. */
  hasLostSince(position: number, asked: Asked): boolean {
    if (this.#newestLost <= position) return false;
    const question = questionOf(asked);
    const { keys, removals } = this.#forgotten;
    return removals.lastFor(question) > position || keys.lastFor(question) > position;
  }

  /** Whether events after `position` may have taken the place of others that such a reader saw, but not them. */
  hasShiftedSince(position: number, asked: Asked): boolean {
    // By an alias's own name nothing is remembered of an event that it does not cover, which is what takes the place.
    const topics = [...asked.filter.topics].map((name) => this.#topics.definition(name)?.aliasOf ?? name);
    return this.#forgotten.shifts.lastFor({ ...questionOf(asked), topics }) > position;
  }

  /** What came up to here was not seen: of a log that was trimmed. */
  startAfter(position: number, hasKeys: boolean): void {
    this.#isPartial = true;
    const { keys, removals, shifts } = this.#forgotten;
    removals.forgetUpTo(position);
    shifts.forgetUpTo(position);
    if (!hasKeys) keys.forgetUpTo(position);
    this.#newestLost = Math.max(this.#newestLost, position);
  }

  /** Forgets everything: the positions begin anew. */
  restart(): void {
    for (const { event } of this.#all.from(0)) event.letGo();
    this.#partitions = new Map();
    this.#all = new PositionList();
    this.#keys = new PositionList();
    this.#removals = new PositionList();
    this.#ledger = { bytes: 0 };
    this.#unreadable = [];
    this.#forgotten = nothingForgotten(this.#bounds);
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
    const mayBeRemoved = forgottenIn(this.#forgotten.removals);
    this.restart();
    this.isLoaded = true;
    this.#forgotten = older.#forgotten;
    this.#isPartial = older.#isPartial;
    this.#newestLost = older.#newestLost;
    this.#unreadable = [...older.#unreadable, ...unreadable];
    this.#lastRemoval = Math.max(older.#lastRemoval, lastRemoval);
    // What else was remembered meanwhile is not told apart any more.
    this.#loseUpTo(newestLost);
    this.#forgotten.shifts.forgetUpTo(newer.at(-1)?.position ?? 0);
    for (const entry of older.#all.from(0)) {
      const { topic, namespace, key } = entry.event;
      const isKnown = known.get(topic)?.get(namespace)?.byKey.has(key) === true;
      // It may have been removed since, by what is not remembered: told as lost, above, rather than shown.
      if (!isKnown && !mayBeRemoved(topic, namespace)) this.#keep(entry);
    }
    for (const entry of newer) this.#keep(entry);
    this.#enforceBounds();
  }

  /** Keys and removals up to here are not known any more, whosever they were. */
  #loseUpTo(position: number): void {
    this.#forgotten.keys.forgetUpTo(position);
    this.#forgotten.removals.forgetUpTo(position);
    this.#newestLost = Math.max(this.#newestLost, position);
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
    if (isParting || (known === undefined && this.#isPartial)) this.#forgotten.shifts.remember(event, batch.position);
  }

  #partitionOf({ topic, namespace }: EncodedEvent): StatePartition {
    const byNamespace = this.#partitions.get(topic) ?? new Map<string, StatePartition>();
    const known = byNamespace.get(namespace);
    if (known !== undefined) return known;
    const partition = new StatePartition();
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
    this.#ledger.bytes += ENTRY_BYTES;
    if (event.filterKeys.length === 0 || partition.hasFilterKeys) return;
    partition.hasFilterKeys = true;
    this.#version++;
  }

  /** Something newer stands in its place. */
  #bury(entry: StateEntry, partition: StatePartition): void {
    entry.isDead = true;
    entry.event.letGo();
    this.#ledger.bytes -= ENTRY_BYTES;
    partition.list.countDead();
    this.#all.countDead();
    this.#kindOf(entry).countDead();
  }

  #kindOf({ isRemoval }: StateEntry): PositionList<StateEntry> {
    return isRemoval ? this.#removals : this.#keys;
  }

  #enforceBounds(): void {
    const { maxRetainedKeys, maxRetainedBytes, maxRemovals } = this.#bounds;
    // While a log is read, only memory bounds them: of what comes of it those that were removed since are left out.
    const most = this.isLoaded ? maxRemovals : Infinity;
    while (this.removals > most || (this.bytes > maxRetainedBytes && this.removals > 0))
      this.#forget(this.#removals.oldest, this.#forgotten.removals);
    while (this.size > maxRetainedKeys || (this.bytes > maxRetainedBytes && this.size > 0))
      this.#forget(this.#keys.oldest, this.#forgotten.keys);
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

/** Tells whether a removal of an object of a topic and namespace was forgotten. Mostly none was. */
function forgottenIn(removals: TrimMemory): (topic: string, namespace: string) => boolean {
  if (removals.lastFor({ topics: ['*'], passesNamespace: () => true }) === 0) return () => false;
  const answers = new Map<string, boolean>();
  return (topic, namespace) => {
    const pair = JSON.stringify([topic, namespace]);
    const isForgotten =
      answers.get(pair) ?? removals.lastFor({ topics: [topic], passesNamespace: (one) => one === namespace }) > 0;
    answers.set(pair, isForgotten);
    return isForgotten;
  };
}

const nothingForgotten = ({ maxTrimEntries }: StateBounds): Forgotten => ({
  keys: new TrimMemory(maxTrimEntries),
  removals: new TrimMemory(maxTrimEntries),
  shifts: new TrimMemory(maxTrimEntries),
});

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
