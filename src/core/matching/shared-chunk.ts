import type { BatchPart } from '../batch/encoded-batch.ts';
import type { StreamFormat } from '../batch/stream-format.ts';

/** What one interest gathered between two flushes, encoded once per format for all of its members. */
export class SharedChunk {
  /** Stands for the members: the same object for each of their chunks. */
  readonly sharers: object;
  readonly #parts: readonly BatchPart[];
  #format: StreamFormat | undefined;
  #bytes: Uint8Array | undefined;
  /** What was encoded in other formats than the last one. */
  #others: Map<StreamFormat, Uint8Array> | undefined;

  constructor(parts: readonly BatchPart[], sharers: object) {
    this.#parts = parts;
    this.sharers = sharers;
  }

  /** Newest index before what it holds. */
  get before(): number {
    return (this.#parts[0]?.index ?? 1) - 1;
  }

  /** One object for all members that read in this format. */
  in(format: StreamFormat): Uint8Array {
    if (this.#bytes !== undefined && this.#format === format) return this.#bytes;
    if (this.#bytes !== undefined && this.#format !== undefined)
      (this.#others ??= new Map()).set(this.#format, this.#bytes);
    this.#format = format;
    return (this.#bytes = this.#others?.get(format) ?? this.#encode(format));
  }

  #encode(format: StreamFormat): Uint8Array {
    let text = '';
    for (const part of this.#parts) text += format.batch(part);
    return format.encode(text);
  }
}
