import type { BatchPart, EncodedBatch } from '../batch/encoded-batch.ts';
import { objectOf, StatePart, type PartOrigin } from '../batch/state-part.ts';
import type { Interest } from '../matching/interest.ts';
import type { Gap } from '../../model/gap.ts';
import type { Topics } from '../../model/topics.ts';
import type { EventBuffer } from './event-buffer.ts';
import type { RetainedState } from './retained-state.ts';
import type { StateEntry } from './state-entry.ts';
import type { StateSource } from './state-partition.ts';
import { sourceOf } from './state-source.ts';
import { questionOf } from './trim-memory.ts';

/** What a state is read from. */
export interface StateBacklog {
  readonly buffer: EventBuffer;
  readonly state: RetainedState;
  readonly topics: Topics;
}

/** Where the reading of a state starts. */
export interface StateStart {
  /** Removals up to here are of keys that the reader never had; undefined for one that begins now. */
  readonly since: number | undefined;
  /** What is not retained is read from here on. */
  readonly plainFrom: number;
  /** What is shown rests on rights or on the host, not on what is asked for alone. */
  readonly isNarrowed: boolean;
}

/**
 * How a cursor reads the state: what is retained from the compacted backlog, in the order of positions, and what is not
 * retained from the buffer.
 *
 * At each position it holds: of every key whose newest event stands before it, the reader was handed just that. So it
 * needs no list of what the reader has, however slow that is.
 */
export class StateReading {
  readonly #backlog: StateBacklog;
  /** Removals up to here are not told: what they removed was not there any more when the reading began. */
  #floor: number | undefined;
  #plainFrom: number;
  readonly #isNarrowed: boolean;
  #isCurrent = false;
  #interest: Interest;
  #hasPlain: boolean;
  #source: StateSource | undefined;
  #version = -1;
  /** Where the next that is not retained stands, as far as it was looked for. */
  #plainNext = 0;
  /** Since when what was handed over is counted, to tell what was spared: events gathered until then, and the head. */
  #counted = { gathered: 0, position: 0, spared: 0 };
  #handedOver = 0;
  #skipped = 0;

  constructor(backlog: StateBacklog, interest: Interest, { since, plainFrom, isNarrowed }: StateStart) {
    this.#backlog = backlog;
    this.#floor = since;
    this.#plainFrom = plainFrom;
    this.#isNarrowed = isNarrowed;
    this.#interest = interest;
    this.#hasPlain = hasPlain(interest, backlog.topics);
    this.count();
  }

  /** What a log holds is here. */
  get isReady(): boolean {
    return this.#backlog.state.isLoaded;
  }

  /** How many events were superseded before the reader came to them. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Another state may be shown to the same request: who resumes has to say which one it read. */
  get needsMark(): boolean {
    return this.#isNarrowed || this.#interest.looksAtEvents;
  }

  /** What it reads can be shared with others who read it from the same floor. */
  isSharedFrom(position: number): boolean {
    return !this.#hasPlain || position >= this.#plainFrom;
  }

  /** Removals up to here are not told. Found out when first asked for: the state is read from then on. */
  get floor(): number {
    return (this.#floor ??= Math.max(this.#backlog.state.floor, this.#interest.left?.lastPosition ?? 0));
  }

  /** What the reader holds of a state counts no more: it is read anew, with this interest. */
  restart(interest: Interest): void {
    this.#interest = interest;
    this.#hasPlain = hasPlain(interest, this.#backlog.topics);
    this.#floor = this.#source = undefined;
    this.#isCurrent = false;
    this.#plainNext = 0;
    this.count();
  }

  /** What is not retained is read from here on. */
  readPlainFrom(position: number): void {
    this.#plainFrom = position;
    this.#plainNext = 0;
  }

  /** Whether a reader that knows all up to `position` may miss what was forgotten. */
  hasLostSince(position: number): boolean {
    const known = Math.max(position, this.floor);
    return this.#backlog.state.hasLostSince(known, this.#interest) || (this.#interest.left?.forgottenUpTo ?? 0) > known;
  }

  /** Tells once that all is here. @returns whether that was still to be told */
  tellCurrent(): boolean {
    const isDue = !this.#isCurrent;
    this.#isCurrent = true;
    return isDue;
  }

  /** It was not told after all. */
  returnCurrent(): void {
    this.#isCurrent = false;
  }

  /** All there is was handed over: what was gathered beyond it was spared. */
  settle(): void {
    this.#spare(this.#behindBy);
    this.count();
  }

  /** How many events were gathered since it was counted last and not handed over: spared, or still to come. */
  get #behindBy(): number {
    return this.#interest.gathered - this.#counted.gathered - this.#handedOver;
  }

  /** @param events at least so many were spared since it was counted last */
  #spare(events: number): void {
    const more = events - this.#counted.spared;
    if (more <= 0) return;
    this.#counted.spared = events;
    this.#skipped += more;
    this.#backlog.state.skipped += more;
  }

  /** Counts anew from here. */
  count(): void {
    this.#counted = { gathered: this.#interest.gathered, position: this.#backlog.buffer.head, spared: 0 };
    this.#handedOver = 0;
  }

  /**
   * What is missing of what is not retained, between positions: it was trimmed. Told once.
   * @param from what comes before it was read
   */
  takePlainGap(from: number): Gap | undefined {
    const { buffer, topics } = this.#backlog;
    const start = Math.max(from, this.#plainFrom);
    if (!this.#hasPlain || start >= buffer.first) return undefined;
    this.readPlainFrom(buffer.first);
    const question = { ...questionOf(this.#interest), skips: (topic: string) => topics.retains(topic) };
    const lost = buffer.lastTrimmedFor(question);
    return lost < start ? undefined : { from: start, to: lost, reason: 'slow' };
  }

  /**
   * The first part from `from` to `end`; a position where a record cannot be read; undefined where there is neither.
   */
  next(from: number, end: number): BatchPart | number | undefined {
    const { state } = this.#backlog;
    const { floor } = this;
    const source = this.#currentSource();
    const left = this.#interest.left?.next(Math.max(from, floor + 1)) ?? Infinity;
    const plain = this.#hasPlain ? this.#nextPlain(from) : Infinity;
    const unreadable = state.nextUnreadable(from);
    const at = Math.min(source.next(from, this.#passes), left, plain, unreadable);
    if (at > end) return undefined;
    if (at === unreadable) return at;
    return this.#tally(this.#partAt(at, source, at === plain));
  }

  #currentSource(): StateSource {
    const { state, topics } = this.#backlog;
    if (this.#source !== undefined && this.#version === state.version) return this.#source;
    this.#version = state.version;
    return (this.#source = sourceOf(state, this.#interest, topics));
  }

  readonly #passes = ({ event, isRemoval, position }: StateEntry): boolean =>
    (!isRemoval || position > this.floor) && this.#interest.passes(event);

  #nextPlain(from: number): number {
    const { buffer } = this.#backlog;
    const start = Math.max(from, this.#plainFrom);
    if (this.#plainNext >= start) return this.#plainNext;
    let next = buffer.head + 1;
    for (let ordinal = buffer.ordinalOf(start); ; ordinal++) {
      const batch = buffer.at(ordinal);
      if (batch === undefined) break;
      if (!batch.events.some((event) => this.#isPlain(event) && this.#interest.passes(event))) continue;
      next = batch.position;
      break;
    }
    // Nothing up to the head: what comes after it is looked for then.
    if (next > buffer.head) return Infinity;
    return (this.#plainNext = next);
  }

  #isPlain({ topic }: { readonly topic: string }): boolean {
    return !this.#backlog.topics.retains(topic);
  }

  #partAt(position: number, source: StateSource, hasPlain: boolean): BatchPart {
    const { buffer } = this.#backlog;
    const entries = [...source.at(position)].filter(this.#passes).toSorted((one, other) => one.place - other.place);
    const left = position > this.floor ? [...(this.#interest.left?.at(position) ?? [])] : [];
    const batch = hasPlain ? buffer.at(buffer.ordinalOf(position)) : undefined;
    const events = batch === undefined ? entries.map(({ event }) => event) : this.#eventsOf(batch, entries);
    const removed = [
      ...entries.filter(({ isRemoval }) => isRemoval).map(({ event }) => objectOf(event)),
      ...left.map(({ object }) => object),
    ];
    const origin: PartOrigin | undefined = entries[0] ?? batch ?? left[0]?.by;
    return new StatePart(origin as PartOrigin, events, Object.freeze(removed));
  }

  /** In the order in which they were published. */
  #eventsOf(batch: EncodedBatch, entries: readonly StateEntry[]) {
    const newest = new Set(entries.map(({ place }) => place));
    return batch.events.filter(
      (event, place) => newest.has(place) || (this.#isPlain(event) && this.#interest.passes(event)),
    );
  }

  #tally(part: BatchPart): BatchPart {
    if (part.position > this.#counted.position) this.#handedOver += part.events.length;
    // One that never catches up is counted too: no more can still come than there is.
    this.#spare(this.#behindBy - this.#backlog.state.size);
    return part;
  }
}

/** Whether it asks for topics of which nothing is retained. */
export function hasPlain({ filter }: Interest, topics: Topics): boolean {
  for (const name of filter.topics) {
    if (name !== '*' && !topics.retains(name)) return true;
    if (name === '*' && topics.names?.every((topic) => topics.retains(topic)) !== true) return true;
  }
  return false;
}
