import type { LogRecord, LogRecordKind } from '../../core/log/event-log.ts';

/** A record, with its own check value and that of the record before it. */
export interface ChainedRecord {
  readonly record: LogRecord;
  readonly before: string;
  readonly check: string;
}

/** `x` stands where somebody else's record stood: nobody can read it. */
const kinds: Readonly<Record<string, LogRecordKind>> = { a: 'acl', e: 'events', x: 'events' };
const meta = /^([aex]) (\d+) \d+ ([\da-f.]+) ([\da-f.]+)$/;

/** An entry of the stream, as Redis gives it; undefined for one that the log's function did not write. */
export function recordOf(entry: unknown): ChainedRecord | undefined {
  const [id, fields] = entry as [Buffer, readonly Buffer[] | null];
  const index = /^(\d+)-0$/.exec(id.toString('latin1'))?.[1];
  if (index === undefined || fields?.length !== 4 || fields[0]?.toString('latin1') !== 'm') return undefined;
  const [, kind = '', time, before, check] = meta.exec(fields[1]?.toString('latin1') ?? '') ?? [];
  const [, , , body] = fields;
  if (before === undefined || check === undefined || body === undefined) return undefined;
  const record = { index: Number(index), kind: kinds[kind] ?? 'events', time: Number(time), body };
  return { record, before, check };
}

/**
 * The records at the start of `entries` that follow on the one at `position`: each index is the next one, and each
 * names the check value of the record before it. `seen` is the one at `position`; undefined when it is not known.
 */
export function chainAfter(position: number, seen: string | undefined, entries: readonly unknown[]): ChainedRecord[] {
  const chain: ChainedRecord[] = [];
  let check = seen;
  for (const entry of entries) {
    const next = recordOf(entry);
    if (next?.record.index !== position + chain.length + 1 || next.before !== (check ?? next.before)) break;
    check = next.check;
    chain.push(next);
  }
  return chain;
}
