import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import type { LmdbEventLogOptions } from '../../src/logs/lmdb/index.ts';
import { describeEventLog, TailRecorder, VirtualClock } from '../../src/testing/index.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'fenceline-lmdb-'));
const removeFolder = (path: string) => rm(path, { recursive: true, force: true });

for (const durability of ['disk', 'os'] as const) {
  describeEventLog(
    `LmdbEventLog with durability ${durability}`,
    {
      prepare: newFolder,
      open: (path: string) => LmdbEventLog.open({ path, durability }),
      dispose: removeFolder,
      recreate: removeFolder,
    },
    { describe, it },
  );
}

describe('LmdbEventLog', () => {
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function folder(): Promise<string> {
    const path = await newFolder();
    cleanUps.push(() => removeFolder(path));
    return path;
  }

  async function open(options: LmdbEventLogOptions): Promise<LmdbEventLog> {
    const log = await LmdbEventLog.open(options);
    cleanUps.push(() => log.close());
    return log;
  }

  const appendMany = (log: LmdbEventLog, count: number, bytes = 10) =>
    Promise.all(Array.from({ length: count }, () => log.append(new Uint8Array(bytes))));

  it('makes its folder, also below one that is missing, and takes a dot in its name for what it is', async () => {
    const path = join(await folder(), 'deep', 'events.v1');
    await open({ path });
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it('refuses a second writer while the first one is open, and takes one after it was closed', async () => {
    const path = await folder();
    const first = await open({ path });
    await expect(LmdbEventLog.open({ path })).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining(`${process.pid}`),
    });
    await first.close();
    await open({ path });
  });

  it.each([
    ['of a process that is gone', { pid: 2 ** 22 + 1, host: hostname(), startedAt: '1' }],
    ['of an earlier process with the same id', { pid: process.pid, host: hostname(), startedAt: '1' }],
    ['that was half written', undefined],
  ])('takes over a lock %s', async (_, holder) => {
    const path = await folder();
    await writeFile(join(path, 'writer.lock'), holder ? JSON.stringify(holder) : '{"pid":');
    await (await open({ path })).append(new Uint8Array(1));
  });

  it('a writer that was taken over can change nothing any more, and says so', async () => {
    const path = await folder();
    const old = await open({ path });
    await old.append(new Uint8Array(1));
    await rm(join(path, 'writer.lock'));
    const next = await open({ path });
    await expect(old.append(new Uint8Array(1))).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('taken over'),
    });
    expect(await next.append(new Uint8Array(1))).toEqual({ index: 2, duplicate: false });
    await expect(old.trim({ maxRecords: 0 })).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(await next.state()).toMatchObject({ first: 1, head: 2 });
  });

  it('a folder that cannot be used is told as log_unavailable, and a reader does not make one', async () => {
    const path = await folder();
    const file = join(path, 'file');
    await writeFile(file, '');
    await expect(LmdbEventLog.open({ path: file })).rejects.toMatchObject({ code: 'log_unavailable' });
    const missing = join(path, 'missing');
    await expect(LmdbEventLog.open({ path: missing, readOnly: true })).rejects.toMatchObject({
      code: 'log_unavailable',
    });
    await expect(stat(missing)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['this is no database'.repeat(1000), 'abc'])(
    'a file that is not its own is refused and leaves no lock behind',
    async (text) => {
      const path = await folder();
      await writeFile(join(path, 'data.mdb'), text);
      await expect(LmdbEventLog.open({ path })).rejects.toMatchObject({ code: 'log_unavailable' });
      await expect(stat(join(path, 'writer.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('retention by count is reached in the background, also for many records at once', async () => {
    const log = await open({ path: await folder(), durability: 'os', retention: { maxRecords: 10 } });
    await appendMany(log, 3000);
    await log.trim({ maxRecords: 10 });
    expect(await log.state()).toMatchObject({ first: 2991, head: 3000 });
  });

  it('retention is reached without anybody asking', async () => {
    const log = await open({ path: await folder(), durability: 'os', retention: { maxRecords: 10 } });
    await appendMany(log, 1200);
    // close() waits for the commit under way; what was due before it is dropped with it or with the next opening.
    let { first } = await log.state();
    while (first < 1191) {
      await new Promise((resolve) => setImmediate(resolve));
      ({ first } = await log.state());
    }
    expect(first).toBe(1191);
  });

  it('retention by bytes counts what is kept, across opening again', async () => {
    const path = await folder();
    const before = await open({ path });
    await appendMany(before, 20, 1000);
    await before.close();
    const log = await open({ path, retention: { maxBytes: 5200 } });
    await log.trim({ maxBytes: 5200 });
    expect(await log.state()).toMatchObject({ first: 16, head: 20 });
    await log.trim({ maxRecords: 0 });
    await appendMany(log, 5, 1000);
    await log.trim({ maxBytes: 5200 });
    expect(await log.state()).toMatchObject({ first: 21, head: 25 });
  });

  it('retention by age drops records when their time has come, without an append', async () => {
    const clock = new VirtualClock();
    const log = await open({ path: await folder(), retention: { maxAgeMs: 5000 }, clock });
    await appendMany(log, 3);
    await clock.advance(4000);
    await appendMany(log, 2);
    await clock.advance(1100);
    await log.trim({});
    expect(await log.state()).toMatchObject({ first: 4, head: 5 });
    await clock.advance(4000);
    await log.trim({});
    expect(await log.state()).toMatchObject({ first: 6, head: 5 });
  });

  it('leaves no timer behind when it is closed', async () => {
    const clock = new VirtualClock();
    const log = await open({ path: await folder(), retention: { maxAgeMs: 5000 }, clock });
    await appendMany(log, 3);
    await log.close();
    expect(clock.timers).toBe(0);
  });

  it('an id is forgotten when its window is over, given again, and then known by its later record', async () => {
    const clock = new VirtualClock();
    const path = await folder();
    const log = await open({ path, dedupeWindowMs: 1000, clock });
    await log.append(new Uint8Array(1), { id: 'a' });
    await clock.advance(1000);
    expect(await log.append(new Uint8Array(1), { id: 'a' })).toEqual({ index: 1, duplicate: true });
    await clock.advance(1);
    expect(await log.append(new Uint8Array(1), { id: 'a' })).toEqual({ index: 2, duplicate: false });
    await log.append(new Uint8Array(1));
    await log.close();
    const again = await open({ path, dedupeWindowMs: 1000, clock });
    expect(await again.append(new Uint8Array(1), { id: 'a' })).toEqual({ index: 2, duplicate: true });
  });

  it('an id that is too long is refused with the limit named', async () => {
    const log = await open({ path: await folder() });
    await expect(log.append(new Uint8Array(1), { id: 'ä'.repeat(257) })).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('512'),
    });
    await log.append(new Uint8Array(1), { id: 'ä'.repeat(256) });
  });

  it('refuses appends past the bound of what waits to be written, and serves those before', async () => {
    const log = await open({ path: await folder(), durability: 'os' });
    const large = new Uint8Array(16 * 1024 * 1024);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => log.append(large)));
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), 'rejected', 'rejected']);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'at_capacity' } });
    expect(await log.append(new Uint8Array(1))).toMatchObject({ index: 5 });
  });

  it('a tail that catches up while the log is written and trimmed is told each record or its gap', async () => {
    const log = await open({ path: await folder(), durability: 'os' });
    await appendMany(log, 5000, 100);
    const tail = new TailRecorder();
    await log.tail(0, tail);
    await Promise.all([appendMany(log, 3000), log.trim({ maxRecords: 1000 })]);
    await tail.until(() => tail.indexes.at(-1) === 8000);
    let position = 0;
    for (const call of tail.calls) {
      if (call.type === 'gap') position = call.first - 1;
      if (call.type === 'records') for (const { index } of call.batch) expect(index).toBe((position += 1));
    }
    expect(tail.overlaps).toBe(0);
  });

  it.each([
    ['no path', { path: '' }],
    ['an unknown durability', { path: 'x', durability: 'none' as 'disk' }],
    ['a poll of 0 ms', { path: 'x', pollMs: 0 }],
  ])('refuses %s as a programming mistake', async (_, options) => {
    await expect(LmdbEventLog.open(options)).rejects.toThrow(TypeError);
  });
});
