import { describe, expect, it } from 'vitest';

import { EventBroker } from '../../src/index.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { logAround } from '../logs/log-around.ts';
import { describeEventLog, FaultyEventLog, TailRecorder, VirtualClock } from '../../src/testing/index.ts';

describeEventLog(
  'FaultyEventLog without a fault',
  {
    prepare: async () => new MemoryEventLog(),
    open: async (root) => new FaultyEventLog(root.share()),
    dispose: (root) => root.close(),
    isShared: true,
    recreate: async (root) => root.recreate(),
    survivesRecreation: true,
  },
  { describe, it },
);

const body = new Uint8Array(10);

async function wrapped(count = 0) {
  const log = new MemoryEventLog();
  for (let i = 0; i < count; i++) await log.append(body);
  const clock = new VirtualClock();
  return { log, clock, faulty: new FaultyEventLog(log, { clock }) };
}

describe('FaultyEventLog', () => {
  it('an append that fails before is not in the log, one that fails after is', async () => {
    const { log, faulty } = await wrapped();
    faulty.failNextAppend('before');
    faulty.failNextAppend('after', new Error('lost'));
    await expect(faulty.append(body)).rejects.toMatchObject({ code: 'log_unavailable' });
    expect((await log.state()).head).toBe(0);
    await expect(faulty.append(body)).rejects.toThrow('lost');
    expect((await log.state()).head).toBe(1);
    expect(await faulty.append(body)).toMatchObject({ index: 2 });
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('an append held %s waits with the log at %i until it is released', async (moment, head) => {
    const { log, faulty } = await wrapped();
    const held = faulty.holdNextAppend(moment);
    const appended = faulty.append(body);
    await held.arrived;
    expect((await log.state()).head).toBe(head);
    held.release();
    expect(await appended).toMatchObject({ index: 1 });
  });

  it('a held append can be failed, and others pass it', async () => {
    const { faulty } = await wrapped();
    const held = faulty.holdNextAppend();
    const first = faulty.append(body);
    expect(await faulty.append(body)).toMatchObject({ index: 1 });
    held.fail();
    await expect(first).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('a delayed append takes its time on the clock', async () => {
    const { log, clock, faulty } = await wrapped();
    faulty.delayAppends(50);
    const appended = faulty.append(body);
    await clock.advance(49);
    expect((await log.state()).head).toBe(0);
    await clock.advance(1);
    await appended;
  });

  it('a log that is down refuses every call, and answers again when it is up', async () => {
    const { faulty } = await wrapped(1);
    await faulty.goDown();
    const calls = [
      () => faulty.state(),
      () => faulty.append(body),
      () => faulty.read(1, 1).next(),
      async () => faulty.pinned?.()[Symbol.asyncIterator]().next(),
      () => faulty.tail(0, new TailRecorder()),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'log_unavailable' });
    await faulty.goUp();
    expect(await faulty.append(body)).toMatchObject({ index: 2 });
  });

  it('pinned records are told until the log goes down', async () => {
    const { log, faulty } = await wrapped();
    for (const key of ['a', 'b', 'c']) await log.append(body, { pins: [key] });
    await log.trim({ maxRecords: 0 });
    const seen: number[] = [];
    const read = async () => {
      for await (const chunk of faulty.pinned?.({ maxBytes: 1 }) ?? []) {
        seen.push(...chunk.map(({ index }) => index));
        if (seen.length === 2) await faulty.goDown();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(seen).toEqual([1, 2]);
  });

  it('has no pinned() around a log that has none', () => {
    expect(new FaultyEventLog(logAround(new MemoryEventLog(), { pinned: undefined as never })).pinned).toBeUndefined();
  });

  it('a tail tells down, catching-up and up, and nothing is missing or told twice', async () => {
    const { log, faulty } = await wrapped(3);
    const tail = new TailRecorder();
    await faulty.tail(0, tail);
    await tail.until(() => tail.statuses.at(-1) === 'up');
    const cause = new Error('cable');
    await faulty.goDown(cause);
    for (let i = 0; i < 3; i++) await log.append(body);
    expect(tail.calls.at(-1)).toEqual({ type: 'status', status: 'down', cause });
    await faulty.goUp();
    await tail.until(() => tail.statuses.at(-1) === 'up');
    expect(tail.indexes).toEqual([1, 2, 3, 4, 5, 6]);
    expect(tail.statuses).toEqual(['catching-up', 'up', 'down', 'catching-up', 'up']);
  });

  it('down waits for the call of the handler that is under way', async () => {
    const { faulty } = await wrapped(1);
    const tail = new TailRecorder();
    tail.pause();
    await faulty.tail(0, tail);
    await tail.until(() => tail.indexes.length === 1);
    const down = faulty.goDown();
    const up = faulty.goUp();
    tail.resume();
    await Promise.all([down, up]);
    await tail.until(() => tail.statuses.at(-1) === 'up');
    expect(tail.overlaps).toBe(0);
    expect(tail.indexes).toEqual([1]);
  });

  it('another epoch that came while a tail was being opened is told as a reset when the log is up', async () => {
    const inner = new MemoryEventLog();
    const log = new FaultyEventLog(inner);
    expect(await log.state()).toMatchObject({ head: 0 });
    const tail = new TailRecorder();
    const opening = log.tail(0, tail);
    inner.recreate();
    await opening;
    await log.goDown();
    await inner.append(new Uint8Array([1]));
    await log.goUp();
    await tail.until(() => tail.statuses.at(-1) === 'up');
    expect(tail.calls).toContainEqual({ type: 'reset', state: await log.state() });
  });

  it('what was trimmed while the log was down is told as a gap, and another epoch as a reset', async () => {
    const { log, faulty } = await wrapped(2);
    const tail = new TailRecorder();
    await faulty.tail(0, tail);
    await tail.until(() => tail.indexes.length === 2);
    await faulty.goDown();
    for (let i = 0; i < 4; i++) await log.append(body);
    await log.trim({ maxRecords: 1 });
    await faulty.goUp();
    await tail.until(() => tail.indexes.length === 3);
    expect(tail.calls).toContainEqual({ type: 'gap', after: 2, first: 6 });
    await faulty.goDown();
    log.recreate();
    await faulty.goUp();
    expect(tail.calls).toContainEqual({ type: 'reset', state: await log.state() });
  });

  it('a read finds the log trimmed after the chunks that were asked for', async () => {
    const { faulty } = await wrapped(10);
    faulty.trimDuringRead(2, { maxRecords: 1 });
    const seen: number[] = [];
    const read = async () => {
      for await (const chunk of faulty.read(1, 10, { maxBytes: 1 })) seen.push(...chunk.map(({ index }) => index));
    };
    await expect(read()).rejects.toMatchObject({ code: 'gap' });
    expect(seen).toEqual([1, 2]);
  });

  it.each([
    ['live', undefined],
    ['replayed', 1],
  ] as const)(
    'a poisoned record is a gap at its index for a reader that is %s, and nothing else is',
    async (_, index) => {
      const { faulty } = await wrapped();
      const event = { topic: 'Job', type: 'Made', key: 'a', payload: 1 };
      const broker = new EventBroker({ log: faulty });
      const live = await broker.subscribe();
      await broker.publish(event);
      const poisoned = await faulty.poison();
      await broker.publish(event);
      const subscription = index === undefined ? live : await broker.subscribe({ index });
      const seen: unknown[] = [];
      for await (const { index: at, gap } of subscription) {
        seen.push({ at, ...(gap && { gap: [gap.from, gap.to] }) });
        if (at === 3) break;
      }
      expect(poisoned).toBe(2);
      expect(seen).toEqual([{ at: 1 }, { at: 3, gap: [2, 2] }]);
      await broker.close();
    },
  );

  it('what poisons can be given, and no fault of appends meets it', async () => {
    const { log, faulty } = await wrapped();
    faulty.failNextAppend('before');
    expect(await faulty.poison(body)).toBe(1);
    const [record] = (await log.read(1, 1)[Symbol.asyncIterator]().next()).value ?? [];
    expect(record?.body).toEqual(body);
    await expect(faulty.append(body)).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('closes, with the log that it is around, at the end of `await using`', async () => {
    const { log, faulty } = await wrapped();
    await faulty[Symbol.asyncDispose]();
    await expect(log.state()).rejects.toMatchObject({ code: 'closed' });
  });
});
