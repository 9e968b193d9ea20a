import { StreamError } from './stream-error.ts';
import { malformed } from './wire.ts';

const NEWLINE = 10;

export interface LineReader {
  /**
   * The lines that end in the next bytes, without their newlines. Read all of them before the next bytes are given.
   * @throws StreamError `line_too_long`, `malformed` when it is no UTF-8
   */
  lines(chunk: Uint8Array): Iterable<string>;
  /** The unfinished line. */
  rest(): string;
}

/**
 * Cuts bytes into lines, however the network cut them into chunks. A letter may stand on the border of two chunks. Held
 * here: the text of one unfinished line, of at most `maxLineBytes`.
 */
export function lineReader(maxLineBytes: number): LineReader {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let length = 0;
  const add = (part: Uint8Array, stream: boolean): void => {
    length += part.length;
    if (length > maxLineBytes)
      throw new StreamError('line_too_long', `A line is longer than ${maxLineBytes} bytes (maxLineBytes).`, 'never');
    try {
      text += decoder.decode(part, { stream });
    } catch (cause) {
      throw malformed({ cause });
    }
  };
  return {
    *lines(chunk) {
      let start = 0;
      for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
        add(chunk.subarray(start, end), false);
        const line = text;
        text = '';
        length = 0;
        yield line;
      }
      add(chunk.subarray(start), true);
    },
    rest: () => text,
  };
}
