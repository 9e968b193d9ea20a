import type { EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import type { Asked } from '../matching/interest.ts';

/** What a reader asks about: which of the names and namespaces it could have seen. */
export interface TrimQuestion {
  readonly topics: Iterable<string>;
  /** Of these names it asks for nothing, also where `topics` has `*`. Default none. */
  skips?(topic: string): boolean;
  passesNamespace(namespace: string): boolean;
}

/** The question of who asks for this. */
export function questionOf({ filter, namespaces }: Asked): TrimQuestion {
  // A list: what walks over a filter's names can be walked once.
  return { topics: [...filter.topics], passesNamespace: (namespace) => namespaces.passes(namespace) };
}

interface Trimmed {
  readonly topic: string;
  readonly namespace: string;
  index: number;
}

/**
 * Remembers the last trimmed index of each topic and namespace, so that a reader whose own topics lost nothing is told
 * of no gap.
 *
 * Holds at most `maxEntries` pairs (two at least), in two generations. When the young one has half of them, the old one
 * is forgotten, and from then on every reader that asks for an index up to its last is told of a gap: one too many
 * rather than one too few. Cheaper than an order by age with each trim.
 */
export class TrimMemory {
  readonly #maxYoung: number;
  #young = new Map<string, Trimmed>();
  #old = new Map<string, Trimmed>();
  #forgotten = 0;
  /** The pair trimmed last: most events follow one of their own kind, and need not be looked up. */
  #last: Trimmed | undefined;

  constructor(maxEntries: number) {
    this.#maxYoung = Math.floor(maxEntries / 2);
  }

  /** Newest index that was trimmed and may have been for such a reader; 0 when none was. */
  lastFor(question: TrimQuestion): number {
    const topics = new Set(question.topics);
    let last = this.#forgotten;
    for (const generation of [this.#old, this.#young])
      for (const { topic, namespace, index } of generation.values()) {
        if (index <= last || !(topics.has(topic) || topics.has('*')) || question.skips?.(topic) === true) continue;
        if (question.passesNamespace(namespace)) last = index;
      }
    return last;
  }

  trimmed(batch: EncodedBatch): void {
    for (const event of batch.events) this.remember(event, batch.position);
  }

  /** One event that stood at this position; positions come in rising order. */
  remember({ names, namespace }: Pick<EncodedEvent, 'names' | 'namespace'>, position: number): void {
    for (const name of names) this.#remember(name, namespace, position);
  }

  /** Nothing is known of what stood up to this position: it may have been for anybody. */
  forgetUpTo(position: number): void {
    this.#forgotten = Math.max(this.#forgotten, position);
  }

  #remember(topic: string, namespace: string, index: number): void {
    if (this.#last?.topic !== topic || this.#last.namespace !== namespace) this.#last = this.#entry(topic, namespace);
    this.#last.index = index;
  }

  #entry(topic: string, namespace: string): Trimmed {
    const pair = `${topic}:${namespace}`;
    const known = this.#young.get(pair);
    if (known !== undefined) return known;
    if (this.#young.size >= this.#maxYoung) this.#forgetOld();
    const entry = { topic, namespace, index: 0 };
    this.#young.set(pair, entry);
    return entry;
  }

  #forgetOld(): void {
    for (const { index } of this.#old.values()) this.#forgotten = Math.max(this.#forgotten, index);
    this.#old = this.#young;
    this.#young = new Map();
  }
}
