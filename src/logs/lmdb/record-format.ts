import type { LogRecord, LogRecordKind } from '../../core/log/event-log.ts';

// A record's value: one byte for the kind, the time as a big-endian double, then the body as it is.
const HEADER_BYTES = 9;
const kinds: readonly LogRecordKind[] = ['events', 'acl'];
const NO_BODY = new Uint8Array(0);
const ID_ENTRY_BYTES = 16;
const TIME_BYTES = 8;

export function encodeRecord(kind: LogRecordKind, time: number, body: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength);
  value.writeUInt8(kinds.indexOf(kind), 0);
  value.writeDoubleBE(time, 1);
  value.set(body, HEADER_BYTES);
  return value;
}

/**
 * A value that is too short is none of ours: a record without a body, which its readers are told of as a gap. If it
 * threw, nothing behind it could be read or trimmed any more.
 */
export function decodeRecord(index: number, value: Buffer): LogRecord {
  if (value.byteLength < HEADER_BYTES) return { index, kind: 'events', time: 0, body: NO_BODY };
  const body = new Uint8Array(value.buffer, value.byteOffset + HEADER_BYTES, value.byteLength - HEADER_BYTES);
  return { index, kind: kinds[value.readUInt8(0)] ?? 'events', time: value.readDoubleBE(1), body };
}

/** What an id stands for: the record that it made, and when. */
export interface IdEntry {
  readonly index: number;
  readonly time: number;
}

export function encodeIdEntry({ index, time }: IdEntry): Buffer {
  const value = Buffer.allocUnsafe(ID_ENTRY_BYTES);
  value.writeDoubleBE(index, 0);
  value.writeDoubleBE(time, 8);
  return value;
}

/** Undefined for a value that is none of ours: then the id is as one that was never used. */
export function decodeIdEntry(value: Buffer): IdEntry | undefined {
  if (value.byteLength !== ID_ENTRY_BYTES) return undefined;
  return { index: value.readDoubleBE(0), time: value.readDoubleBE(8) };
}

/** A row of the order in which ids expire. */
export interface IdAge {
  readonly id: string;
  readonly time: number;
}

export function encodeIdAge({ id, time }: IdAge): Buffer {
  const text = Buffer.from(id);
  const value = Buffer.allocUnsafe(TIME_BYTES + text.byteLength);
  value.writeDoubleBE(time, 0);
  value.set(text, TIME_BYTES);
  return value;
}

/** A value that is too short names no id, and is as old as can be: its row goes with the next that expire. */
export function decodeIdAge(value: Buffer): IdAge {
  if (value.byteLength < TIME_BYTES) return { time: 0, id: '' };
  return { time: value.readDoubleBE(0), id: value.toString('utf8', TIME_BYTES) };
}
