import type { StreamFormat } from '../../core/batch/stream-format.ts';
import { GzipLine, type LinePlace } from './gzip-line.ts';

/**
 * As much of `node:zlib` as compressing takes; its own types would make every user of `fenceline/fetch` need Node's.
 */
export interface Zlib {
  readonly constants: { readonly Z_SYNC_FLUSH: number };
  crc32(bytes: Uint8Array, before: number): number;
  deflateRawSync(bytes: Uint8Array, options: { finishFlush: number; dictionary?: Uint8Array }): Uint8Array;
}

/** How a transport wants its bytes: as they are, or each piece as a chunk of HTTP/1.1. */
export type Framing = (bytes: Uint8Array) => Uint8Array;

/** A gzip member begins with these: deflate, no name, no time, any system (RFC 1952, section 2.3). */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** The last deflate block: it is empty. */
const LAST_BLOCK = [3, 0];

/** Below so many bytes a text is sent as it stands: by itself it would hardly shrink. */
const MIN_BYTES = 100;

/** What became of one text, framed: for all connections that are written it. */
interface Blocks {
  readonly crc: number;
  /** For those who have got all that stands before it in the line. */
  place?: LinePlace;
  inLine?: Uint8Array;
  /** For everybody. */
  alone?: Uint8Array;
}

/**
 * Compresses for all streams of one format. Each connection is one gzip member, made of deflate blocks that are
 * compressed once for all who are written the same text: one block refers back to the text before it, for those who
 * have that, and one refers to nothing, for those who came later. PROTOCOL.md, "Compression", has the whole of it.
 */
export class SharedGzip {
  readonly #zlib: Zlib;
  readonly #frame: Framing;
  readonly #lines = new WeakMap<object, GzipLine>();
  readonly #blocks = new WeakMap<Uint8Array, Blocks>();
  readonly head: Uint8Array;

  constructor(zlib: Zlib, frame: Framing) {
    this.#zlib = zlib;
    this.#frame = frame;
    this.head = frame(HEADER);
  }

  /** The line of those who share what they are written; the same for the same object. */
  lineOf(sharers: object): GzipLine {
    const known = this.#lines.get(sharers);
    if (known) return known;
    const line = new GzipLine();
    this.#lines.set(sharers, line);
    return line;
  }

  /** Where a text stands in the line: the first connection that is written it puts it there. */
  placeOf(text: Uint8Array, line: GzipLine): LinePlace {
    const blocks = this.#blocksOf(text);
    return (blocks.place ??= line.append(text, this.crcOf));
  }

  /** The block for those who have all of `place.dictionary`. */
  inLine(text: Uint8Array, { dictionary }: LinePlace): Uint8Array {
    const blocks = this.#blocksOf(text);
    if (dictionary.length === 0) return this.alone(text);
    return (blocks.inLine ??= this.#frame(this.#deflate(text, dictionary)));
  }

  /** The block for who has anything, or nothing, before it. */
  alone(text: Uint8Array): Uint8Array {
    if (this.isShort(text)) return this.#frame(stored(text));
    return (this.#blocksOf(text).alone ??= this.#frame(this.#deflate(text)));
  }

  isShort({ length }: Uint8Array): boolean {
    return length < MIN_BYTES;
  }

  /** Checksum of one text alone. */
  crcAlone(text: Uint8Array): number {
    return this.isShort(text) ? this.crcOf(text, 0) : this.#blocksOf(text).crc;
  }

  readonly crcOf = (text: Uint8Array, before: number): number => this.#zlib.crc32(text, before);

  /** What ends a member: checksum and length of all that it held (RFC 1952, section 2.3.1). */
  trailer(crc: number, length: number): Uint8Array {
    const bytes = new Uint8Array(LAST_BLOCK.length + 8);
    bytes.set(LAST_BLOCK);
    const view = new DataView(bytes.buffer);
    view.setUint32(LAST_BLOCK.length, crc, true);
    view.setUint32(LAST_BLOCK.length + 4, length % 2 ** 32, true);
    return this.#frame(bytes);
  }

  #blocksOf(text: Uint8Array): Blocks {
    const known = this.#blocks.get(text);
    if (known) return known;
    const blocks = { crc: this.crcOf(text, 0) };
    this.#blocks.set(text, blocks);
    return blocks;
  }

  /** Ends at the border of a byte, and of what can be decoded: what follows may be anybody's. */
  #deflate(text: Uint8Array, dictionary?: Uint8Array): Uint8Array {
    const finishFlush = this.#zlib.constants.Z_SYNC_FLUSH;
    return this.#zlib.deflateRawSync(text, { finishFlush, ...(dictionary && { dictionary }) });
  }
}

/** A block that holds the text as it is (RFC 1951, section 3.2.4). @param text below 64 KiB */
function stored(text: Uint8Array): Uint8Array {
  const block = new Uint8Array(5 + text.length);
  const view = new DataView(block.buffer);
  view.setUint16(1, text.length, true);
  view.setUint16(3, ~text.length, true);
  block.set(text, 5);
  return block;
}

/** Streams of one format, framed alike, share what is compressed. */
export class SharedGzips {
  readonly #zlib: Zlib;
  readonly #byFraming = new WeakMap<Framing, WeakMap<StreamFormat, SharedGzip>>();

  constructor(zlib: Zlib) {
    this.#zlib = zlib;
  }

  of(format: StreamFormat, frame: Framing): SharedGzip {
    const byFormat = this.#byFraming.get(frame) ?? new WeakMap<StreamFormat, SharedGzip>();
    this.#byFraming.set(frame, byFormat);
    const gzip = byFormat.get(format) ?? new SharedGzip(this.#zlib, frame);
    byFormat.set(format, gzip);
    return gzip;
  }
}
