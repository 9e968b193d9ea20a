import { describe, expect, it } from 'vitest';

import { MemoryEventLog } from '../../src/logs/memory.ts';
import { describeEventLog, TailRecorder, VirtualClock } from '../../src/testing/index.ts';

const body = new Uint8Array(10);

describeEventLog(
  'MemoryEventLog',
  {
    prepare: async () => new MemoryEventLog(),
    open: async (root) => root.share(),
    dispose: (root) => root.close(),
    isShared: true,
    recreate: async (root) => root.recreate(),
    survivesRecreation: true,
  },
  { describe, it },
);

describe('MemoryEventLog', () => {
  it('keeps no more records than its retention allows, and its indexes go on', async () => {
    const log = new MemoryEventLog({ retention: { maxRecords: 3 } });
    for (let i = 0; i < 10; i++) await log.append(body);
    expect(await log.state()).toMatchObject({ first: 8, head: 10 });
  });

  it('keeps no more bytes than its retention allows', async () => {
    const log = new MemoryEventLog({ retention: { maxBytes: 25 } });
    for (let i = 0; i < 10; i++) await log.append(body);
    expect(await log.state()).toMatchObject({ first: 9, head: 10 });
  });

  it('drops what is too old with the next append', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog({ retention: { maxAgeMs: 1000 }, clock });
    await log.append(body);
    await clock.advance(1001);
    await log.append(body);
    expect(await log.state()).toMatchObject({ first: 2, head: 2 });
  });

  it('forgets an id when its window is over, and not before', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog({ dedupeWindowMs: 1000, clock });
    await log.append(body, { id: 'a' });
    await clock.advance(1000);
    expect(await log.append(body, { id: 'a' })).toEqual({ index: 1, duplicate: true });
    await clock.advance(1);
    expect(await log.append(body, { id: 'a' })).toEqual({ index: 2, duplicate: false });
  });

  it('refuses ids and does not deduplicate with a window of 0', async () => {
    const log = new MemoryEventLog({ dedupeWindowMs: 0 });
    await expect(log.append(body, { id: 'a' })).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('ends the tail of a handler that throws, says so, and serves the others', async () => {
    const log = new MemoryEventLog();
    const thrown = new Error('a bug of the handler');
    const told: unknown[] = [];
    await log.tail(0, {
      records: () => Promise.reject(thrown),
      gap: () => undefined,
      reset: () => undefined,
      status: (status, cause) => told.push([status, cause?.cause]),
    });
    const other = new TailRecorder();
    await log.tail(0, other);
    await log.append(body);
    await log.append(body);
    await other.until(() => other.indexes.length === 2);
    expect(told.at(-1)).toEqual(['down', thrown]);
  });

  it('lets a handler stop its own tail', async () => {
    const log = new MemoryEventLog();
    const recorder = new TailRecorder();
    const tail = await log.tail(0, {
      ...quiet,
      records: async (batch) => {
        await recorder.records(batch);
        await tail.stop();
      },
    });
    await log.append(body);
    await recorder.until(() => recorder.indexes.length === 1);
    await log.append(body);
    await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.indexes).toEqual([1]);
  });

  it.each([
    ['a negative bound', () => new MemoryEventLog({ retention: { maxRecords: -1 } })],
    ['a window that is no number', () => new MemoryEventLog({ dedupeWindowMs: Number.NaN })],
  ])('refuses %s as a programming mistake', (_, make) => {
    expect(make).toThrow(TypeError);
  });
});

const quiet = { records: () => undefined, gap: () => undefined, reset: () => undefined, status: () => undefined };
