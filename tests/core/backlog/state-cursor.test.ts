import { describe, expect, it } from 'vitest';

import { defineTopics } from '../../../src/index.ts';
import type { Backlog, CursorRead, CursorStart } from '../../../src/core/backlog/cursor.ts';
import { EventBuffer } from '../../../src/core/backlog/event-buffer.ts';
import { RemovalRules } from '../../../src/core/backlog/removal-rules.ts';
import { RetainedState } from '../../../src/core/backlog/retained-state.ts';
import { StateCursor } from '../../../src/core/backlog/state-cursor.ts';
import type { StateStart } from '../../../src/core/backlog/state-reading.ts';
import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { Interest } from '../../../src/core/matching/interest.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import type { Topics } from '../../../src/model/topics.ts';
import { meta } from '../event-fixtures.ts';

const topics = defineTopics({
  Order: { retain: 'latest', removedBy: ['Closed'] },
  Log: {},
}) as unknown as Topics;

const order = { topic: 'Order', type: 'Placed' } as const;
const closed = { topic: 'Order', type: 'Closed' } as const;
const log = { topic: 'Log' } as const;

type Given = readonly [kind: { readonly topic: string; readonly type?: string }, key: string];

function makeWorld(...given: readonly Given[]) {
  const buffer = new EventBuffer({ maxBatches: 100 });
  const bounds = { maxRetainedKeys: 1000, maxRetainedBytes: 2 ** 30, maxRemovals: 1, maxTrimEntries: 100 };
  const state = new RetainedState(topics, new RemovalRules(topics, () => undefined), bounds);
  const released: Interest[] = [];
  const interests = { release: (interest: Interest) => released.push(interest) };
  const publish = (...more: readonly Given[]): void => {
    for (const [kind, key] of more) {
      const full = meta({ ...kind, key });
      const event = new EncodedEvent(full, topics.namesOf(full.topic, full.type), { payload: null, bytes: 1 });
      const batch = new EncodedBatch(buffer.head + 1, [event]);
      buffer.append(batch);
      state.append(batch);
    }
  };
  publish(...given);
  const backlog = { buffer, history: undefined, interests, state, topics } as unknown as Backlog;
  const open = (
    { terms = ['*'], ...start }: Partial<CursorStart> & { terms?: string[] } = {},
    of: Partial<StateStart> = {},
  ) =>
    new StateCursor(backlog, asks(...terms), {
      position: 1,
      ...start,
      state: { since: undefined, plainFrom: 1, isNarrowed: false, ...of },
    });
  return { buffer, state, released, publish, open };
}

// It remembers nothing of what matched.
const asks = (...terms: readonly string[]): Interest =>
  new Interest(terms.join(), TopicFilter.parse(terms), NamespaceFilter.from('*'), undefined, 1000, true);

function textOf(read: CursorRead): string {
  if (read.kind === 'gap') return `(${read.gap.reason} ${read.gap.from}-${read.gap.to})`;
  if (read.kind === 'current') return `${read.index}: current`;
  if (read.kind !== 'part') return read.kind;
  const { events, removed = [] } = read.batch;
  return `${read.index}: ${[...events.map(({ key }) => key), ...removed.map(({ key }) => `-${key}`)].join(' ')}`;
}

/** What it reads until there is nothing more. */
function readAll(cursor: StateCursor): string[] {
  const texts: string[] = [];
  for (let reads = 0; reads < 20; reads++) {
    const text = textOf(cursor.read());
    if (text === 'wait') return texts;
    texts.push(text);
  }
  throw new Error(`It reads without end: ${texts.join(', ')}`);
}

describe('the place that other readers of the state may read from too', () => {
  const gap = { from: 1, to: 1, reason: 'trimmed' } as const;
  type Start = { position: number; gap?: typeof gap; terms?: string[] };
  it.each<[string, Start, Partial<StateStart>, number | undefined]>([
    ['is the position', { position: 1 }, {}, 1],
    ['is the position, at the newest too', { position: 3 }, {}, 3],
    ['is none past the head', { position: 4 }, {}, undefined],
    ['is none before a gap was told', { position: 2, gap }, {}, undefined],
    ['is none before what is not retained is read', { position: 1 }, { plainFrom: 2 }, undefined],
    ['is where that begins', { position: 2 }, { plainFrom: 2 }, 2],
    ['is anywhere for who does not ask for it', { position: 1, terms: ['Order'] }, { plainFrom: 2 }, 1],
  ])('%s', (_, start, of, place) => {
    const { open } = makeWorld([order, 'a'], [log, 'x'], [order, 'b']);
    expect(open(start, of).sharedPlace).toBe(place);
  });

  it('is none where a removal was forgotten that its reader was not told of', () => {
    const { open } = makeWorld([order, 'a'], [order, 'b'], [closed, 'a'], [closed, 'b'], [order, 'c']);
    // The removal at 3 is forgotten.
    const places = [2, 3, 4].map((position) => open({ position }, { since: 0 }).sharedPlace);
    expect(places).toEqual([undefined, undefined, 4]);
  });

  it('is none where what left its sight was forgotten before it came to it', () => {
    const { open } = makeWorld([order, 'a'], [order, 'b'], [order, 'c']);
    const cursor = open({}, { since: 0 });
    const leave = (position: number): void => {
      const by = { position, index: position, appended: 0 };
      cursor.interest.leftObjects.add({ topic: 'Order', namespace: 'n', key: `${position}` }, by);
    };
    for (let position = 1; position <= 4096; position++) leave(position);
    expect(cursor.sharedPlace).toBe(1);
    leave(4097);
    expect(cursor.sharedPlace).toBeUndefined();
    cursor.position = 2;
    expect(cursor.sharedPlace).toBe(2);
  });

  it('is none, nor is there a mark or a floor, until the state is here', () => {
    const { state, open } = makeWorld([order, 'a'], [order, 'b']);
    state.isLoaded = false;
    const cursor = open();
    expect([cursor.sharedPlace, cursor.mark, cursor.floor, cursor.read().kind]).toEqual([
      ...[undefined, undefined, undefined, 'wait'],
    ]);
    state.isLoaded = true;
    expect([cursor.sharedPlace, cursor.floor, typeof cursor.mark]).toEqual([1, 0, 'string']);
    expect(readAll(cursor)).toEqual(['1: a', '2: b', '2: current']);
  });
});

describe('a reader of the state', () => {
  it('has nothing of a log', async () => {
    const cursor = makeWorld().open();
    expect([cursor.isInLog, cursor.isFetching]).toEqual([false, false]);
  });

  it('is not told that all is there while it is fenced', () => {
    const { open } = makeWorld([order, 'a'], [order, 'b']);
    const cursor = open();
    const { interest } = cursor;
    cursor.fence(2);
    expect(readAll(cursor)).toEqual(['1: a', '2: b']);
    cursor.release(interest);
    expect(readAll(cursor)).toEqual(['2: current']);
  });

  it('has passed all up to its fence once it has read what there is, also what was not for it', () => {
    const { open } = makeWorld([order, 'a'], [order, 'b'], [log, 'x'], [order, 'c']);
    const cursor = open({ terms: ['Order:a'] });
    cursor.fence(3);
    expect(readAll(cursor)).toEqual(['1: a']);
    expect(cursor.passed).toBe(3);
    // What comes is no reason to look at that again, nor to go back.
    expect([readAll(cursor), cursor.passed]).toEqual([[], 3]);
  });

  it('begins anew with the rights that came last, when it begins anew', () => {
    const { released, publish, open } = makeWorld([order, 'a'], [order, 'b'], [order, 'c']);
    const cursor = open({ terms: ['Order:a', 'Order:b'] });
    const { interest } = cursor;
    expect(readAll(cursor)).toEqual(['1: a', '2: b', '3: current']);
    publish([order, 'd']);
    const [second, third] = [asks('Order:b'), asks('Order:c')];
    cursor.fence(4);
    cursor.release(second);
    publish([order, 'e']);
    cursor.fence(5);
    cursor.release(third);
    cursor.moveTo(1, 'state');
    expect([cursor.interest, released]).toEqual([third, [interest, second]]);
    expect(readAll(cursor)).toEqual(['(state 1-5)', '3: c', '5: current']);
  });

  it('begins nothing anew for rights that show the same', () => {
    const { publish, open } = makeWorld([order, 'a']);
    const cursor = open();
    expect(readAll(cursor)).toEqual(['1: a', '1: current']);
    cursor.fence(1);
    cursor.release(cursor.interest);
    publish([order, 'b']);
    expect(readAll(cursor)).toEqual(['2: b']);
  });

  it('has no place of its own from where its state begins anew until some of that was read', () => {
    const { open } = makeWorld([order, 'a'], [order, 'b']);
    const cursor = open();
    expect(readAll(cursor)).toHaveLength(3);
    const { mark } = cursor;
    const place = () => [cursor.mark, cursor.passed, cursor.hasGap];
    expect(place()).toEqual([mark, 2, false]);
    const told = cursor.moveTo(1, 'state');
    expect(told).toStrictEqual({ from: 1, to: 2, reason: 'state', mark });
    expect(place()).toEqual(['0.0', 0, true]);
    expect(textOf(cursor.read())).toBe('(state 1-2)');
    expect(place()).toEqual(['0.0', 0, true]);
    expect(textOf(cursor.read())).toBe('1: a');
    expect(place()).toEqual([mark, 1, false]);
  });

  it('has a place before a gap over what was trimmed, but gives no bookmark there', () => {
    const { open } = makeWorld([order, 'a'], [order, 'b']);
    const cursor = open({ gap: { from: 1, to: 1, reason: 'trimmed' } });
    expect([cursor.hasGap, cursor.mark === '0.0']).toEqual([true, false]);
    expect(textOf(cursor.read())).toBe('(trimmed 1-1)');
    expect(cursor.hasGap).toBe(false);
  });

  it('waits where the indexes began anew until it is told, and reads all of them then', () => {
    const { buffer, state, publish, open } = makeWorld([order, 'a'], [log, 'x'], [log, 'y']);
    const cursor = open({ position: 3 }, { plainFrom: 3 });
    expect(readAll(cursor)).toEqual(['3: y', '3: current']);
    buffer.restart(0, 'another');
    state.restart();
    state.isLoaded = true;
    publish([log, 'z'], [order, 'b']);
    expect([readAll(cursor), cursor.sharedPlace]).toEqual([[], undefined]);
    const told = cursor.moveTo(1, 'restarted', 'another');
    expect(told).toStrictEqual({ from: 2, to: 2, reason: 'restarted', epoch: 'another', mark: told.mark });
    expect(readAll(cursor)).toEqual(['(restarted 2-2)', '1: z', '2: b', '2: current']);
  });

  it('is told no mark of a state that is not here', () => {
    const { state, open } = makeWorld([order, 'a']);
    const cursor = open();
    state.isLoaded = false;
    expect(cursor.moveTo(1, 'state')).toStrictEqual({ from: 1, to: 1, reason: 'state' });
  });

  it('was spared nothing of what it had together with all others', () => {
    const { publish, open } = makeWorld([order, 'a']);
    const cursor = open();
    expect(readAll(cursor)).toEqual(['1: a', '1: current']);
    publish([order, 'a'], [order, 'a'], [order, 'a']);
    cursor.interest.gathered += 3;
    cursor.part();
    cursor.position = 5;
    publish([order, 'b'], [order, 'b']);
    cursor.interest.gathered += 2;
    expect([readAll(cursor), cursor.skipped]).toEqual([['6: b'], 1]);
  });

  it('looks for what is not retained again when more comes', () => {
    const { publish, open } = makeWorld([order, 'a']);
    const cursor = open({ terms: ['Order:a', 'Log:a'] });
    expect(readAll(cursor)).toEqual(['1: a', '1: current']);
    publish([log, 'z']);
    expect(readAll(cursor)).toEqual([]);
    publish([log, 'a']);
    expect(readAll(cursor)).toEqual(['3: a']);
  });
});
