import { expect } from 'vitest';

import type { EventLog } from '../../src/core/log/event-log.ts';
import { TailRecorder } from '../../src/testing/index.ts';

const READERS = 200;
const BYTES = 16 * 1024;
const ADDED = 100;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/**
 * So many readers at once get the whole of a log that is empty by now, while every append is made and a tail stays up.
 */
export async function servesManyReaders(log: EventLog, stored: number): Promise<void> {
  for (const _ of range(1, stored)) await log.append(new Uint8Array(BYTES));
  const tail = new TailRecorder();
  await log.tail(stored, tail);
  const reads = range(1, READERS).map(async () => {
    const indexes: number[] = [];
    for await (const chunk of log.read(1, stored, { maxBytes: 65_536 })) {
      indexes.push(...chunk.map(({ index }) => index));
    }
    return indexes;
  });
  for (const n of range(1, ADDED)) expect(await log.append(new Uint8Array(10))).toMatchObject({ index: stored + n });
  for (const indexes of await Promise.all(reads)) expect(indexes).toEqual(range(1, stored));
  await tail.until(() => tail.indexes.length === ADDED);
  expect(tail.statuses).not.toContain('down');
}
