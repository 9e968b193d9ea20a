import type { LogRecord, LogRecordKind } from '../../core/log/event-log.ts';

// A record's value: one byte for the kind, the time as a big-endian double, then the body as it is.
const HEADER_BYTES = 9;
const kinds: readonly LogRecordKind[] = ['events', 'acl'];

export function encodeRecord(kind: LogRecordKind, time: number, body: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength);
  value.writeUInt8(kinds.indexOf(kind), 0);
  value.writeDoubleBE(time, 1);
  value.set(body, HEADER_BYTES);
  return value;
}

export function decodeRecord(index: number, value: Buffer): LogRecord {
  const body = new Uint8Array(value.buffer, value.byteOffset + HEADER_BYTES, value.byteLength - HEADER_BYTES);
  return { index, kind: kinds[value.readUInt8(0)] ?? 'events', time: value.readDoubleBE(1), body };
}

/** What an id stands for: the record that it made, and when. */
export interface IdEntry {
  readonly index: number;
  readonly time: number;
}

export function encodeIdEntry({ index, time }: IdEntry): Buffer {
  const value = Buffer.allocUnsafe(16);
  value.writeDoubleBE(index, 0);
  value.writeDoubleBE(time, 8);
  return value;
}

export function decodeIdEntry(value: Buffer): IdEntry {
  return { index: value.readDoubleBE(0), time: value.readDoubleBE(8) };
}

/** A row of the order in which ids expire. */
export interface IdAge {
  readonly id: string;
  readonly time: number;
}

export function encodeIdAge({ id, time }: IdAge): Buffer {
  const text = Buffer.from(id);
  const value = Buffer.allocUnsafe(8 + text.byteLength);
  value.writeDoubleBE(time, 0);
  value.set(text, 8);
  return value;
}

export function decodeIdAge(value: Buffer): IdAge {
  return { time: value.readDoubleBE(0), id: value.toString('utf8', 8) };
}
