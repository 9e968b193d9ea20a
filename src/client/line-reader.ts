import { StreamError } from './stream-error.ts';
import { malformed } from './wire.ts';

const NEWLINE = 10;

/**
 * Cuts bytes into lines, however the network cut them into chunks. Holds one chunk, and the text of one unfinished line
 * of at most `maxLineBytes`. A letter may stand on the border of two chunks.
 */
export class LineReader {
  readonly #maxLineBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #chunk: Uint8Array = new Uint8Array(0);
  /** The unfinished line. */
  #text = '';
  /** Its bytes. */
  #length = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Gives the next bytes. Only when {@link next} has returned undefined: what is left of the chunk before would be
   * lost.
   */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  /**
   * The next whole line without its newline; undefined when more bytes are needed.
   * @throws StreamError `line_too_long`, `malformed` when it is no UTF-8
   */
  next(): string | undefined {
    const end = this.#chunk.indexOf(NEWLINE);
    const part = end < 0 ? this.#chunk : this.#chunk.subarray(0, end);
    this.#chunk = this.#chunk.subarray(part.length + 1);
    this.#length += part.length;
    if (this.#length > this.#maxLineBytes)
      throw new StreamError(
        'line_too_long',
        `A line is longer than ${this.#maxLineBytes} bytes (maxLineBytes).`,
        'never',
      );
    try {
      this.#text += this.#decoder.decode(part, { stream: end < 0 });
    } catch (cause) {
      throw malformed({ cause });
    }
    return end < 0 ? undefined : this.rest();
  }

  /** The line so far, given up as it is. */
  rest(): string {
    const text = this.#text;
    this.#text = '';
    this.#length = 0;
    return text;
  }
}
