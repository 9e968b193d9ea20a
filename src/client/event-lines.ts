import { EventDecoder } from './event-decoder.ts';
import { LineReader } from './line-reader.ts';

/** Makes lines of ndjson of the bytes of server-sent events. */
export class EventLines extends LineReader {
  readonly #decoder: EventDecoder;

  constructor(maxLineBytes: number) {
    super(maxLineBytes);
    this.#decoder = new EventDecoder(maxLineBytes);
  }

  override next(): string | undefined {
    for (;;) {
      const text = super.next();
      const line = text === undefined ? undefined : this.#decoder.take(text);
      if (text === undefined || line !== undefined) return line;
    }
  }
}
