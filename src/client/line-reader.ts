import { StreamError } from './stream-error.ts';

const NEWLINE = 10;

/**
 * Cuts bytes into lines, however the network cut them into chunks. Holds one chunk and one unfinished line, the latter
 * of at most `maxLineBytes`. Lines are decoded whole, so a letter may stand on the border of two chunks.
 */
export class LineReader {
  readonly #maxLineBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #chunk = new Uint8Array(0);
  /** The unfinished line: the first `#length` bytes of a buffer that doubles as it fills. */
  #partial = new Uint8Array(0);
  #length = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Gives the next bytes. Only when {@link next} has returned undefined: what is left of the chunk before would be
   * lost.
   */
  push(chunk: Uint8Array<ArrayBuffer>): void {
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
    if (this.#length + part.length > this.#maxLineBytes) throw this.#tooLong();
    if (end >= 0 && this.#length === 0) return this.#decode(part);
    this.#keep(part);
    return end < 0 ? undefined : this.#decode(this.#takePartial());
  }

  /** The unfinished line, given up as it is. */
  rest(): string {
    return new TextDecoder().decode(this.#takePartial());
  }

  #takePartial(): Uint8Array {
    const line = this.#partial.subarray(0, this.#length);
    this.#length = 0;
    return line;
  }

  #keep(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#partial.length) {
      const larger = new Uint8Array(Math.max(length, this.#partial.length * 2));
      larger.set(this.#partial.subarray(0, this.#length));
      this.#partial = larger;
    }
    this.#partial.set(part, this.#length);
    this.#length = length;
  }

  #decode(line: Uint8Array): string {
    try {
      return this.#decoder.decode(line);
    } catch (cause) {
      throw new StreamError('malformed', 'A line is not UTF-8.', 'resume', { cause });
    }
  }

  #tooLong(): StreamError {
    return new StreamError(
      'line_too_long',
      `A line is longer than ${this.#maxLineBytes} bytes (maxLineBytes).`,
      'never',
    );
  }
}
