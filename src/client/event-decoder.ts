import { StreamError } from './stream-error.ts';

/** What the data of a named event is, as a member of a line. */
const members: ReadonlyMap<string, string> = new Map([
  ['gap', 'Gap'],
  ['error', 'Error'],
  ['current', 'Current'],
]);

/**
 * Server-sent events (the HTML standard, section 9.2), as far as a fenceline server sends them: makes of their lines
 * those of ndjson. Holds the data of one event, of at most `maxLineBytes` letters.
 */
export class EventDecoder {
  readonly #maxLineBytes: number;
  #fields: Record<string, string> = {};

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Takes one line; what it completes is returned: a line of ndjson.
   * @throws StreamError `line_too_long`
   */
  take(text: string): string | undefined {
    const line = text.replace(/\r$/, '');
    if (line === '') return this.#complete();
    // `s`: JSON may hold U+2028 and U+2029, which end a line for a regular expression and for nothing else here.
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    const before = this.#fields[name];
    this.#fields[name] = name === 'data' && before !== undefined ? `${before}\n${value}` : value;
    if ((before?.length ?? 0) + value.length <= this.#maxLineBytes) return undefined;
    throw new StreamError('line_too_long', `An event is longer than ${this.#maxLineBytes} (maxLineBytes).`, 'never');
  }

  /** A comment alone is a heartbeat, an id alone a bookmark. */
  #complete(): string | undefined {
    const { data, event, id, '': comment } = this.#fields;
    this.#fields = {};
    if (data !== undefined) {
      const member = members.get(event ?? '');
      return member ? `{"${member}":${data}}` : data;
    }
    const [, epoch, index] = /^(.+):(\d+)$/s.exec(id ?? '') ?? [];
    if (index) return JSON.stringify({ Index: Number(index), Epoch: epoch });
    return comment === undefined ? undefined : '{}';
  }
}
