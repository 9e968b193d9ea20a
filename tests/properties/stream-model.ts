import fc from 'fast-check';
import type { EventMeta } from '../../src/model/event.ts';
import type { Gap } from '../../src/model/gap.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { eventMeta, filterTerms, namespaceNames, naivelyMatches, naivelyPasses } from '../core/event-fixtures.ts';

/** What a subscription of the model asks for. */
export interface Wish {
  readonly topics: readonly string[];
  readonly namespaces: readonly string[];
  readonly index: number | 'latest';
  /** The index is asked for with the epoch of this very run. */
  readonly isKnownRun: boolean;
}

export type StreamStep =
  | { readonly do: 'publish'; readonly events: readonly EventMeta[]; readonly skip: number }
  | { readonly do: 'subscribe'; readonly wish: Wish; readonly isPaused: boolean }
  | { readonly do: 'read'; readonly reader: number; readonly count: number }
  | { readonly do: 'pause'; readonly reader: number }
  | { readonly do: 'turn' };

export interface StreamHistory {
  readonly maxBatches: number;
  readonly steps: readonly StreamStep[];
}

const publish = fc.record({
  do: fc.constant('publish' as const),
  events: fc.array(eventMeta, { minLength: 1, maxLength: 4 }),
  skip: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3)),
});
const subscribe = fc.record({
  do: fc.constant('subscribe' as const),
  wish: fc.record({
    topics: filterTerms,
    namespaces: namespaceNames,
    index: fc.oneof(fc.constantFrom<'latest' | 0>('latest', 0), fc.integer({ min: 1, max: 30 })),
    isKnownRun: fc.boolean(),
  }),
  isPaused: fc.boolean(),
});
const reader = fc.nat(4);

export const streamHistory: fc.Arbitrary<StreamHistory> = fc.record({
  maxBatches: fc.constantFrom(1, 3, 10, 1000),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: publish },
      { weight: 2, arbitrary: subscribe },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('read' as const), reader, count: fc.integer({ min: 1, max: 4 }) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), reader }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
    ),
    { minLength: 5, maxLength: 80, size: 'max' },
  ),
});

/** Events of which every filter and every namespace passes one. */
const forAll: readonly EventMeta[] = ['Job', 'Node', 'Eval'].map((topic) => ({
  topic,
  type: 'Made',
  key: 'a',
  namespace: '',
  filterKeys: ['b', 'a:b', 'a,b', '\\', ' '],
}));

interface PublishedEvent extends EventMeta {
  /** Its payload: no other event has it. */
  readonly id: number;
}

/** A broker, and beside it the list of all that was ever published. */
export class StreamModel {
  readonly broker: EventBroker;
  readonly batches: { readonly index: number; readonly events: readonly PublishedEvent[] }[] = [];
  #ids = 0;

  constructor(maxBatches: number) {
    // A flush in every turn: otherwise the machine's speed would decide what a history flushes when.
    this.broker = new EventBroker({ buffer: { maxBatches }, flush: { maxShare: 1 } });
  }

  publish(events: readonly EventMeta[], skip: number): void {
    const index = this.broker.stats().latestIndex + 1 + skip;
    const identified = events.map((event) => ({ ...event, id: ++this.#ids }));
    this.batches.push({ index, events: identified });
    void this.broker.publish(
      identified.map(({ id, ...event }) => ({ ...event, payload: id })),
      { index },
    );
  }

  /** What goes with a wish's index. */
  epochOf({ isKnownRun }: Wish): { epoch?: string } {
    return isKnownRun ? { epoch: this.broker.epoch } : {};
  }

  /** As a transport may, while it is written to: which index it gets is known later. */
  publishWithin(): void {
    const events = forAll.map((event) => ({ ...event, id: ++this.#ids }));
    void this.broker
      .publish(events.map(({ id, ...event }) => ({ ...event, payload: id })))
      .then((index) => this.batches.push({ index, events }));
  }

  /** An event that every filter and every namespace passes, so that gaps are told. */
  publishForAll(): void {
    this.publish(forAll, 0);
  }
}

/** Sees what one subscription is handed, and compares it with the list of all that was published. */
export class StreamWitness {
  readonly #model: StreamModel;
  readonly #wish: Wish;
  readonly #seen = new Set<number>();
  readonly #gaps: Gap[] = [];
  /** Nothing older than the first may come; all from the second on must. */
  #first = 0;
  #start = 0;
  #last = 0;
  /**
   * The index was beyond one past the newest, and not known to be of this run: the stream starts at the oldest, and
   * says so.
   */
  #isAhead = false;

  constructor(model: StreamModel, wish: Wish) {
    this.#model = model;
    this.#wish = wish;
  }

  /** Before it is asked for, where something may be published until it is open. */
  opening(): void {
    this.#first = this.#startNow();
  }

  opened(): void {
    this.#start = this.#startNow();
    this.#first ||= this.#start;
  }

  /** Order, once, whole, and nothing that was not asked for. */
  batch(index: number, ids: readonly unknown[]): void {
    if (index <= this.#last) throw new Error(`Index ${index} came after ${this.#last}.`);
    if (index < this.#first) throw new Error(`Index ${index} came to a subscription from ${this.#first} on.`);
    this.#last = index;
    this.#seen.add(index);
    const expected = this.#matching(index);
    if (String(ids) !== String(expected))
      throw new Error(`Batch ${index} held the events ${String(ids)}, not ${String(expected)}.`);
  }

  /** A gap lies before what comes, and holds something that it could be about. */
  gap(gap: Gap): void {
    const { from, to, reason } = gap;
    if (from > to || from <= this.#last) throw new Error(`Gap ${from}…${to} came after index ${this.#last}.`);
    if (reason === 'ahead') return this.#aheadGap(gap);
    this.#gaps.push(gap);
    const isReal = this.#model.batches.some(
      ({ index, events }) => from <= index && index <= to && events.some((event) => this.#concerns(event)),
    );
    if (!isReal) throw new Error(`Gap ${from}…${to} was told, but nothing of its topics and namespaces was lost.`);
  }

  /** Its indexes come again: it excuses no loss but one that was told with it. */
  #aheadGap(gap: Gap): void {
    if (!this.#isAhead || gap.to < Number(this.#wish.index) - 1)
      throw new Error(`Gap ${gap.from}…${gap.to} was told to a subscription from ${this.#start} on.`);
    this.#isAhead = false;
    const oldest = this.#model.batches[0]?.index ?? 1;
    if (this.#model.broker.stats().oldestIndex > oldest) this.#gaps.push(gap);
  }

  checkComplete(): void {
    if (this.#isAhead && this.#seen.size > 0) throw new Error('It was not told that it was ahead.');
    for (const { index } of this.#model.batches) {
      if (index < this.#start || this.#seen.has(index) || this.#matching(index).length === 0) continue;
      if (this.#gaps.some(({ from, to }) => from <= index && index <= to)) continue;
      throw new Error(`Batch ${index} was lost in silence; seen: ${[...this.#seen].join()}, from ${this.#start}.`);
    }
  }

  #startNow(): number {
    const { latestIndex, oldestIndex } = this.#model.broker.stats();
    const { index, isKnownRun } = this.#wish;
    this.#isAhead = index !== 'latest' && index > latestIndex + 1 && !isKnownRun;
    return index === 'latest' ? latestIndex + 1 : index === 0 || this.#isAhead ? oldestIndex : index;
  }

  #matching(index: number): readonly number[] {
    const { topics, namespaces } = this.#wish;
    const events = this.#model.batches.find((batch) => batch.index === index)?.events ?? [];
    return events
      .filter((event) => naivelyMatches(topics, event) && naivelyPasses(namespaces, event.namespace))
      .map(({ id }) => id);
  }

  /** By topic and namespace alone: keys are not remembered of what was trimmed. */
  #concerns({ topic, namespace }: EventMeta): boolean {
    const names = this.#wish.topics.map((term) => term.split(':')[0]);
    return (names.includes('*') || names.includes(topic)) && naivelyPasses(this.#wish.namespaces, namespace);
  }
}
