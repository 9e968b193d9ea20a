import type { ByteSink } from '../../core/delivery/byte-sink.ts';
import { shiftCrc } from './checksum.ts';
import type { GzipLine, LinePlace } from './gzip-line.ts';
import type { SharedGzip } from './shared-gzip.ts';

/**
 * Writes one stream as one gzip member. Holds where the stream stands and its checksum, and no text: what is written is
 * compressed for all, or for nobody else, by {@link SharedGzip}.
 */
export class GzipSink implements ByteSink {
  readonly #sink: ByteSink;
  readonly #gzip: SharedGzip;
  #hasBegun = false;
  /** Checksum and length of all up to where it came in line; of all, while it is in none. */
  #crc = 0;
  #length = 0;
  /** The line that it is in, where it came in, and where it stands. */
  #line: GzipLine | undefined;
  #since: Pick<LinePlace, 'to' | 'crc'> = nowhere;
  #at: Pick<LinePlace, 'to' | 'crc'> = nowhere;
  /** So much of what it was written last is the line's own. */
  #shared = 0;

  constructor(sink: ByteSink, gzip: SharedGzip) {
    this.#sink = sink;
    this.#gzip = gzip;
  }

  get waitingBytes(): number | undefined {
    return this.#sink.waitingBytes;
  }

  write(text: Uint8Array, sharers?: object): boolean {
    const block = sharers ? this.#inLine(text, this.#gzip.lineOf(sharers)) : this.#own(text);
    return this.#sink.write(this.#begun(block));
  }

  end(last?: Uint8Array): unknown {
    const block = last && this.#own(last);
    this.#leave();
    const pieces = [...(block ? [block] : []), this.#gzip.trailer(this.#crc, this.#length)];
    return this.#sink.end(this.#begun(Buffer.concat(pieces)));
  }

  #begun(block: Uint8Array): Uint8Array {
    if (this.#hasBegun) return block;
    this.#hasBegun = true;
    return Buffer.concat([this.#gzip.head, block]);
  }

  /** What all members of an interest are written. */
  #inLine(text: Uint8Array, line: GzipLine): Uint8Array {
    const place = this.#gzip.placeOf(text, line);
    if (this.#line !== line || this.#at.to !== place.from) return this.#comeIn(text, line, place);
    const hasAll = this.#shared >= place.dictionary.length;
    this.#goOn(place);
    if (!hasAll) return this.#gzip.alone(text);
    line.use();
    return this.#gzip.inLine(text, place);
  }

  /** It has something else behind it than the others: from this text on it has the same. */
  #comeIn(text: Uint8Array, line: GzipLine, place: LinePlace): Uint8Array {
    this.#leave();
    this.#count(text);
    this.#line = line;
    this.#since = this.#at = place;
    this.#shared = text.length;
    return this.#gzip.alone(text);
  }

  #goOn(place: LinePlace): void {
    this.#at = place;
    this.#shared += place.to - place.from;
  }

  /** What it is written by itself; where all others are written the same, it stays in line. */
  #own(text: Uint8Array): Uint8Array {
    const isShort = this.#gzip.isShort(text);
    const place = isShort ? this.#line?.appendShort(text, this.#at.to, this.#gzip.crcOf) : undefined;
    if (place) this.#goOn(place);
    else {
      this.#leave();
      this.#count(text);
    }
    return this.#gzip.alone(text);
  }

  #count(text: Uint8Array): void {
    this.#crc = (shiftCrc(this.#crc, text.length) ^ this.#gzip.crcAlone(text)) >>> 0;
    this.#length += text.length;
  }

  /** What it was written in line counts as its own now: both checksums of the line give that of what lies between. */
  #leave(): void {
    const length = this.#at.to - this.#since.to;
    this.#crc = (shiftCrc(this.#crc ^ this.#since.crc, length) ^ this.#at.crc) >>> 0;
    this.#length += length;
    this.#line = undefined;
    this.#since = this.#at = nowhere;
  }
}

const nowhere = { to: 0, crc: 0 };
