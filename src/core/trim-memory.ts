import type { EncodedBatch } from './encoded-batch.ts';

/** What a reader asks about: which of the names and namespaces it could have seen. */
export interface TrimQuestion {
  readonly topics: Iterable<string>;
  passesNamespace(namespace: string): boolean;
}

interface Trimmed {
  readonly topic: string;
  readonly namespace: string;
  index: number;
}

/**
 * Remembers the last trimmed index of each topic and namespace, so that a reader whose own topics lost nothing is told of no gap.
 *
 * Holds at most `maxEntries` pairs. Past that the pair that was trimmed longest ago is forgotten, and from then on every reader that asks for an
 * index up to it is told of a gap: one too many rather than one too few.
 */
export class TrimMemory {
  readonly #maxEntries: number;
  /** By topic and namespace, the pair trimmed longest ago first. */
  readonly #entries = new Map<string, Trimmed>();
  #forgotten = 0;
  /** The pair trimmed last: most events follow one of their own kind, and need not be looked up. */
  #last: Trimmed | undefined;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Newest index that was trimmed and may have been for such a reader; 0 when none was. */
  lastFor(question: TrimQuestion): number {
    const topics = new Set(question.topics);
    let last = this.#forgotten;
    for (const { topic, namespace, index } of this.#entries.values()) {
      if (index <= last || !(topics.has(topic) || topics.has('*'))) continue;
      if (question.passesNamespace(namespace)) last = index;
    }
    return last;
  }

  trimmed(batch: EncodedBatch): void {
    for (const event of batch.events) {
      for (const name of event.names) this.#remember(name, event.namespace, batch.index);
    }
  }

  #remember(topic: string, namespace: string, index: number): void {
    if (this.#last?.topic === topic && this.#last.namespace === namespace) {
      this.#last.index = index;
      return;
    }
    const pair = `${topic}:${namespace}`;
    const entry = this.#entries.get(pair) ?? { topic, namespace, index };
    entry.index = index;
    this.#entries.delete(pair);
    this.#entries.set(pair, entry);
    this.#last = entry;
    if (this.#entries.size > this.#maxEntries) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [pair, { index }] of this.#entries) {
      this.#forgotten = index;
      this.#entries.delete(pair);
      return;
    }
  }
}
