import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BrokerError } from '../../src/model/errors.ts';
import type { EventLog, LogState } from '../../src/core/log/event-log.ts';
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { TailRecorder } from '../../src/testing/index.ts';

type Step =
  | {
      readonly act: 'append';
      readonly sizes: readonly number[];
      readonly id: string | undefined;
      readonly headOff: number | undefined;
    }
  | { readonly act: 'trim'; readonly maxRecords: number }
  | { readonly act: 'read'; readonly from: number; readonly to: number; readonly maxBytes: number }
  | { readonly act: 'reopen' }
  | { readonly act: 'tail'; readonly after: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('append' as const),
      sizes: fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }),
      id: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined, freq: 2 }),
      headOff: fc.option(fc.integer({ min: -1, max: 1 }), { nil: undefined, freq: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('trim' as const), maxRecords: fc.nat(12) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('read' as const),
      from: fc.integer({ min: 1, max: 60 }),
      to: fc.nat(60),
      maxBytes: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'reopen' } as const) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('tail' as const), after: fc.nat(60) }) },
);

/** What a log does, in as few words as it takes. */
class NaiveLog {
  sizes: number[] = [];
  first = 1;
  readonly ids = new Map<string, number>();

  append(size: number, id: string | undefined, expectedHead: number | undefined): string {
    const known = id === undefined ? undefined : this.ids.get(id);
    if (known !== undefined) return `${known} duplicate`;
    if (expectedHead !== undefined && expectedHead !== this.sizes.length) return 'index_conflict';
    this.sizes.push(size);
    if (id !== undefined) this.ids.set(id, this.sizes.length);
    return `${this.sizes.length}`;
  }

  trim(maxRecords: number): void {
    this.first = Math.max(this.first, this.sizes.length - maxRecords + 1);
  }

  read(from: number, to: number): string | [number, number][] {
    const last = Math.min(to, this.sizes.length);
    if (from > last) return [];
    if (from < this.first) return 'gap';
    return Array.from({ length: last - from + 1 }, (_, i) => [from + i, this.sizes[from + i - 1] ?? -1]);
  }
}

const codeOf = (error: unknown): string => (BrokerError.is(error) ? error.code : String(error));

function append(log: EventLog, size: number, options: { id?: string; expectedHead?: number }): Promise<string> {
  return log
    .append(new Uint8Array(size), options)
    .then(({ index, duplicate }) => `${index}${duplicate ? ' duplicate' : ''}`, codeOf);
}

async function read(log: EventLog, from: number, to: number, maxBytes: number): Promise<string | [number, number][]> {
  const seen: [number, number][] = [];
  try {
    for await (const chunk of log.read(from, to, { maxBytes })) {
      for (const { index, body } of chunk) seen.push([index, body.length]);
    }
    return seen;
  } catch (error) {
    return codeOf(error);
  }
}

async function checkAppend(
  log: EventLog,
  model: NaiveLog,
  { sizes, id, headOff }: Extract<Step, { act: 'append' }>,
): Promise<void> {
  const expectedHead = headOff === undefined ? undefined : Math.max(0, model.sizes.length + headOff);
  const options = { ...(id === undefined ? {} : { id }), ...(expectedHead === undefined ? {} : { expectedHead }) };
  // In flight together: each is decided after those before it.
  const outcomes = Promise.all(sizes.map((size) => append(log, size, options)));
  const expected = sizes.map((size) => model.append(size, id, expectedHead));
  expect(await outcomes).toEqual(expected);
}

async function checkTail(log: EventLog, model: NaiveLog, after: number): Promise<void> {
  const recorder = new TailRecorder(2000);
  const tail = await log.tail(after, recorder);
  await recorder.until(() => recorder.statuses.at(-1) === 'up');
  await tail.stop();
  const position = Math.min(after, model.sizes.length);
  const start = Math.max(position + 1, model.first);
  expect(recorder.indexes).toEqual(Array.from({ length: model.sizes.length - start + 1 }, (_, i) => start + i));
  const gaps = recorder.calls.filter(({ type }) => type === 'gap');
  expect(gaps).toEqual(position + 1 < model.first ? [{ type: 'gap', after: position, first: model.first }] : []);
}

async function replay(steps: readonly Step[], open: () => Promise<EventLog>): Promise<void> {
  let log = await open();
  const model = new NaiveLog();
  const { epoch } = await log.state();
  try {
    for (const each of steps) {
      if (each.act === 'append') await checkAppend(log, model, each);
      else if (each.act === 'read')
        expect(await read(log, each.from, each.to, each.maxBytes)).toEqual(model.read(each.from, each.to));
      else if (each.act === 'tail') await checkTail(log, model, each.after);
      else if (each.act === 'trim') {
        await log.trim?.({ maxRecords: each.maxRecords });
        model.trim(each.maxRecords);
      } else {
        await log.close();
        log = await open();
      }
      const expected: LogState = { epoch, first: model.first, head: model.sizes.length };
      expect(await log.state()).toEqual(expected);
    }
  } finally {
    await log.close();
  }
}

describe('an event log does what the naive model does', () => {
  it('in memory', async () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, (given) => {
        const root = new MemoryEventLog();
        return replay(given, async () => root.share());
      }),
      { numRuns: 200 },
    );
  });

  it('in a folder', async () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const path = await mkdtemp(join(tmpdir(), 'fenceline-model-'));
        try {
          await replay(given, () => LmdbEventLog.open({ path, durability: 'os' }));
        } finally {
          await rm(path, { recursive: true, force: true });
        }
      }),
      { numRuns: 25 },
    );
  });
});
