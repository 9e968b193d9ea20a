import { describe, expect, it } from 'vitest';

import { defineTopics } from '../../../src/index.ts';
import { RemovalRules } from '../../../src/core/backlog/removal-rules.ts';
import { RetainedState } from '../../../src/core/backlog/retained-state.ts';
import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { objectName } from '../../../src/core/batch/state-part.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import type { Topics } from '../../../src/model/topics.ts';
import { meta } from '../event-fixtures.ts';

const topics = defineTopics({
  Order: { retain: 'latest', removedBy: ['Closed'] },
  Paid: { aliasOf: 'Order', types: ['Paid'] },
  Kept: { aliasOf: 'Order', types: ['Kept'], visible: () => true },
  Ruled: { retain: 'latest', visible: () => true },
  Log: {},
}) as unknown as Topics;

const bounds = { maxRetainedKeys: 100, maxRetainedBytes: 2 ** 30, maxRemovals: 100, maxTrimEntries: 100 };

interface Given {
  readonly topic?: string;
  readonly type?: string;
  readonly key?: string;
  readonly namespace?: string;
  readonly filterKeys?: readonly string[];
  readonly bytes?: number;
}

function eventOf({ bytes = 10, ...given }: Given): EncodedEvent {
  const full = meta({ topic: 'Order', type: 'Placed', ...given });
  return new EncodedEvent(full, topics.namesOf(full.topic, full.type), { payload: null, bytes });
}

function world(given: Partial<typeof bounds> = {}) {
  const rules = new RemovalRules(topics, () => undefined);
  const state = new RetainedState(topics, rules, { ...bounds, ...given });
  return { state, put: putInto(state) };
}

/** Appends a batch at a position; returns what it changed: `key: what stood there before, mayPart`. */
const putInto = (state: RetainedState) => (position: number, events: readonly Given[], pins?: ReadonlySet<string>) => {
  const changes = state.append(new EncodedBatch(position, events.map(eventOf)), pins);
  return changes?.map(({ entry, before, mayPart }) => {
    const was = before.map(({ type }) => type).join(' ');
    return `${entry.event.key}: ${was}${mayPart ? ' may part' : ''}`;
  });
};

const asked = (...terms: readonly string[]) => ({
  filter: TopicFilter.parse(terms),
  namespaces: NamespaceFilter.from('*'),
});
const orders = asked('Order');
const textOf = (state: RetainedState) =>
  [...state.all.from(0)].map(({ position, event, isRemoval }) => `${position} ${isRemoval ? '-' : ''}${event.key}`);

describe('the retained state', () => {
  it('has of each object the newest event, in the order of their positions', () => {
    const { state, put } = world();
    expect(put(1, [{ key: 'a' }, { topic: 'Log', key: 'x' }, { key: 'b' }])).toEqual(['a: ', 'b: ']);
    expect(put(2, [{ topic: 'Log', key: 'x' }])).toBeUndefined();
    expect(put(3, [{ key: 'a' }, { key: 'a', namespace: 'other' }, { topic: 'Ruled', key: 'a' }])).toEqual([
      'a: Placed',
      'a: ',
      'a: ',
    ]);
    expect(textOf(state)).toEqual(['1 b', '3 a', '3 a', '3 a']);
    expect([state.size, state.removals, state.oldest, state.floor]).toEqual([4, 0, 1, 0]);
  });

  it('tells of an object that a batch changes twice once, with all that stood there', () => {
    const { state, put } = world();
    put(1, [{ key: 'a', type: 'First' }]);
    const batch = [
      { key: 'a', type: 'Second' },
      { key: 'b' },
      { key: 'a', type: 'Third' },
      { key: 'a', type: 'Fourth' },
    ];
    expect(put(2, batch)).toEqual(['b: ', 'a: First Second Third']);
    expect(textOf(state)).toEqual(['2 b', '2 a']);
  });

  it('keeps what was removed apart, and the newest of it is its floor', () => {
    const { state, put } = world();
    put(1, [{ key: 'a' }, { key: 'b' }]);
    expect(state.floor).toBe(0);
    expect(put(2, [{ key: 'a', type: 'Closed' }])).toEqual(['a: Placed']);
    put(3, [{ key: 'c' }]);
    expect([state.size, state.removals, state.floor, state.oldest]).toEqual([2, 1, 2, 1]);
    put(4, [{ key: 'a' }]);
    expect([state.size, state.removals, state.floor]).toEqual([3, 0, 2]);
  });

  it('counts bytes as they come and go', () => {
    const { state, put } = world();
    put(1, [{ key: 'a', bytes: 1000 }]);
    const one = state.bytes;
    expect(one).toBeGreaterThan(1000);
    put(2, [{ key: 'b', bytes: 1000 }]);
    expect(state.bytes).toBe(2 * one);
    put(3, [{ key: 'a', bytes: 1000 }]);
    expect(state.bytes).toBe(2 * one);
    put(4, [{ key: 'a', type: 'Closed', bytes: 1000 }]);
    expect(state.bytes).toBe(2 * one);
    state.restart();
    expect([state.bytes, state.size, textOf(state)]).toEqual([0, 0, []]);
  });

  it('takes of a batch what is pinned there, where a log names it', () => {
    const { state, put } = world();
    const pins = new Set([objectName(eventOf({ key: 'b' }))]);
    expect(put(1, [{ key: 'a' }, { key: 'b' }, { topic: 'Log', key: 'b' }], pins)).toEqual(['b: ']);
    expect(textOf(state)).toEqual(['1 b']);
    expect(put(2, [{ key: 'a' }], new Set())).toBeUndefined();
  });

  it('of topics of which nothing is retained is nothing, and here at once', () => {
    const none = new RetainedState(
      defineTopics({ Log: {} }) as unknown as Topics,
      new RemovalRules(topics, () => {}),
      bounds,
    );
    expect(none.append(new EncodedBatch(1, [eventOf({})]))).toBeUndefined();
    none.restart();
    expect(none.isLoaded).toBe(true);
    const { state } = world();
    expect(state.isLoaded).toBe(true);
    state.restart();
    expect(state.isLoaded).toBe(false);
  });
});

describe('its bounds', () => {
  it('in keys: just so many, and the oldest is forgotten', () => {
    const { state, put } = world({ maxRetainedKeys: 2 });
    put(1, [{ key: 'a' }]);
    put(2, [{ key: 'b' }]);
    expect([state.size, state.lastLostKey(orders)]).toEqual([2, 0]);
    put(3, [{ key: 'c' }]);
    expect(textOf(state)).toEqual(['2 b', '3 c']);
    expect([state.lastLostKey(orders), state.lastLostKey(asked('Ruled')), state.floor]).toEqual([1, 0, 1]);
    expect([0, 1].map((known) => state.hasLostSince(known, orders))).toEqual([true, false]);
    expect(state.hasLostSince(0, asked('Ruled'))).toBe(false);
  });

  it('in removals: just so many, and the oldest is forgotten', () => {
    const { state, put } = world({ maxRemovals: 1 });
    put(1, [{ key: 'a' }, { key: 'b' }]);
    put(2, [{ key: 'a', type: 'Closed' }]);
    expect([state.removals, state.hasLostSince(0, orders)]).toEqual([1, false]);
    put(3, [{ key: 'b', type: 'Closed' }]);
    expect([state.removals, textOf(state)]).toEqual([1, ['3 -b']]);
    expect([1, 2].map((known) => state.hasLostSince(known, orders))).toEqual([true, false]);
    // Of the objects that are there nothing was lost.
    expect(state.lastLostKey(orders)).toBe(0);
  });

  it('in bytes: just so many; removals go first, then the oldest keys, the last of them too', () => {
    const probe = world();
    probe.put(1, [{ key: 'a', bytes: 1000 }]);
    const one = probe.state.bytes;
    const { state, put } = world({ maxRetainedBytes: 2 * one });
    put(1, [{ key: 'a', bytes: 1000 }]);
    put(2, [{ key: 'b', bytes: 1000 }]);
    expect([state.size, state.bytes]).toEqual([2, 2 * one]);
    put(3, [{ key: 'b', type: 'Closed', bytes: 1000 }]);
    expect(textOf(state)).toEqual(['1 a', '3 -b']);
    put(4, [{ key: 'c', bytes: 1000 }]);
    expect(textOf(state)).toEqual(['1 a', '4 c']);
    put(5, [{ key: 'd', bytes: 1000 }]);
    expect(textOf(state)).toEqual(['4 c', '5 d']);
    put(6, [{ key: 'e', bytes: 100_000 }]);
    expect([textOf(state), state.bytes, state.lastLostKey(orders)]).toEqual([[], 0, 6]);
    put(7, [{ key: 'f', type: 'Closed', bytes: 100_000 }]);
    expect([textOf(state), state.bytes, state.removals]).toEqual([[], 0, 0]);
  });

  it('in records that cannot be read: 64 are known one by one, and before them all is lost', () => {
    const { state } = world();
    for (let position = 1; position <= 64; position++) state.appendUnreadable(position);
    expect([state.nextUnreadable(0), state.nextUnreadable(2), state.nextUnreadable(65)]).toEqual([1, 2, Infinity]);
    expect([state.hasLostSince(0, orders), state.floor]).toEqual([false, 0]);
    state.appendUnreadable(65);
    expect([state.nextUnreadable(0), state.nextUnreadable(65)]).toEqual([2, 65]);
    expect([state.lastLostKey(orders), state.floor]).toEqual([1, 1]);
    expect([0, 1].map((known) => state.hasLostSince(known, orders))).toEqual([true, false]);
  });
});

describe('a state that begins anew', () => {
  it('counts records that cannot be read anew', () => {
    const { state } = world();
    state.appendUnreadable(1);
    state.restart();
    for (let position = 1; position <= 65; position++) state.appendUnreadable(position);
    expect([state.nextUnreadable(0), state.floor]).toEqual([2, 1]);
  });

  it('knows nothing of what was before, nor of what was missing then', () => {
    const { state, put } = world({ maxRetainedKeys: 1 });
    state.startAfter(3, false);
    state.appendUnreadable(4);
    put(5, [{ key: 'a' }, { key: 'b' }]);
    state.restart();
    expect([state.nextUnreadable(0), state.lastLostKey(orders), state.floor, state.oldest]).toEqual([
      Infinity,
      0,
      0,
      undefined,
    ]);
    put(1, [{ key: 'a' }]);
    expect([state.hasShiftedSince(0, orders), state.hasLostSince(0, orders)]).toEqual([false, false]);
  });
});

describe('its partitions', () => {
  it('come and go with their keys, and each time what was found out about them counts no more', () => {
    const { state, put } = world({ maxRetainedKeys: 1 });
    const versions = new Set([state.version]);
    const isNew = (): boolean => versions.size < versions.add(state.version).size;
    put(1, [{ key: 'a', namespace: 'n' }]);
    expect([isNew(), [...(state.partitionsOf('Order')?.keys() ?? [])]]).toEqual([true, ['n']]);
    put(2, [{ key: 'a', namespace: 'n' }]);
    expect([isNew(), state.partitionsOf('Order')?.get('n')?.byKey.size]).toEqual([false, 1]);
    // Another key of the partition pushes the one out, and the partition stays.
    put(3, [{ key: 'b', namespace: 'n' }]);
    expect([isNew(), state.partitionsOf('Order')?.get('n')?.byKey.size]).toEqual([false, 1]);
    put(4, [{ key: 'a', namespace: 'm' }]);
    expect([isNew(), [...(state.partitionsOf('Order')?.keys() ?? [])]]).toEqual([true, ['m']]);
    put(5, [{ topic: 'Ruled', key: 'a', namespace: 'm' }]);
    expect([isNew(), state.partitionsOf('Order')]).toEqual([true, undefined]);
    state.restart();
    expect([isNew(), state.partitionsOf('Ruled')]).toEqual([true, undefined]);
    put(1, [{ key: 'a', namespace: 'n' }]);
    expect(isNew()).toBe(true);
  });

  it('say whether an event could be asked for by another key, from the first on', () => {
    const { state, put } = world();
    put(1, [{ key: 'a', namespace: 'n' }]);
    const partition = state.partitionsOf('Order')?.get('n');
    const { version } = state;
    expect(partition?.hasFilterKeys).toBe(false);
    put(2, [{ key: 'b', namespace: 'n', filterKeys: ['red'] }]);
    expect([partition?.hasFilterKeys, state.version === version]).toEqual([true, false]);
    const after = state.version;
    put(3, [{ key: 'c', namespace: 'n', filterKeys: ['red'] }]);
    put(4, [{ key: 'd', namespace: 'n' }]);
    expect([partition?.hasFilterKeys, state.version]).toEqual([true, after]);
    put(5, [{ key: 'a', namespace: 'm' }]);
    expect([version, after]).not.toContain(state.version);
  });
});

describe('an event that takes the place of another', () => {
  it.each<[string, Given, Given, boolean]>([
    ['for all who see the one', { type: 'Placed' }, { type: 'Changed' }, false],
    ['with the same filter keys', { filterKeys: ['a', 'b'] }, { filterKeys: ['a', 'b'] }, false],
    ['with one filter key less', { filterKeys: ['a', 'b'] }, { filterKeys: ['a'] }, true],
    ['with one filter key more', { filterKeys: ['a'] }, { filterKeys: ['a', 'b'] }, true],
    ['with another filter key', { filterKeys: ['a', 'b'] }, { filterKeys: ['a', 'c'] }, true],
    ['with other names', { type: 'Paid' }, { type: 'Placed' }, true],
    ['of a topic with a rule', { topic: 'Ruled' }, { topic: 'Ruled' }, true],
    ['of an alias with a rule', { type: 'Kept' }, { type: 'Kept' }, true],
  ])('%s: may it be seen by others?', (_, one, other, mayPart) => {
    const { state, put } = world();
    put(1, [{ key: 'k', ...one }]);
    expect(put(2, [{ key: 'k', ...other }])?.[0]?.endsWith('may part')).toBe(mayPart);
    const who = asked(one.topic ?? 'Order');
    for (const asking of [who, asked('*'), asked('*:k')])
      expect([0, 1, 2].map((known) => state.hasShiftedSince(known, asking))).toEqual([mayPart, mayPart, false]);
    expect(state.hasShiftedSince(0, asked('Log'))).toBe(false);
  });

  it('counts where it may be seen by others than just one of those before it', () => {
    const { put } = world();
    put(1, [{ key: 'k', filterKeys: ['a'] }]);
    expect(put(2, [{ key: 'k' }, { key: 'k', type: 'Last' }])).toEqual(['k: Placed Placed may part']);
  });

  it('of a log that was trimmed may follow what nobody knows of', () => {
    const { state, put } = world();
    state.startAfter(5, true);
    put(6, [{ key: 'a' }]);
    expect([5, 6].map((known) => state.hasShiftedSince(known, orders))).toEqual([true, false]);
    // By an alias too, which what came before may have had.
    expect([5, 6].map((known) => state.hasShiftedSince(known, asked('Paid')))).toEqual([true, false]);
    put(7, [{ key: 'a' }]);
    expect(state.hasShiftedSince(6, orders)).toBe(false);
    const whole = world();
    whole.put(6, [{ key: 'a' }]);
    expect(whole.state.hasShiftedSince(0, orders)).toBe(false);
  });
});

describe('a state that is read from a log', () => {
  it('has lost what was trimmed: removals, and keys that are not pinned', () => {
    const pinned = world().state;
    pinned.startAfter(5, true);
    expect([pinned.lastLostKey(orders), pinned.floor, pinned.hasLostSince(4, orders)]).toEqual([0, 5, true]);
    expect(pinned.hasLostSince(5, orders)).toBe(false);
    const unpinned = world().state;
    unpinned.startAfter(5, false);
    expect([unpinned.lastLostKey(orders), unpinned.floor]).toEqual([5, 5]);
    unpinned.startAfter(3, false);
    expect(unpinned.floor).toBe(5);
    expect(unpinned.hasShiftedSince(4, orders)).toBe(true);
  });

  it('is joined with what came since: that counts', () => {
    const { state, put } = world();
    state.restart();
    put(11, [{ key: 'b' }, { key: 'c', type: 'Closed' }]);
    state.appendUnreadable(12);
    put(13, [{ topic: 'Ruled', key: 'z' }]);
    const older = state.blank();
    const putOlder = putInto(older);
    putOlder(1, [{ key: 'a' }, { key: 'b' }, { key: 'c' }, { key: 'b', namespace: 'other' }]);
    putOlder(2, [
      { topic: 'Ruled', key: 'b' },
      { key: 'd', type: 'Closed' },
    ]);
    older.appendUnreadable(3);
    state.load(older);
    expect(state.isLoaded).toBe(true);
    expect(textOf(state)).toEqual(['1 a', '1 b', '2 b', '2 -d', '11 b', '11 -c', '13 z']);
    expect([state.nextUnreadable(0), state.nextUnreadable(4)]).toEqual([3, 12]);
    expect([state.size, state.removals, state.floor]).toEqual([5, 2, 11]);
    // What came since may have taken the place of anything.
    expect([12, 13].map((known) => state.hasShiftedSince(known, orders))).toEqual([true, false]);
    expect(state.bytes).toBeGreaterThan(0);
  });

  it('keeps what either of them has forgotten', () => {
    const { state, put } = world({ maxRetainedKeys: 1 });
    state.restart();
    put(11, [{ key: 'a' }]);
    put(12, [{ key: 'b' }]);
    const older = world({ maxRetainedKeys: 1 }).state;
    older.startAfter(5, true);
    state.load(older);
    expect([state.lastLostKey(orders), state.lastLostKey(asked('Ruled'))]).toEqual([11, 11]);
    expect([state.floor, state.hasLostSince(10, orders), state.hasLostSince(11, orders)]).toEqual([11, true, false]);
    put(13, [{ key: 'c' }]);
    expect([state.floor, textOf(state)]).toEqual([12, ['13 c']]);
  });

  it('remembers all removals until then, and keeps nothing that they removed', () => {
    const { state, put } = world({ maxRemovals: 1 });
    state.restart();
    put(11, [{ key: 'a', type: 'Closed' }]);
    put(12, [{ key: 'b', type: 'Closed' }]);
    const older = state.blank();
    putInto(older)(1, [{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    state.load(older);
    expect(textOf(state)).toEqual(['1 c', '12 -b']);
    expect([state.lastLostKey(orders), state.floor]).toEqual([0, 12]);
  });

  it('keeps nothing that a removal may have taken which memory had no room for: it is told as lost', () => {
    const both = world();
    both.put(11, [{ key: 'a', type: 'Closed' }]);
    both.put(12, [{ key: 'b', type: 'Closed' }]);
    const { state, put } = world({ maxRetainedBytes: both.state.bytes - 1 });
    state.restart();
    put(11, [{ key: 'a', type: 'Closed' }]);
    put(12, [{ key: 'b', type: 'Closed' }]);
    const older = world().state;
    putInto(older)(1, [{ key: 'a' }, { key: 'c' }]);
    state.load(older);
    expect(textOf(state)).toEqual(['12 -b']);
    expect(state.lastLostKey(orders)).toBe(11);
  });

  it('keeps what stands in another namespace than such a removal', () => {
    const removal = { key: 'a', type: 'Closed', namespace: 'x' };
    const both = world();
    both.put(11, [removal, { ...removal, key: 'b' }]);
    const { state, put } = world({ maxRetainedBytes: both.state.bytes - 1 });
    state.restart();
    put(11, [removal, { ...removal, key: 'b' }]);
    const older = world().state;
    putInto(older)(1, [{ key: 'c', namespace: 'x' }]);
    putInto(older)(2, [{ key: 'd', namespace: 'y' }]);
    putInto(older)(3, [{ key: 'e', namespace: 'x' }]);
    state.load(older);
    expect(textOf(state)).toEqual(['2 d']);
  });

  it('that nothing came after goes on with what the log’s has forgotten, and is bounded', () => {
    const { state } = world({ maxRetainedKeys: 2 });
    state.restart();
    const older = world().state;
    older.startAfter(5, false);
    putInto(older)(6, [{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    state.load(older);
    expect(textOf(state)).toEqual(['6 b', '6 c']);
    expect([state.lastLostKey(orders), state.floor]).toEqual([6, 6]);
    expect(state.hasShiftedSince(5, orders)).toBe(true);
    putInto(state)(7, [{ key: 'x' }]);
    expect(state.hasShiftedSince(6, orders)).toBe(true);
  });
});
