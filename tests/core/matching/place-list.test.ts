import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlaceList } from '../../../src/core/matching/place-list.ts';

describe('a list of places', () => {
  it('holds what a set holds, whatever comes and goes', () => {
    const step = fc.record({ do: fc.constantFrom('add', 'remove', 'takeAll'), who: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const all = Array.from({ length: 6 }, (_, id) => ({ place: -1, id }));
        const list = new PlaceList<(typeof all)[number]>();
        const model = new Set<number>();
        const lent: { readonly given: readonly object[]; readonly copy: readonly object[] }[] = [];
        for (const { do: action, who } of steps) {
          const item = all[who]!;
          if (action === 'add') {
            list.add(item);
            model.add(who);
          }
          if (action === 'remove') {
            list.remove(item);
            model.delete(who);
          }
          if (action === 'takeAll') {
            expect(new Set(list.takeAll().map(({ id }) => id))).toEqual(model);
            model.clear();
          }
          const given = list.all();
          lent.push({ given, copy: [...given] });
          expect(given.map(({ id }) => id).toSorted()).toEqual([...model].toSorted());
          expect(all.filter((one) => list.has(one)).map(({ id }) => id)).toEqual([...model].toSorted());
          expect(list.size).toBe(model.size);
          expect(all.filter(({ place }) => place >= 0).map(({ id }) => id)).toEqual([...model].toSorted());
        }
        for (const { given, copy } of lent) expect(given).toEqual(copy);
      }),
    );
  });

  it('tells of each whether it is still there when its turn comes', () => {
    const list = new PlaceList<{ place: number; id: string }>();
    const [a, b] = [
      { place: -1, id: 'a' },
      { place: -1, id: 'b' },
    ];
    list.add(a);
    list.add(b);
    const called: string[] = [];
    for (const item of list.all()) {
      if (!list.has(item)) continue;
      called.push(item.id);
      list.remove(item === a ? b : a);
    }
    expect(called).toEqual(['a']);
  });
});
