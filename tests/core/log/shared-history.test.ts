import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { FairLimit } from '../../../src/core/log/fair-limit.ts';
import { SharedHistory } from '../../../src/core/log/shared-history.ts';
import { deferred } from '../../../src/testing/deferred.ts';
import { VirtualClock } from '../../../src/testing/index.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function batchOf(index: number, bytes = 10): EncodedBatch {
  const meta = { topic: 'Job', type: 'Made', key: 'k', namespace: '', filterKeys: [] };
  return new EncodedBatch(index, [new EncodedEvent(meta, ['Job'], { payload: 1, bytes })]);
}

interface LogOptions {
  /** Positions that the log has. */
  readonly held: readonly number[];
  readonly perChunk?: number;
  readonly bytes?: number;
  /** Throws, or waits, before a chunk that begins there. */
  readonly before?: (position: number) => unknown;
}

/** A log that counts what is asked of it. */
function logOf({ held, perChunk = 3, bytes = 10, before }: LogOptions) {
  const counts = { opened: 0, open: 0, chunks: 0 };
  const opened: (readonly [number, number])[] = [];
  async function* open(from: number, to: number) {
    opened.push([from, to]);
    counts.opened++;
    counts.open++;
    try {
      const wanted = held.filter((position) => position >= from && position <= to);
      for (let i = 0; i < wanted.length; i += perChunk) {
        await turn();
        await before?.(wanted[i] as number);
        counts.chunks++;
        yield wanted.slice(i, i + perChunk).map((position) => batchOf(position, bytes));
      }
    } finally {
      counts.open--;
    }
  }
  const clock = new VirtualClock();
  return { history: new SharedHistory(open, new FairLimit(4), clock), counts, opened, clock };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function readAll(history: SharedHistory, from: number, to: number): Promise<number[]> {
  const positions: number[] = [];
  for await (const batches of history.read(from, to)) positions.push(...batches.map(({ position }) => position));
  return positions;
}

describe('the history of a log', () => {
  it('is read once for a thousand who stand at the same place, and by the same batches', async () => {
    const { history, counts } = logOf({ held: range(1, 30) });
    const first = new Set<unknown>();
    const read = async () => {
      const positions: number[] = [];
      for await (const batches of history.read(1, 30)) {
        first.add(batches[0]);
        positions.push(...batches.map(({ position }) => position));
      }
      return positions;
    };
    const all = await Promise.all(Array.from({ length: 1000 }, read));
    for (const positions of all) expect(positions).toEqual(range(1, 30));
    expect(counts).toEqual({ opened: 1, open: 0, chunks: 10 });
    expect(first.size, 'a batch for each chunk, whoever reads it').toBe(10);
  });

  it('gives each reader what the log has in its stretch, whoever else reads', async () => {
    const stretch = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 40 }), fc.nat(5));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), fc.array(stretch), async (found, stretches) => {
        const held = found.toSorted((a, b) => a - b);
        const { history, counts } = logOf({ held });
        const reads = stretches.map(async ([from, length, wait]) => {
          for (let i = 0; i < wait; i++) await turn();
          const positions = await readAll(history, from, from + length);
          expect(positions).toEqual(held.filter((position) => position >= from && position <= from + length));
        });
        await Promise.all(reads);
        await turn();
        expect(counts.open, 'no reading is left open').toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('is read anew when all have left: nothing is kept for nobody', async () => {
    const { history, counts } = logOf({ held: range(1, 6) });
    await readAll(history, 1, 6);
    await readAll(history, 1, 6);
    expect(counts).toEqual({ opened: 2, open: 0, chunks: 4 });
  });

  it('goes on for the others where one leaves in the middle of a chunk that is being read', async () => {
    const { history, counts } = logOf({ held: range(1, 9) });
    const leaving = history.read(1, 9);
    const asked = leaving.next();
    const other = readAll(history, 1, 9);
    const left = leaving.return();
    await asked;
    await left;
    expect(await other).toEqual(range(1, 9));
    expect(counts).toEqual({ opened: 1, open: 0, chunks: 3 });
  });

  it('tells a failure to all who wait for it, and reads anew for who asks again', async () => {
    let isDown = true;
    const before = (position: number) => {
      if (position === 4 && isDown) throw new Error('down');
    };
    const { history } = logOf({ held: range(1, 6), before });
    const settled = await Promise.allSettled([readAll(history, 1, 6), readAll(history, 1, 6)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isDown = false;
    expect(await readAll(history, 1, 6)).toEqual(range(1, 6));
  });

  it('keeps no more than 8 MiB of what was read for those who come next', async () => {
    const { history, counts } = logOf({ held: range(1, 9), perChunk: 1, bytes: 3 * 1024 * 1024 });
    const staying = history.read(1, 9);
    for (let i = 0; i < 9; i++) await staying.next();
    expect(await readAll(history, 8, 9)).toEqual([8, 9]);
    expect(counts.chunks, 'the last two are kept').toBe(9);
    expect(await readAll(history, 6, 6)).toEqual([6]);
    expect(counts.chunks, 'those before are not').toBe(10);
    await staying.return();
  });

  it('counts what is kept with all that its readers made of it, and what holds no batch', async () => {
    const json = `[${'{},'.repeat(20_000)}{}]`;
    const meta = { topic: 'Job', type: 'Made', key: 'k', namespace: '', filterKeys: [] };
    let opened = 0;
    async function* open(from: number, to: number) {
      opened++;
      if (from > 200) return;
      for (let at = from; at <= to; at++)
        yield [new EncodedBatch(at, [new EncodedEvent(meta, ['Job'], { json, bytes: json.length })])];
    }
    const history = new SharedHistory(open, new FairLimit(4), new VirtualClock());
    const [first, second] = [history.read(1, 200), history.read(1, 200)];
    const kept = new Set<EncodedBatch>();
    for (let i = 0; i < 100; i++) for (const batch of (await first.next()).value ?? []) kept.add(batch);
    const bytes = () => [...kept].reduce((sum, batch) => sum + batch.bytes, 0);
    expect(bytes(), 'as text all of it has room').toBeLessThan(8 * 1024 * 1024);
    for (let i = 0; i < 100; i++)
      for (const { batch } of (await second.next()).value ?? []) expect(batch).toBeDefined();
    for (const batch of kept) {
      const again = history.read(batch.position, batch.position);
      const [found] = (await again.next()).value ?? [];
      if (found !== batch) kept.delete(batch);
      await again.return();
    }
    expect(bytes()).toBeLessThan(8 * 1024 * 1024);

    for (let at = 201; at < 22_201; at++) await readAll(history, at, at);
    const before = opened;
    await readAll(history, 201, 201);
    expect(opened, 'it is not kept any more that nothing is there').toBe(before + 1);
    await Promise.all([first.return(), second.return()]);
  });

  it('lets go of all for a reader that rests, and of the log; the reader goes on', async () => {
    const { history, counts, clock } = logOf({ held: range(1, 9) });
    const resting = history.read(1, 9);
    await resting.next();
    expect(counts).toEqual({ opened: 1, open: 1, chunks: 1 });
    await clock.advance(15_000);
    expect(await readAll(history, 1, 3)).toEqual(range(1, 3));
    expect(counts, 'it is kept as long as it is of use').toMatchObject({ chunks: 1, open: 1 });
    await clock.advance(60_000);
    await turn();
    expect(counts.open).toBe(0);
    expect(await readAll(history, 1, 3)).toEqual(range(1, 3));
    expect(counts).toMatchObject({ opened: 2, chunks: 2 });
    const rest: number[] = [];
    for await (const batches of resting) rest.push(...batches.map(({ position }) => position));
    expect(rest).toEqual(range(4, 9));
    expect(counts.open).toBe(0);
  });

  it('lets go of a reading that was handed back when all who had asked for it rest', async () => {
    const held = deferred();
    const before = (position: number) => (position === 4 ? held.promise : undefined);
    const { history, counts, clock } = logOf({ held: range(1, 9), before });
    const resting = history.read(1, 9);
    await resting.next();
    const asked = resting.next();
    await turn();
    await clock.advance(60_000);
    const other = readAll(history, 4, 6);
    held.resolve();
    await asked;
    expect(await other).toEqual([4, 5, 6]);
    expect(counts, 'who came later has waited for the same').toMatchObject({ opened: 1, chunks: 2 });
    await clock.advance(60_000);
    await turn();
    expect(counts.open).toBe(0);
    await resting.return();
  });

  it('lets others have their turn while a log has nothing to say again and again', async () => {
    const log = { isQuiet: true };
    async function* open(from: number, to: number) {
      if (from > 3)
        while (log.isQuiet) {
          await turn();
          yield [];
        }
      yield range(from, to).map((position) => batchOf(position));
    }
    const history = new SharedHistory(open, new FairLimit(1), new VirtualClock());
    const waiting = readAll(history, 4, 6);
    const other = readAll(history, 1, 3).then((positions) => {
      log.isQuiet = false;
      return positions;
    });
    expect(await other).toEqual(range(1, 3));
    expect(await waiting).toEqual(range(4, 6));
  });

  it('keeps what is still being read, for others who wait for it', async () => {
    const { promise: answer, resolve: answerNow } = deferred();
    const before = (position: number) => (position === 1 ? answer : undefined);
    const { history, counts } = logOf({ held: range(1, 9), perChunk: 1, bytes: 5 * 1024 * 1024, before });
    const slow = readAll(history, 1, 1);
    await readAll(history, 2, 9);
    const late = readAll(history, 1, 1);
    answerNow();
    expect([await slow, await late]).toEqual([[1], [1]]);
    expect(counts.chunks).toBe(9);
  });

  it('reads on with what stands there, up to the last batch', async () => {
    const { history, counts } = logOf({ held: range(1, 7) });
    expect(await readAll(history, 1, 7)).toEqual(range(1, 7));
    expect(counts.opened).toBe(1);
  });

  it('hands on no chunk without a batch, and passes over one that a log gives', async () => {
    const empty = new SharedHistory(async function* () {}, new FairLimit(1), new VirtualClock());
    expect((await empty.read(1, 5).next()).done).toBe(true);
    const open = async function* (): AsyncGenerator<readonly EncodedBatch[], void, undefined> {
      yield [];
      yield [batchOf(1)];
    };
    expect(await readAll(new SharedHistory(open, new FairLimit(1), new VirtualClock()), 1, 1)).toEqual([1]);
  });

  it('asks anew for a chunk that could not be read, while others read on', async () => {
    let isDown = true;
    const before = (position: number) => {
      if (position === 4 && isDown) throw new Error('down');
    };
    const { history } = logOf({ held: range(1, 9), before });
    const staying = history.read(1, 9);
    await staying.next();
    await expect(readAll(history, 4, 9)).rejects.toThrow('down');
    isDown = false;
    expect(await readAll(history, 4, 9)).toEqual(range(4, 9));
    await staying.return();
  });

  it('leaves at most 8 readings open for who may go on with them, the newest', async () => {
    const { history, counts, opened } = logOf({ held: range(1, 200) });
    const readers = range(0, 8).map((i) => history.read(1 + 10 * i, 200));
    for (const reader of readers.slice(0, 8)) await reader.next();
    expect(counts).toMatchObject({ opened: 8, open: 8 });
    await readers[8]?.next();
    await turn();
    expect(counts).toMatchObject({ opened: 9, open: 8 });
    for (const reader of readers.slice(1)) await reader.next();
    expect(counts.opened, 'eight go on').toBe(9);
    await readers[0]?.next();
    expect(opened.at(-1), 'the oldest was closed').toEqual([4, 200]);
    await Promise.all(readers.map((reader) => reader.return()));
    await turn();
    expect(counts.open).toBe(0);
  });
});
