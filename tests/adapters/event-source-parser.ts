/** An event as a browser's `EventSource` dispatches it. */
export interface ServerSentEvent {
  readonly name: string;
  readonly data: string;
  readonly lastEventId: string;
}

/** Reads an event stream as the HTML standard says (section 9.2.6), CR, LF and CRLF included. */
export class EventSourceParser {
  readonly events: ServerSentEvent[] = [];
  readonly comments: string[] = [];
  /** In ms, where the stream has set it. */
  retryMs: number | undefined;
  lastEventId = '';
  #idBuffer = '';
  #data: string[] = [];
  #name = '';

  /** @param text whole lines, or a stream from its beginning to its end */
  push(text: string): void {
    const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
    // What stands after the last line end is no line.
    lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return void this.comments.push(line.slice(1));
    const field = colon < 0 ? line : line.slice(0, colon);
    this.#field(field, colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, ''));
  }

  #field(field: string, value: string): void {
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#idBuffer = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): void {
    this.lastEventId = this.#idBuffer;
    const { lastEventId } = this;
    if (this.#data.length > 0)
      this.events.push({ name: this.#name === '' ? 'message' : this.#name, data: this.#data.join('\n'), lastEventId });
    this.#data = [];
    this.#name = '';
  }
}
