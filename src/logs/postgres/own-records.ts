import type { LogRecord } from '../../core/log/event-log.ts';

/** What is held for tails that are behind; they read on from the server. */
const MAX_BYTES = 1024 * 1024;

/**
 * The newest records, as far as this process appended them in a row: its own tails take them from here. Asking the
 * server for what was just sent to it would cost as much as the append.
 */
export class OwnRecords {
  #records: readonly LogRecord[] = [];
  #bytes = 0;

  /** @param records in a row; their bodies are copied */
  add(records: readonly LogRecord[]): void {
    const copies = records.map((record) => ({ ...record, body: new Uint8Array(record.body) }));
    const bytes = copies.reduce((sum, { body }) => sum + body.length, 0);
    const isNext = this.#records.at(-1)?.index === (copies[0]?.index ?? 0) - 1;
    const goesOn = isNext && this.#bytes + bytes <= MAX_BYTES;
    this.#records = goesOn ? [...this.#records, ...copies] : copies;
    this.#bytes = goesOn ? this.#bytes + bytes : bytes;
    if (this.#bytes > MAX_BYTES) this.clear();
  }

  /** At most to `to`, and about `maxBytes`; undefined where `from` is not here. */
  slice(from: number, to: number, maxBytes: number): readonly LogRecord[] | undefined {
    const first = this.#records[0]?.index ?? Infinity;
    const last = Math.min(to, this.#records.at(-1)?.index ?? 0);
    if (from < first || from > last) return undefined;
    let end = from - first;
    for (let bytes = 0; end <= last - first && bytes < maxBytes; end++) bytes += this.#records[end]?.body.length ?? 0;
    return this.#records.slice(from - first, end);
  }

  clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }
}
