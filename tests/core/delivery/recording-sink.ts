import type { ByteSink, StreamFormat } from '../../../src/index.ts';

/** A transport that keeps what it was given, and pushes back when it is told to. */
export class RecordingSink implements ByteSink {
  readonly chunks: Uint8Array[] = [];
  isFull = false;
  /** What it was ended with; undefined while it is open. */
  ended: { readonly last: string | undefined } | undefined;

  /** What each write was, as text. */
  get writes(): string[] {
    return this.chunks.map((chunk) => Buffer.from(chunk).toString());
  }

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    return !this.isFull;
  }

  end(last?: Uint8Array): void {
    this.ended = { last: last && Buffer.from(last).toString() };
  }
}

const encoder = new TextEncoder();

/** A short text for each thing that a stream says. */
export const shortFormat: StreamFormat = {
  batch: ({ index }) => `${index} `,
  gap: ({ from, to, reason }) => `(${reason} ${from}-${to}) `,
  current: (index) => `current ${index} `,
  heartbeat: (bookmark) => (bookmark === undefined ? '.' : `.${bookmark}`),
  error: ({ code, index }) => `${code} after ${index}`,
  encode: (text) => encoder.encode(text),
};
