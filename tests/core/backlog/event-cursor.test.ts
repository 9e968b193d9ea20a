import { describe, expect, it } from 'vitest';

import type { Backlog, CursorRead } from '../../../src/core/backlog/cursor.ts';
import { EventBuffer } from '../../../src/core/backlog/event-buffer.ts';
import { EventCursor } from '../../../src/core/backlog/event-cursor.ts';
import type { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { Interest } from '../../../src/core/matching/interest.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { BrokerError } from '../../../src/model/errors.ts';
import { deferred } from '../../../src/testing/deferred.ts';
import { encodedBatch } from '../event-fixtures.ts';

/** A batch with an event in each of these namespaces, one letter each; its keys are the same letters. */
const batchOf = (index: number, letters: string): EncodedBatch =>
  encodedBatch(index, ...Array.from(letters, (letter) => ({ key: letter, namespace: letter })));

/** Batches from index 1 on, of which the buffer holds the newest; what was read of the log is in `asked`. */
function makeBacklog(
  batches: readonly string[],
  { held = 100, log }: { held?: number; log?: readonly string[][] } = {},
) {
  const buffer = new EventBuffer({ maxBatches: held });
  batches.forEach((letters, i) => buffer.append(batchOf(i + 1, letters)));
  const released: Interest[] = [];
  const asked: [from: number, to: number][] = [];
  const read = async function* (from: number, to: number): AsyncGenerator<EncodedBatch[]> {
    asked.push([from, to]);
    // A chunk is written as its batches, `2b`: index and letters.
    for (const chunk of log ?? []) yield chunk.map((text) => batchOf(Number(text[0]), text.slice(1)));
  };
  const history = log && { read, state: async () => ({ first: 1 }) };
  const interests = { release: (interest: Interest) => released.push(interest) };
  return { backlog: { buffer, history, interests } as unknown as Backlog, buffer, released, asked };
}

/** Who asks for a namespace and remembers nothing of what matched. */
const forgetful = (letter: string, term = '*'): Interest =>
  new Interest(letter, TopicFilter.parse([term]), NamespaceFilter.from(letter), undefined, 1000);

/** Who asks for a namespace and remembers all that matched, from `from` on. */
function remembering(letter: string, batches: readonly string[], { term = '*', from = 1 } = {}): Interest {
  const interest = new Interest(letter, TopicFilter.parse([term]), NamespaceFilter.from(letter), undefined, from - 1);
  batches.forEach((letters, i) => {
    const matches = batchOf(i + 1, letters).events.some((event) => interest.passes(event));
    if (i + 1 >= from && matches) interest.concern(i + 1);
  });
  return interest;
}

function textOf(read: CursorRead): string {
  if (read.kind === 'gap') return `(${read.gap.reason} ${read.gap.from}-${read.gap.to})`;
  if (read.kind !== 'part') return read.kind;
  return `${read.index}: ${read.events.map(({ key }) => key).join('')}`;
}

/** What it reads until there is nothing more; with a log, what has to be fetched is fetched. */
async function readAll(cursor: EventCursor): Promise<string[]> {
  const texts: string[] = [];
  for (let reads = 0; reads < 50; reads++) {
    const read = cursor.read();
    texts.push(textOf(read));
    if (read.kind === 'wait') return texts;
    if (read.kind === 'fetch') await cursor.fetch();
  }
  throw new Error(`It reads without end: ${texts.slice(0, 10).join(', ')}`);
}

/** A log that was trimmed to `first`, and says so when it is let, and a buffer that begins at 6. */
function trimmedLog(first: number, error = new BrokerError('gap', 'They were trimmed.')) {
  const { backlog } = makeBacklog(['a', 'a', 'a', 'a', 'a', 'a'], { held: 1 });
  const { promise, resolve } = deferred();
  const read = async function* (from: number, to: number): AsyncGenerator<EncodedBatch[]> {
    if (from >= first) return void (yield Array.from({ length: to - from + 1 }, (_, i) => batchOf(from + i, 'a')));
    await promise;
    throw error;
  };
  return { backlog: { ...backlog, history: { read, state: async () => ({ first }) } }, answer: () => resolve() };
}

describe('a reader of a log that was trimmed', () => {
  it('that has given up a read is moved nowhere when it fails: one gap is told, once', async () => {
    const { backlog, answer } = trimmedLog(3);
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 2 });
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
    expect(cursor.read()).toMatchObject({ kind: 'part', index: 3 });
  });

  it('hears of a failure only where it still waits for that read', async () => {
    const { backlog, answer } = trimmedLog(3, new BrokerError('log_unavailable', 'It is down.'));
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 2 });
    const givenUp = cursor.fetch();
    cursor.stopReading();
    cursor.position = 3;
    const second = cursor.fetch();
    answer();
    await expect(givenUp).resolves.toBeUndefined();
    await second;
    expect(await readAll(cursor)).toEqual(['3: a', '4: a', '5: a', '6: a', 'wait']);
    cursor.position = 2;
    await expect(cursor.fetch()).rejects.toThrow('It is down.');
  });

  it('is fetching until it knows what the log has left', async () => {
    const { backlog, answer } = trimmedLog(4);
    const asked = deferred();
    const history = { ...backlog.history, state: () => asked.promise.then(() => ({ first: 4 })) };
    const cursor = new EventCursor({ ...backlog, history }, forgetful('a'), { position: 2 });
    expect(cursor.isFetching).toBe(false);
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

  it('goes on behind what the log both claims to hold and says is gone', async () => {
    const { backlog, answer } = trimmedLog(4);
    answer();
    const history = { ...backlog.history, state: async () => ({ first: 1 }) };
    const cursor = new EventCursor({ ...backlog, history }, forgetful('a'), { position: 2 });
    expect(await readAll(cursor)).toEqual([
      ...['fetch', '(slow 2-2)', 'fetch', '(slow 3-3)'],
      ...['fetch', '4: a', '5: a', '6: a', 'wait'],
    ]);
  });
});

describe('a reader of a log', () => {
  it('asks it for what the buffer does not hold, and for nothing else', async () => {
    const { backlog, asked } = makeBacklog(['a', 'b', 'a', 'a'], { held: 2, log: [['1a', '2b']] });
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 1 });
    expect(await readAll(cursor)).toEqual(['fetch', '1: a', '3: a', '4: a', 'wait']);
    expect(asked).toEqual([[1, 2]]);
  });

  it('takes what the log ends without as empty', async () => {
    const { backlog, asked } = makeBacklog(['a', 'b', 'b', 'a'], { held: 1, log: [['1a']] });
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 1 });
    expect(await readAll(cursor)).toEqual(['fetch', '1: a', 'fetch', '4: a', 'wait']);
    expect(asked).toEqual([[1, 3]]);
  });

  it('waits at a fence within what was fetched, and reads the rest of it afterwards', async () => {
    const { backlog, asked } = makeBacklog(['a', 'b', 'b', 'b', 'a', 'a'], { held: 1, log: [['1a', '5a']] });
    const interest = forgetful('a');
    const cursor = new EventCursor(backlog, interest, { position: 1 });
    cursor.fence(3);
    expect(await readAll(cursor)).toEqual(['fetch', '1: a', 'wait']);
    expect([cursor.passed, cursor.isAtEnd, cursor.isInLog]).toEqual([3, true, false]);
    cursor.release(interest);
    expect([cursor.isAtEnd, cursor.isInLog]).toEqual([false, true]);
    expect(await readAll(cursor)).toEqual(['5: a', '6: a', 'wait']);
    expect(asked).toEqual([[1, 5]]);
  });

  it('shares what it reads of a chunk with others, from where it stands', async () => {
    const batches = ['b', 'b', 'b', 'b', 'a', 'a'];
    const { backlog } = makeBacklog(batches, { held: 2, log: [['1b', '2b', '3b', '4b']] });
    const cursor = new EventCursor(backlog, remembering('a', batches, { from: 2 }), { position: 1 });
    expect(cursor.read().kind).toBe('fetch');
    await cursor.fetch();
    cursor.position = 2;
    expect(cursor.sharedPlace).toBe(2);
    expect(textOf(cursor.read())).toBe('5: a');
    expect(cursor.sharedPlace).toBe(6);
  });

  it('lets go of one that has nothing to let go', async () => {
    const { backlog } = makeBacklog(['a', 'a'], { held: 1 });
    const iterator = { next: async () => ({ value: [batchOf(1, 'a')] }) };
    const history = { read: () => ({ [Symbol.asyncIterator]: () => iterator }), state: async () => ({ first: 1 }) };
    const cursor = new EventCursor({ ...backlog, history }, forgetful('a'), { position: 1 });
    await cursor.fetch();
    cursor.stopReading();
    expect([textOf(cursor.read()), cursor.isFetching]).toEqual(['fetch', false]);
  });

  it('has nothing to fetch where there is none', async () => {
    const { backlog } = makeBacklog(['a', 'b', 'a'], { held: 1 });
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 1 });
    expect([cursor.isInLog, cursor.isFetching]).toEqual([false, false]);
    await cursor.fetch();
    expect([cursor.isFetching, cursor.position]).toEqual([false, 1]);
    expect(await readAll(cursor)).toEqual(['(slow 1-1)', '3: a', 'wait']);
  });
});

describe('the place that others may read from too', () => {
  const batches = ['b', 'a', 'b', 'a'];
  const gap = { from: 1, to: 1, reason: 'slow' } as const;
  it.each<[string, { position: number; gap?: typeof gap; held?: number; log?: string[][] }, number | undefined]>([
    ['is the next match', { position: 1 }, 2],
    ['is the position itself', { position: 4 }, 4],
    ['is none at the head', { position: 5 }, undefined],
    ['is none before a gap was told', { position: 2, gap }, undefined],
    ['is none past what was trimmed: that is a gap', { position: 1, held: 1 }, undefined],
    ['is in the log, too', { position: 1, held: 1, log: [] }, 2],
  ])('%s', (_, { held, log, ...start }, place) => {
    const { backlog } = makeBacklog(batches, { ...(held && { held }), ...(log && { log }) });
    const cursor = new EventCursor(backlog, remembering('a', batches), start);
    expect(cursor.sharedPlace).toBe(place);
  });

  it('is where other rights begin, when nothing comes before them', () => {
    const { backlog, released } = makeBacklog(batches);
    const [before, after] = [remembering('c', batches), remembering('b', batches)];
    const cursor = new EventCursor(backlog, before, { position: 1 });
    cursor.fence(2);
    cursor.release(after);
    expect([cursor.interest, cursor.turns]).toEqual([before, 0]);
    expect([cursor.sharedPlace, cursor.turns]).toEqual([3, 1]);
    expect([cursor.interest, released]).toEqual([after, [before]]);
  });
});

describe('a reader without a log', () => {
  it('is told of nothing that it could not have missed', async () => {
    const batches = ['b', 'b', 'b', 'a'];
    const searching = new EventCursor(makeBacklog(batches, { held: 1 }).backlog, forgetful('a'), { position: 1 });
    expect(await readAll(searching)).toEqual(['4: a', 'wait']);
    const keyed = ['a', 'b', 'b', 'a'];
    const interest = remembering('*', keyed, { term: '*:a' });
    const rare = new EventCursor(makeBacklog(keyed, { held: 1 }).backlog, interest, { position: 1 });
    expect(await readAll(rare)).toEqual(['(slow 1-1)', '4: a', 'wait']);
  });

  it('has passed what it has searched', async () => {
    const { backlog } = makeBacklog(['b', 'b', 'b']);
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 1 });
    expect(cursor.passed).toBe(0);
    expect(await readAll(cursor)).toEqual(['wait']);
    expect([cursor.passed, cursor.isAtEnd]).toEqual([3, true]);
  });

  it('is never moved back', async () => {
    const { backlog } = makeBacklog(['a', 'a', 'a', 'a']);
    const cursor = new EventCursor(backlog, forgetful('a'), { position: 3 });
    expect(cursor.moveTo(1, 'slow')).toBeUndefined();
    expect(await readAll(cursor)).toEqual(['3: a', '4: a', 'wait']);
  });

  it('has nothing of a state', () => {
    const { backlog } = makeBacklog([]);
    const { mark, neededView, floor, skipped } = new EventCursor(backlog, forgetful('a'), { position: 1 });
    expect({ mark, neededView, floor, skipped }).toStrictEqual({
      mark: undefined,
      neededView: undefined,
      floor: 0,
      skipped: 0,
    });
  });
});

describe('a fence', () => {
  const search = (): Interest => forgetful('a');
  const remember = (batches: readonly string[]): Interest => remembering('a', batches);

  it.each<[string, string, number, (batches: readonly string[]) => Interest, number, string[], string[]]>([
    ['a match', 'aba', 9, remember, 2, ['1: a', 'wait'], ['3: a', 'wait']],
    ['what has to be searched', 'aba', 9, search, 2, ['1: a', 'wait'], ['3: a', 'wait']],
    ['the first match', 'bba', 9, search, 2, ['wait'], ['3: a', 'wait']],
    ['what was trimmed', 'bbaba', 1, remember, 2, ['wait'], ['(slow 3-3)', '5: a', 'wait']],
    ['nothing, at the last that was trimmed', 'babba', 1, remember, 2, ['(slow 2-2)', 'wait'], ['5: a', 'wait']],
    ['nothing, where nothing was', 'bba', 1, search, 1, ['wait'], ['3: a', 'wait']],
    ['nothing, and all below was trimmed', 'aba', 1, search, 1, ['(slow 1-1)', 'wait'], ['3: a', 'wait']],
  ])('holds back %s', async (_, letters, held, ask, index, before, after) => {
    const batches = Array.from(letters);
    const { backlog, released } = makeBacklog(batches, { held });
    const interest = ask(batches);
    const cursor = new EventCursor(backlog, interest, { position: 1 });
    cursor.fence(index);
    expect(await readAll(cursor)).toEqual(before);
    expect([cursor.passed, cursor.isFenced, cursor.isAtEnd]).toEqual([index, true, true]);
    cursor.release(interest);
    expect(await readAll(cursor)).toEqual(after);
    expect([cursor.isFenced, cursor.turns, released]).toEqual([false, 0, [interest]]);
  });

  it('is not passed by a reader that has read up to it and for which nothing came since', async () => {
    const batches = ['a', 'b', 'b', 'b'];
    const { backlog } = makeBacklog(batches);
    const interest = remembering('a', batches);
    const cursor = new EventCursor(backlog, interest, { position: 1 });
    cursor.fence(2);
    expect(await readAll(cursor)).toEqual(['1: a', 'wait']);
    expect(cursor.passed).toBe(2);
    cursor.release(interest);
    expect(cursor.passed).toBe(4);
  });

  it('is lifted for the rights that came last: what is to be read with those before ends where it did', async () => {
    const { backlog, released } = makeBacklog(['a', 'b', 'a', 'b', 'a', 'b']);
    const [before, after] = [forgetful('a'), forgetful('b')];
    const cursor = new EventCursor(backlog, before, { position: 1 });
    cursor.fence(2);
    cursor.release(after);
    cursor.fence(4);
    expect(cursor.isFenced).toBe(true);
    cursor.release(after);
    expect(cursor.isFenced).toBe(false);
    expect(await readAll(cursor)).toEqual(['1: a', '4: b', '6: b', 'wait']);
    expect(released).toEqual([after, before]);
    expect(cursor.turns).toBe(1);
  });
});

it('gives all its interests back when it is disowned, and none again', async () => {
  const { backlog, released } = makeBacklog(['a', 'b', 'b', 'b']);
  const [before, after] = [forgetful('a'), forgetful('b')];
  const cursor = new EventCursor(backlog, before, { position: 1 });
  cursor.fence(2);
  cursor.release(after);
  cursor.disown();
  expect(released).toEqual([before, after]);
  expect(await readAll(cursor)).toEqual(['1: a', '3: b', '4: b', 'wait']);
  expect(released).toHaveLength(2);
});

it('a reader that knows by now that nothing up to further on is for it reads the log anew from there', async () => {
  const buffer = new EventBuffer({ maxBatches: 1 });
  for (let index = 1; index <= 12; index++) buffer.append(batchOf(index, 'a'));
  let first = 1;
  const read = async function* (from: number, to: number): AsyncGenerator<EncodedBatch[]> {
    for (let index = from; index <= to; index++) {
      if (index < first) throw new BrokerError('gap', 'They were trimmed.');
      yield [batchOf(index, 'a')];
    }
  };
  const interest = forgetful('a');
  const backlog = { buffer, history: { read, state: async () => ({ first }) } } as unknown as Backlog;
  const cursor = new EventCursor(backlog, interest, { position: 1 });
  expect(textOf(cursor.read())).toBe('fetch');
  await cursor.fetch();
  expect(textOf(cursor.read())).toBe('1: a');
  // It remembers all that matched, and what it would have read next is gone from the log.
  interest.nextMatch = (position) => (position <= 9 ? 9 : Infinity);
  first = 5;
  expect(textOf(cursor.read())).toBe('fetch');
  await cursor.fetch();
  expect(textOf(cursor.read())).toBe('9: a');
});
