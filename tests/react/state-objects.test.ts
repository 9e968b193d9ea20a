import { describe, expect, it } from 'vitest';
import type { Event, EventBatch } from '../../src/client/index.ts';
import { RecentEvents } from '../../src/react/recent-events.ts';
import { StateObjects } from '../../src/react/state-objects.ts';

const event = (key: string, index = 1, namespace = ''): Event => ({
  topic: 'Order',
  type: 'OrderMoved',
  key,
  namespace,
  filterKeys: [],
  index,
  payload: index,
});
const batch = (index: number, keys: readonly string[], more: Partial<EventBatch> = {}): EventBatch => ({
  index,
  events: keys.map((key) => event(key, index)),
  ...more,
});
const removed = (...keys: readonly string[]) => ({
  removed: keys.map((key) => ({ topic: 'Order', namespace: '', key })),
});
const shown = (objects: StateObjects<Event>): readonly string[] =>
  objects.value().objects.map(({ key, payload }) => `${key} ${payload}`);

describe('the objects of a state', () => {
  it('are the newest event of each, in the order in which they came', () => {
    const objects = new StateObjects();
    for (const one of [batch(1, ['a', 'b']), batch(2, ['c']), batch(3, ['a'])]) objects.take(one);
    expect(shown(objects)).toEqual(['a 3', 'b 1', 'c 2']);
  });

  it('go with the event that ends them', () => {
    const objects = new StateObjects();
    objects.take(batch(1, ['a', 'b']));
    objects.take(batch(2, ['a'], removed('a')));
    expect(shown(objects)).toEqual(['b 1']);
  });

  it('are told apart by namespace', () => {
    const objects = new StateObjects([event('a', 1, 'acme'), event('a', 2, 'beta')]);
    objects.take({ index: 3, events: [], removed: [{ topic: 'Order', namespace: 'acme', key: 'a' }] });
    expect(shown(objects)).toEqual(['a 2']);
  });

  it('are current once that was said', () => {
    const objects = new StateObjects([event('a')]);
    expect(objects.value().isCurrent).toBe(false);
    objects.take(batch(3, [], { current: true }));
    expect(objects.value().isCurrent).toBe(true);
  });

  it.each(['state', 'restarted', 'ahead'] as const)('stay after a gap %s until the new state is complete', (reason) => {
    const objects = new StateObjects();
    objects.take(batch(1, ['a', 'b'], { current: true }));
    objects.take(batch(1, ['c'], { gap: { from: 1, to: 2, reason } }));
    objects.take(batch(2, ['a']));
    expect([objects.value().isCurrent, shown(objects)]).toEqual([false, ['a 1', 'b 1']]);
    objects.take(batch(2, [], { current: true }));
    expect([objects.value().isCurrent, shown(objects)]).toEqual([true, ['c 1', 'a 2']]);
    objects.take(batch(3, ['d']));
    expect(shown(objects)).toEqual(['c 1', 'a 2', 'd 3']);
  });

  it.each(['slow', 'trimmed'] as const)('count on after a gap %s', (reason) => {
    const objects = new StateObjects();
    objects.take(batch(1, ['a'], { current: true }));
    objects.take(batch(5, ['b'], { gap: { from: 2, to: 4, reason } }));
    expect([objects.value().isCurrent, shown(objects)]).toEqual([true, ['a 1', 'b 5']]);
  });

  it('are the same object until something changes, or each render would bring another', () => {
    const objects = new StateObjects();
    expect(objects.value()).toBe(objects.value());
    const before = objects.value();
    objects.take(batch(1, ['a']));
    expect(objects.value()).not.toBe(before);
  });
});

describe('the recent events', () => {
  it('are the newest, the oldest of them first, and no more than asked for', () => {
    const recent = new RecentEvents(3, [event('a')]);
    recent.take(batch(2, ['b', 'c']));
    expect(recent.value().map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    recent.take(batch(3, ['d']));
    expect(recent.value().map(({ key }) => key)).toEqual(['b', 'c', 'd']);
  });

  it('are none where none are asked for', () => {
    const recent = new RecentEvents(0, [event('a')]);
    recent.take(batch(2, ['b']));
    expect(recent.value()).toEqual([]);
  });

  it('are the same list after a batch without events', () => {
    const recent = new RecentEvents(3);
    const before = recent.value();
    recent.take(batch(2, []));
    expect(recent.value()).toBe(before);
  });
});
