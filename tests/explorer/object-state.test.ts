import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event, EventBatch } from '../../src/client/index.ts';
import { ObjectState } from '../../src/explorer/page/object-state.ts';

const name = fc.constantFrom('', 'a', 'b', '"', ' ', '" "');
const object = fc.record({ topic: name, namespace: name, key: name });
const step = fc.oneof(
  fc.record({ set: object, remove: fc.option(object, { nil: undefined }) }),
  fc.constantFrom('slow', 'trimmed', 'state', 'restarted', 'ahead' as const),
);

const eventOf = (of: { topic: string; namespace: string; key: string }, index: number): Event => ({
  ...of,
  type: 'Changed',
  filterKeys: [],
  index,
  payload: null,
});
const batch = (index: number, rest: Partial<EventBatch>): EventBatch => ({ index, events: [], ...rest });
const textOf = ({ topic, namespace, key }: Event): string => JSON.stringify([topic, namespace, key]);

describe('the state of the explorer', () => {
  it('holds what a map holds that follows the same batches and gaps, in order, and says what changed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const state = new ObjectState(1000);
        const model = new Map<string, number>();
        const shown = new Map<string, number>();
        for (const [index, did] of steps.entries()) {
          if (typeof did === 'string') {
            state.gap({ reason: did });
            if (did !== 'slow' && did !== 'trimmed') model.clear();
          } else {
            state.take(
              batch(index, { events: [eventOf(did.set, index)], ...(did.remove && { removed: [did.remove] }) }),
              new Date(),
            );
            model.set(JSON.stringify(Object.values(did.set)), index);
            if (did.remove) model.delete(JSON.stringify(Object.values(did.remove)));
          }
          const objects = [...state];
          expect(new Map(objects.map(({ event }) => [textOf(event), event.index]))).toEqual(model);
          expect(objects.map(({ id }) => id)).toEqual(objects.map(({ id }) => id).toSorted());
          // Who writes only what changed has the same.
          const changed = state.takeChanged();
          const now = new Map(objects.map(({ id, event }) => [id, event.index]));
          for (const id of changed) if (!now.has(id)) shown.delete(id);
          for (const id of changed) if (now.has(id)) shown.set(id, now.get(id) ?? 0);
          expect(shown).toEqual(now);
        }
      }),
    );
  });

  it('is being read until it is current, and again when it begins anew', () => {
    const state = new ObjectState(10);
    const told = [state.progress];
    state.take(batch(3, { current: true }), new Date());
    told.push(state.progress);
    state.gap({ reason: 'trimmed' });
    told.push(state.progress);
    state.gap({ reason: 'state' });
    told.push(state.progress);
    expect(told).toEqual(['reading', 'current', 'current', 'reading']);
  });

  it('holds no more than its bound, and says so until it begins anew', () => {
    const state = new ObjectState(2);
    for (const [index, key] of ['a', 'b', 'c', 'a'].entries())
      state.take(batch(index, { events: [eventOf({ topic: 'T', namespace: 'n', key }, index)] }), new Date());
    expect([...state].map(({ event }) => `${event.key}${event.index}`)).toEqual(['a3', 'b1']);
    expect(state.isPartial).toBe(true);
    state.gap({ reason: 'state' });
    expect(state.isPartial).toBe(false);
  });
});
