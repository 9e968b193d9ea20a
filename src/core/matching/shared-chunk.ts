import type { BatchPart } from '../batch/encoded-batch.ts';
import type { StreamFormat } from '../batch/stream-format.ts';

/** What one interest gathered between two flushes, encoded once per format for all of its members. */
export class SharedChunk {
  readonly #parts: readonly BatchPart[];
  #format: StreamFormat | undefined;
  #bytes: Uint8Array | undefined;

  constructor(parts: readonly BatchPart[]) {
    this.#parts = parts;
  }

  /** Newest index before what it holds. */
  get before(): number {
    return (this.#parts[0]?.index ?? 1) - 1;
  }

  /** One object for all members that read in this format one after another: members mostly do. */
  in(format: StreamFormat): Uint8Array {
    if (this.#bytes !== undefined && this.#format === format) return this.#bytes;
    let text = '';
    for (const part of this.#parts) text += format.batch(part);
    this.#format = format;
    return (this.#bytes = format.encode(text));
  }
}
