import { EventDecoder } from './event-decoder.ts';
import { type LineSettings, WatchedLines } from './watched-lines.ts';

/** Makes lines of ndjson of the bytes of server-sent events. */
export class EventLines extends WatchedLines {
  readonly #decoder: EventDecoder;

  constructor(response: Response, settings: LineSettings) {
    super(response, settings);
    this.#decoder = new EventDecoder(settings.maxLineBytes);
  }

  override next(): string | undefined {
    for (;;) {
      const text = super.next();
      const line = text === undefined ? undefined : this.#decoder.take(text);
      if (text === undefined || line !== undefined) return line;
    }
  }
}
