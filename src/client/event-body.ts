import { EventDecoder } from './event-decoder.ts';
import { type LineReader, lineReader } from './line-reader.ts';
import type { BodyReader } from './stream-settings.ts';

/**
 * A body of server-sent events as one of ndjson: each part that comes is translated, and is empty where it ends none.
 */
export class EventBody implements BodyReader {
  readonly #body: BodyReader;
  readonly #reader: LineReader;
  readonly #decoder: EventDecoder;
  readonly #encoder = new TextEncoder();
  /** Why no more is translated, once what came before it was read. */
  #fault: { readonly error: unknown } | undefined;

  constructor(body: BodyReader, maxLineBytes: number) {
    this.#body = body;
    this.#reader = lineReader(maxLineBytes);
    this.#decoder = new EventDecoder(maxLineBytes);
  }

  cancel(): Promise<void> {
    return this.#body.cancel();
  }

  async read(): ReturnType<BodyReader['read']> {
    if (this.#fault) throw this.#fault.error;
    const { value } = await this.#body.read();
    return { value: value && this.#encoder.encode(this.#translate(value)) };
  }

  #translate(chunk: Uint8Array): string {
    let text = '';
    try {
      for (const line of this.#reader.lines(chunk)) {
        const made = this.#decoder.take(line);
        if (made !== undefined) text += `${made}\n`;
      }
    } catch (error) {
      this.#fault = { error };
    }
    return text;
  }
}
