import type { LogRecord, LogRecordKind } from '../../core/log/event-log.ts';
import type { AppendRequest } from '../append-request.ts';

/** A frame is a record within its group: a letter for the kind, the length of the body in four bytes, the body. */
const HEAD_BYTES = 5;
const EVENTS = 0x65;
const ACL = 0x61;
/** Stands where somebody else's entry stood: nobody can read it. */
const FOREIGN = 0x78;
const kinds: ReadonlyMap<number, LogRecordKind> = new Map([
  [EVENTS, 'events'],
  [ACL, 'acl'],
  [FOREIGN, 'events'],
]);
const meta = /^(\d+) (\d+) \d+ ([\da-f]+) ([\da-f]+)$/;

/** Records that were appended in one call: all are there, or none. */
export interface RecordGroup {
  readonly records: readonly LogRecord[];
  readonly first: number;
  readonly last: number;
  /** Check value of the group before it. */
  readonly before: string;
  readonly check: string;
}

/** Records that follow on each other. */
export interface RecordChain {
  readonly records: readonly LogRecord[];
  readonly last: number;
  /** Check value of the group of the last one; what it was when there are none. */
  readonly check: string | undefined;
}

/** One buffer for all: what a client and the server do for each argument of a command is shared by all records. */
export function framesOf(requests: readonly AppendRequest[]): Buffer {
  const frames = Buffer.allocUnsafe(requests.reduce((sum, { body }) => sum + HEAD_BYTES + body.byteLength, 0));
  let at = 0;
  for (const { kind, body } of requests) {
    frames[at] = kind === 'acl' ? ACL : EVENTS;
    frames.writeUInt32BE(body.byteLength, at + 1);
    frames.set(body, at + HEAD_BYTES);
    at += HEAD_BYTES + body.byteLength;
  }
  return frames;
}

/** The groups among entries of the stream, as Redis gives them; without what the log's function did not write. */
export function groupsOf(entries: readonly unknown[]): RecordGroup[] {
  return entries.map(groupOf).filter((group) => group !== undefined);
}

function groupOf(entry: unknown): RecordGroup | undefined {
  const [id, fields] = entry as [Buffer, readonly Buffer[] | null];
  const last = Number(/^(\d+)-0$/.exec(id.toString('latin1'))?.[1]);
  const [name, text, , frames] = fields ?? [];
  if (Number.isNaN(last) || fields?.length !== 4 || name?.toString('latin1') !== 'm') return undefined;
  const [, time, count, before, check] = meta.exec(text?.toString('latin1') ?? '') ?? [];
  if (before === undefined || check === undefined || frames === undefined) return undefined;
  const first = last - Number(count) + 1;
  // Indexes begin at 1, and past the safe integers two records would have one index.
  if (!Number.isSafeInteger(last) || first < 1) return undefined;
  const records = recordsIn(frames, first, Number(time));
  return records?.length === Number(count) ? { records, first, last, before, check } : undefined;
}

/** Undefined where the frames are broken. */
function recordsIn(frames: Buffer, first: number, time: number): LogRecord[] | undefined {
  const records: LogRecord[] = [];
  for (let at = 0; at < frames.length;) {
    const kind = kinds.get(frames[at] as number);
    if (kind === undefined || at + HEAD_BYTES > frames.length) return undefined;
    const start = at + HEAD_BYTES;
    at = start + frames.readUInt32BE(at + 1);
    if (at > frames.length) return undefined;
    records.push({ index: first + records.length, kind, time, body: frames.subarray(start, at) });
  }
  return records;
}

/**
 * The records at the start of `groups` that follow on the one at `position`: the first group holds the next index, the
 * others have no hole between them, and each names the check value of the one before it. `seen` is the one at
 * `position`; undefined when it is not known, as within a group.
 */
export function chainAfter(position: number, seen: string | undefined, groups: readonly RecordGroup[]): RecordChain {
  const records: LogRecord[] = [];
  let last = position;
  let check = seen;
  for (const group of groups) {
    if (group.first > last + 1 || group.last <= last || group.before !== (check ?? group.before)) break;
    // In order, so those that were told stand at its start.
    for (const record of group.records.slice(last + 1 - group.first)) records.push(record);
    ({ last, check } = group);
  }
  return { records, last, check };
}

/** Parts of about `maxBytes`, with one record at least: a group is read as a whole, whatever its size. */
export function* partsOf(records: readonly LogRecord[], maxBytes: number): Generator<readonly LogRecord[]> {
  let part: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    bytes += record.body.byteLength;
    if (part.length > 0 && bytes > maxBytes) {
      yield part;
      part = [];
      bytes = record.body.byteLength;
    }
    part.push(record);
  }
  if (part.length > 0) yield part;
}
