import { expect, it } from 'vitest';

import type { Backlog } from '../../../src/core/backlog/cursor.ts';
import { EventBuffer } from '../../../src/core/backlog/event-buffer.ts';
import { EventCursor } from '../../../src/core/backlog/event-cursor.ts';
import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import type { Interest } from '../../../src/core/matching/interest.ts';
import { BrokerError } from '../../../src/model/errors.ts';
import { deferred } from '../../../src/testing/deferred.ts';

/** Wants everything, and remembers nothing. */
const everything = {
  nextMatch: () => undefined,
  partOf: (batch: EncodedBatch) => ({ kind: 'part', batch }),
} as unknown as Interest;

const batch = (index: number) => new EncodedBatch(index, []);

/** A log that was trimmed to `first`, and says so when it is let, and a buffer that begins at 6. */
function trimmedLog(first: number) {
  const buffer = new EventBuffer({ maxBatches: 1 });
  for (let index = 1; index <= 6; index++) buffer.append(batch(index));
  const { promise, resolve } = deferred();
  const read = async function* (from: number, to: number): AsyncGenerator<EncodedBatch[]> {
    if (from >= first) return void (yield Array.from({ length: to - from + 1 }, (_, i) => batch(from + i)));
    await promise;
    throw new BrokerError('gap', 'They were trimmed.');
  };
  const history = { read, state: async () => ({ first }) };
  return { backlog: { buffer, history } as unknown as Backlog, answer: () => resolve() };
}

/** A log that gives one record at a time, and forgets, and a buffer that holds only the newest. */
function log(newest: number) {
  const buffer = new EventBuffer({ maxBatches: 1 });
  for (let index = 1; index <= newest; index++) buffer.append(batch(index));
  let first = 1;
  const read = async function* (from: number, to: number): AsyncGenerator<EncodedBatch[]> {
    for (let index = from; index <= to; index++) {
      if (index < first) throw new BrokerError('gap', 'They were trimmed.');
      yield [batch(index)];
    }
  };
  const history = { read, state: async () => ({ first }) };
  return { backlog: { buffer, history } as unknown as Backlog, forget: (before: number) => (first = before) };
}

it('a read of the log that was given up moves nothing when it fails: one gap is told, once', async () => {
  const { backlog, answer } = trimmedLog(3);
  const cursor = new EventCursor(backlog, everything, { position: 2 });
  expect(cursor.read().kind).toBe('fetch');
  const givenUp = cursor.fetch();
  // It is told where to go on: there, where it is.
  expect(cursor.moveTo(2, 'trimmed')).toBeUndefined();
  const second = cursor.fetch();
  answer();
  await Promise.all([givenUp, second]);
  expect(cursor.read()).toEqual({ kind: 'gap', gap: { from: 2, to: 2, reason: 'slow' } });
  expect(cursor.read().kind).toBe('fetch');
  await cursor.fetch();
  expect(cursor.read()).toMatchObject({ kind: 'part', batch: { index: 3 } });
});

it('is fetching until it knows what the log has left', async () => {
  const { backlog, answer } = trimmedLog(4);
  const asked = deferred();
  const cursor = new EventCursor(
    { ...backlog, history: { ...backlog.history, state: () => asked.promise.then(() => ({ first: 4 })) } } as Backlog,
    everything,
    { position: 2 },
  );
  expect(cursor.read().kind).toBe('fetch');
  const fetched = cursor.fetch();
  answer();
  await new Promise(setImmediate);
  expect(cursor.isFetching).toBe(true);
  asked.resolve();
  await fetched;
  expect(cursor.isFetching).toBe(false);
  expect(cursor.read()).toMatchObject({ gap: { from: 2, to: 3 } });
});

it('reads the log anew where it knows by now that nothing up to further on is for it', async () => {
  const { backlog, forget } = log(12);
  const remembered: { matches?: readonly number[] } = {};
  const rare = {
    nextMatch: (position: number) =>
      remembered.matches && (remembered.matches.find((match) => match >= position) ?? Infinity),
    partOf: (batch: EncodedBatch) => ({ kind: 'part', batch }),
  } as unknown as Interest;
  const cursor = new EventCursor(backlog, rare, { position: 1 });
  expect(cursor.read().kind).toBe('fetch');
  await cursor.fetch();
  expect(cursor.read()).toMatchObject({ kind: 'part', batch: { index: 1 } });
  // It remembers all that matched from here on, and what it would have read next is gone from the log.
  remembered.matches = [9];
  forget(5);
  expect(cursor.read().kind).toBe('fetch');
  await cursor.fetch();
  expect(cursor.read()).toMatchObject({ kind: 'part', batch: { index: 9 } });
});
