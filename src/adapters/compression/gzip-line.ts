/**
 * Compressed text refers back to this much of what came before, in bytes. With 6 KiB it takes 1.00 to 1.04 times the
 * bytes of a stream that is compressed by itself (2 KiB: up to 1.15), and 40 to 100 µs a flush. Who comes later has to
 * get that much before it takes the same blocks as all others.
 */
const DICTIONARY_BYTES = 6 * 1024;

/** A text's place among those that the connections of one line have been written one after the other. */
export interface LinePlace {
  /** Where it begins and ends, in bytes since the line began. */
  readonly from: number;
  readonly to: number;
  /** Checksum of the whole line up to its end. */
  readonly crc: number;
  /** What stands right before it, and may be referred back to by who has got that much of the line. */
  readonly dictionary: Uint8Array;
}

/**
 * The texts that the members of one interest have in common, in their order: each of them has the same text behind it,
 * so one compressed block is right for all. Holds the end of it alone.
 */
export class GzipLine {
  #place: LinePlace = { from: 0, to: 0, crc: 0, dictionary: new Uint8Array() };
  /** End of the text that was appended last. */
  #last: Uint8Array = new Uint8Array();
  /** Somebody has got all of the dictionary that the last text was compressed with. */
  #isUsed = true;
  /** The last text, where it is short: those who write the same from the same place are still in line. */
  #short: Uint8Array | undefined;

  /** Somebody refers back to the dictionary of the last text: it grows on. */
  use(): void {
    this.#isUsed = true;
  }

  /**
   * A text that all members get next. Where nobody had as much of the line as the dictionary held, all who are in line
   * now came with the text before: it alone is the next dictionary.
   * @param crcOf checksum of the text behind a checksum
   */
  append(text: Uint8Array, crcOf: (text: Uint8Array, before: number) => number): LinePlace {
    const { to: from, crc, dictionary } = this.#place;
    const known = this.#isUsed ? endOf(Buffer.concat([dictionary, this.#last])) : this.#last;
    this.#last = endOf(text).slice();
    this.#isUsed = false;
    this.#short = undefined;
    return (this.#place = { from, to: from + text.length, crc: crcOf(text, crc), dictionary: known });
  }

  /**
   * A short text that each member is written by itself, such as a heartbeat: as long as all are written the same one,
   * they stay in line.
   * @param at where the connection stands
   * @returns undefined where it would stand elsewhere than the others
   */
  appendShort(
    text: Uint8Array,
    at: number,
    crcOf: (text: Uint8Array, before: number) => number,
  ): LinePlace | undefined {
    if (at === this.#place.to) {
      this.append(text, crcOf);
      this.use();
      this.#short = text;
    } else if (at !== this.#place.from || !this.#short || Buffer.compare(this.#short, text) !== 0) return undefined;
    return this.#place;
  }
}

function endOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(-DICTIONARY_BYTES);
}
