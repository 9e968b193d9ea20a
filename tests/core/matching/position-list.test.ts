import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PositionList } from '../../../src/core/matching/position-list.ts';

class Entry {
  readonly position: number;
  isDead = false;

  constructor(position: number) {
    this.position = position;
  }
}

describe('a list of positions', () => {
  it('holds what an array holds of which the dead are left out, whoever dies', () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(2) }),
      fc.record({ kill: fc.nat() }),
      fc.record({ killMany: fc.nat(60) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), fc.nat(300), (steps, from) => {
        const list = new PositionList<Entry>();
        let model: Entry[] = [];
        let position = 0;
        const kill = (entry: Entry | undefined): void => {
          if (entry === undefined) return;
          entry.isDead = true;
          list.countDead();
          model = model.filter((one) => one !== entry);
        };
        for (const one of steps) {
          if ('push' in one) {
            const entry = new Entry((position += one.push));
            list.push(entry);
            model.push(entry);
          } else if ('kill' in one) kill(model[one.kill % Math.max(1, model.length)]);
          else for (const entry of model.slice(0, one.killMany)) kill(entry);
          expect(list.size).toBe(model.length);
          expect(list.oldest).toBe(model[0]);
        }
        const later = model.filter((entry) => entry.position >= from);
        expect([...list.from(from)]).toEqual(later);
        expect([...list.at(from)]).toEqual(model.filter((entry) => entry.position === from));
        expect(list.find(from, ({ position: at }) => at % 2 === 1)).toBe(
          later.find(({ position: at }) => at % 2 === 1),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is tidied when half of it is dead, from 32 on: what died is let go of', () => {
    const list = new PositionList<Entry>();
    const entries = Array.from({ length: 64 }, (_, i) => new Entry(i));
    for (const entry of entries) list.push(entry);
    const visited = (): number => {
      let looks = 0;
      for (const entry of entries)
        Object.defineProperty(entry, 'isDead', { get: () => (looks++, dead.has(entry)), configurable: true });
      list.find(0, () => false);
      return looks;
    };
    const dead = new Set<Entry>();
    const kill = (entry: Entry): void => {
      dead.add(entry);
      list.countDead();
    };
    for (const entry of entries)
      Object.defineProperty(entry, 'isDead', { get: () => dead.has(entry), configurable: true });
    for (const entry of entries.slice(10, 41)) kill(entry);
    expect(visited()).toBe(64);
    kill(entries[41]!);
    expect(visited()).toBe(32);
  });
});
