import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { StreamFormat } from '../core/batch/stream-format.ts';

/** Small chunks are cut from slabs of this size: fewer allocations, and off the JavaScript heap. */
const SLAB_BYTES = 256 * 1024;

/** A larger chunk gets memory of its own: it would leave too much of a slab unused. */
const MAX_SHARED_BYTES = SLAB_BYTES / 3;

const formats = new WeakMap<StreamFormat, StreamFormat>();

/**
 * The same format, its bytes framed as one HTTP/1.1 chunk (RFC 9112, section 7.1), so that one write to the socket does
 * it: `response.write` makes three pieces and corks. One object for each format, so that streams share their chunks.
 * Shown by `npm run bench`, scenario "fanout".
 */
export function chunkedFormat(format: StreamFormat): StreamFormat {
  const known = formats.get(format);
  if (known) return known;
  const { batch, gap, current, heartbeat, error } = format;
  // Every member by its name: one that a format gets later is not forgotten here.
  const members: { readonly [Name in keyof Required<StreamFormat>]: StreamFormat[Name] | undefined } = {
    opening: format.opening,
    batch: batch.bind(format),
    gap: gap.bind(format),
    current: current?.bind(format),
    after: (told) => chunkedFormat(format.after?.(told) ?? format),
    withView: (view) => chunkedFormat(format.withView?.(view) ?? format),
    heartbeat: heartbeat.bind(format),
    error: error.bind(format),
    encode: frameChunk,
  };
  const given = Object.entries(members).filter(([, member]) => member !== undefined);
  const chunked = Object.fromEntries(given) as unknown as StreamFormat;
  formats.set(format, chunked);
  return chunked;
}

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** `length in hex CRLF text CRLF`. */
export function frameChunk(text: string): Uint8Array {
  const length = Buffer.byteLength(text);
  return framed(length, (chunk, at) => chunk.write(text, at, length === text.length ? 'latin1' : 'utf8'));
}

/** The same of bytes. */
export function frameBytes(bytes: Uint8Array): Uint8Array {
  return framed(bytes.length, (chunk, at) => chunk.set(bytes, at));
}

function framed(length: number, put: (chunk: Buffer, at: number) => void): Uint8Array {
  const head = `${length.toString(16)}\r\n`;
  const size = head.length + length + 2;
  const chunk = size > MAX_SHARED_BYTES ? Buffer.allocUnsafeSlow(size) : takeSlab(size);
  chunk.write(head, 0, 'latin1');
  put(chunk, head.length);
  chunk[size - 2] = 13;
  chunk[size - 1] = 10;
  return chunk;
}

function takeSlab(size: number): Buffer {
  if (used + size > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const part = slab.subarray(used, used + size);
  used += size;
  return part;
}

/**
 * The socket behind a response, where chunks may be written to it past the response: plain HTTP/1.1 in chunks, headers
 * sent, nobody between (a compression middleware replaces `write`), and no earlier response still being written. Else
 * undefined, and `response.write` is to be used.
 */
export function rawSocketOf(response: object): Socket | undefined {
  if (!(response instanceof ServerResponse)) return undefined;
  const { socket, write, end, chunkedEncoding, headersSent, writableLength } = response as ServerResponse & {
    chunkedEncoding: boolean;
  };
  const isPlain = write === ServerResponse.prototype.write && end === ServerResponse.prototype.end;
  return isPlain && chunkedEncoding && headersSent && writableLength === 0 && socket !== null ? socket : undefined;
}
