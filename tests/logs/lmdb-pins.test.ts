import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { EventLog, LogRecord } from '../../src/core/log/event-log.ts';
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { makeOldFolder, tablesIn } from './lmdb-tables.ts';

const NIGHTLY = process.env['NIGHTLY'] === '1';
const root = fileURLToPath(new URL('../../', import.meta.url));
const body = new Uint8Array(10);

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'fenceline-pins-'));
});
afterEach(() => rm(path, { recursive: true, force: true }));

async function pinnedIn(log: EventLog): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const chunk of log.pinned?.() ?? []) records.push(...chunk);
  return records;
}

const pinnedIndexes = async (log: EventLog) => (await pinnedIn(log)).map(({ index }) => index);

async function newestRecords(log: EventLog): Promise<LogRecord[]> {
  const records = await pinnedIn(log);
  const { first, head } = await log.state();
  for await (const chunk of log.read(first, head)) records.push(...chunk);
  return records;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

interface Step {
  readonly appends: readonly { readonly pins: string[]; readonly unpins: string[] }[];
  readonly maxRecords: number | undefined;
  readonly isReopened: boolean;
}

describe('pins of an LmdbEventLog', () => {
  const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 });
  const append = fc.record({ pins: keys, unpins: keys });
  const step = fc.record({
    appends: fc.array(append, { maxLength: 6 }),
    maxRecords: fc.option(fc.nat(8), { nil: undefined }),
    isReopened: fc.boolean(),
  });

  it('agree with the records after appends and trims that are in flight together', async () => {
    const steps: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 12 });
    const isRight = async (given: readonly Step[]) => {
      await rm(path, { recursive: true, force: true });
      const newest = new Map<string, number>();
      let log = await LmdbEventLog.open({ path, durability: 'os' });
      let head = 0;
      for (const { appends, maxRecords, isReopened } of given) {
        const trimmed = maxRecords === undefined ? undefined : log.trim({ maxRecords });
        const appended = appends.map(({ pins, unpins: all }) => {
          const unpins = all.filter((key) => !pins.includes(key));
          head += 1;
          for (const key of unpins) newest.delete(key);
          for (const key of pins) newest.set(key, head);
          return log.append(body, { pins, unpins });
        });
        await Promise.all([trimmed, ...appended]);
        const { first } = await log.state();
        const kept = [...new Set(newest.values())].filter((index) => index < first).sort((a, b) => a - b);
        expect(await pinnedIndexes(log)).toEqual(kept);
        if (!isReopened) continue;
        await log.close();
        expect((await tablesIn(path)).wrong).toEqual([]);
        log = await LmdbEventLog.open({ path, durability: 'os' });
      }
      await log.close();
      expect((await tablesIn(path)).wrong).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(steps, isRight), { numRuns: NIGHTLY ? 1000 : 40 });
  });

  it('outlive a trim that takes many commits, and so do those that come meanwhile', async () => {
    const log = await LmdbEventLog.open({ path, durability: 'os' });
    const pins = (i: number) => (i % 2 ? [`key ${i}`] : []);
    await Promise.all(Array.from({ length: 6000 }, (_, i) => log.append(body, { pins: pins(i) })));
    const trimmed = log.trim({ maxRecords: 10 });
    const moved = Array.from({ length: 1000 }, (_, i) => log.append(body, { pins: pins(2 * i + 1) }));
    await Promise.all([trimmed, ...moved]);
    await log.trim({ maxRecords: 10 });
    expect(await log.state()).toMatchObject({ first: 6991, head: 7000 });
    const kept = [...range(2001, 6000).filter((index) => index % 2 === 0), ...range(6001, 6990)];
    expect(await pinnedIndexes(log)).toEqual(kept);
    await log.append(body, { unpins: Array.from({ length: 6000 }, (_, i) => `key ${i}`) });
    expect(await pinnedIndexes(log)).toEqual([]);
    await log.close();
    expect(await tablesIn(path)).toEqual({ format: 2, first: 6991, head: 7001, before: [], wrong: [] });
  });

  it('do not count for the bytes that retention keeps', async () => {
    const log = await LmdbEventLog.open({ path, durability: 'os', retention: { maxBytes: 5 * 1009 } });
    for (let i = 0; i < 20; i++) await log.append(new Uint8Array(1000), { pins: [`${i}`] });
    await log.trim({ maxBytes: 5 * 1009 });
    expect(await log.state()).toMatchObject({ first: 16, head: 20 });
    expect(await pinnedIndexes(log)).toEqual(range(1, 15));
    await log.append(new Uint8Array(1000), { unpins: range(0, 9).map(String) });
    await log.trim({ maxBytes: 5 * 1009 });
    expect(await log.state()).toMatchObject({ first: 17, head: 21 });
    expect(await pinnedIndexes(log)).toEqual(range(11, 16));
    await log.close();
    expect((await tablesIn(path)).wrong).toEqual([]);
  });

  it('count for the bound of what waits to be written', async () => {
    const log = await LmdbEventLog.open({ path, durability: 'os' });
    const pins = Array.from({ length: 9000 }, (_, i) => `${i}`.padEnd(1024, '.'));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => log.append(body, { pins })));
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(7).fill('fulfilled'), 'rejected']);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'at_capacity' } });
    await log.trim({ maxRecords: 0 });
    expect(await pinnedIndexes(log)).toEqual([7]);
    await log.close();
    expect((await tablesIn(path)).wrong).toEqual([]);
  });
});

interface Told {
  readonly run: string;
  readonly n: number;
  readonly pins: string[];
  readonly unpins: string[];
}

/** A process that writes to the log in `path`, and is killed when it has acknowledged `count` appends. */
function startWriter(run: string, count: number) {
  const args = ['--import', './tests/tooling/typescript.mjs', 'tests/logs/lmdb-pin-writer.ts', path, run];
  const writer = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  let lines = 0;
  writer.stdout.on('data', (data) => {
    told += String(data);
    lines += String(data).split('\n').length - 1;
    if (lines >= count) writer.kill('SIGKILL');
  });
  const killed = once(writer, 'close').then(() => expect(lines).toBeGreaterThanOrEqual(count));
  /** The whole lines, as index and what was appended. */
  const acknowledged = () =>
    told
      .split('\n')
      .slice(0, -1)
      .map((line) => [Number.parseInt(line), JSON.parse(line.slice(line.indexOf(' '))) as Told] as const);
  return { writer, killed, acknowledged };
}

const toldIn = ({ body }: LogRecord) => JSON.parse(new TextDecoder().decode(body)) as Told;

describe('pins of an LmdbEventLog over kill −9', () => {
  const rounds = NIGHTLY ? 40 : 4;

  it(`agree with the records, and no newest of a key is missing, ${rounds} times at random`, async () => {
    for (let round = 0; round < rounds; round++) {
      const writer = startWriter(`round ${round}`, 1 + Math.floor(Math.random() * 1500));
      await writer.killed;
      const acknowledged = writer.acknowledged();
      const { wrong, before } = await tablesIn(path);
      expect(wrong).toEqual([]);
      if (acknowledged.length > 200) expect(before.length).toBeGreaterThan(50);
      const log = await LmdbEventLog.open({ path });
      const records = await newestRecords(log);
      expect(await pinnedIndexes(log)).toEqual(before);
      await log.close();
      // What was in the log and not yet acknowledged when the kill came counts as well.
      const all = new Map([...acknowledged, ...records.map((record) => [record.index, toldIn(record)] as const)]);
      const newest = new Map<string, number>();
      for (const [index, { pins, unpins, run }] of [...all].sort(([a], [b]) => a - b)) {
        if (run !== `round ${round}`) continue;
        for (const key of unpins) newest.delete(key);
        for (const key of pins) newest.set(key, index);
      }
      const there = new Set(records.map(({ index }) => index));
      expect([...newest].filter(([, index]) => !there.has(index))).toEqual([]);
      expect(newest.size).toBeGreaterThan(0);
    }
  });
});

describe('a folder that a version without pins wrote', () => {
  it('opens as it is, can be read and trimmed, and stays as it was until the first pin', async () => {
    await makeOldFolder(path, 50);
    const log = await LmdbEventLog.open({ path });
    expect(await log.state()).toEqual({ epoch: 'old', first: 1, head: 50 });
    expect(await pinnedIndexes(log)).toEqual([]);
    await log.trim({ maxRecords: 20 });
    await log.append(body, { unpins: [] });
    await log.close();
    expect(await tablesIn(path)).toEqual({ format: 1, first: 31, head: 51, before: [], wrong: [] });
  });

  it('takes pins, and is then one that such a version refuses', async () => {
    await makeOldFolder(path, 50);
    const log = await LmdbEventLog.open({ path });
    await log.append(body, { pins: ['a'] });
    await log.append(body);
    await log.trim({ maxRecords: 1 });
    await log.close();
    expect(await tablesIn(path)).toEqual({ format: 2, first: 52, head: 52, before: [51], wrong: [] });
    const again = await LmdbEventLog.open({ path });
    expect(await again.state()).toEqual({ epoch: 'old', first: 52, head: 52 });
    expect(await pinnedIndexes(again)).toEqual([51]);
    await again.close();
  });

  it('can be read only, and the reader finds the pins that a writer begins to make', async () => {
    await makeOldFolder(path, 50);
    const reader = await LmdbEventLog.open({ path, readOnly: true });
    expect(reader.capabilities.pins).toBe(true);
    expect(await pinnedIndexes(reader)).toEqual([]);
    await expect(reader.append(body, { pins: ['a'] })).rejects.toMatchObject({ code: 'not_supported' });
    const { writer, killed } = startWriter('writer', 1000);
    try {
      while (writer.exitCode === null && writer.signalCode === null) {
        const seen = await pinnedIndexes(reader);
        expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await killed;
      const told = await pinnedIn(reader);
      expect(told.length).toBeGreaterThan(50);
      expect(told.map((record) => toldIn(record).run)).toEqual(told.map(() => 'writer'));
      expect(told.map(({ index }) => index)).toEqual((await tablesIn(path)).before);
    } finally {
      writer.kill('SIGKILL');
      await reader.close();
    }
  });
});
