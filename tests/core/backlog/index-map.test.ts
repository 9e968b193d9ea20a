import { describe, expect, it } from 'vitest';
import { IndexMap } from '../../../src/core/backlog/index-map.ts';

/** Three batches for each index, and all but the newest thousand trimmed. */
function filled(indexes: number): { map: IndexMap; index: (position: number) => number; newest: number } {
  const map = new IndexMap();
  const byPosition: number[] = [0];
  for (let index = 1; index <= indexes; index++)
    for (let part = 0; part < 3; part++) {
      const position = byPosition.push(index) - 1;
      if (part > 0) map.append(position, index);
      if (position > 1000) map.trimmed(position - 1000);
    }
  return { map, index: (position) => byPosition[position] ?? 0, newest: byPosition.length - 1 };
}

describe('the map of positions and indexes', () => {
  it('is the same number where nothing was appended', () => {
    const map = new IndexMap();
    expect([map.indexAt(7), map.positionOf(7), map.passedAt(7)]).toEqual([7, 7, 7]);
  });

  it('is exact as long as it remembers', () => {
    const { map, index, newest } = filled(2000);
    for (let position = 1; position <= newest; position++) {
      expect(map.indexAt(position)).toBe(index(position));
      expect(map.highestIndexAt(position)).toBe(index(position));
    }
  });

  it('forgets nothing where nothing was trimmed of what was appended, however much that is', () => {
    const map = new IndexMap();
    for (let index = 1; index <= 10_000; index++) map.append(2 * index, index);
    for (let trims = 0; trims < 20; trims++) map.trimmed(1);
    for (let position = 1; position <= 20; position++) {
      const index = Math.ceil(position / 2);
      expect([map.indexAt(position), map.highestIndexAt(position)]).toEqual([index, index]);
    }
  });

  it('gives bounds for what it has forgotten, and stays exact for what is held', () => {
    const { map, index, newest } = filled(20_000);
    for (let position = 1; position <= newest; position += 7) {
      expect(map.indexAt(position)).toBeLessThanOrEqual(index(position));
      expect(map.highestIndexAt(position)).toBeGreaterThanOrEqual(index(position));
      if (position > newest - 1000) expect(map.indexAt(position)).toBe(index(position));
    }
  });

  it('remembers 8192 appended batches, and past them as long as they are held', () => {
    const map = new IndexMap();
    for (let position = 2; position <= 8193; position++) map.append(position, 1);
    map.trimmed(8193);
    expect([map.indexAt(8193), map.highestIndexAt(5000), map.positionOf(3)]).toEqual([1, 1, 8195]);
    map.append(8194, 1);
    map.trimmed(2);
    expect([map.indexAt(3), map.highestIndexAt(3)]).toEqual([1, 1]);
    map.append(8195, 1);
    map.trimmed(8195);
    expect([map.indexAt(8195), map.highestIndexAt(8195), map.indexAt(9000)]).toEqual([1, 1, 806]);
    // Of what is forgotten, up to position 4098, the lowest and the highest that it can be.
    expect([map.indexAt(100), map.highestIndexAt(100), map.indexAt(4099)]).toEqual([0, 1, 1]);
    expect([0, 1, 2, 3].map((index) => map.positionOf(index))).toEqual([0, 4098, 4099, 8197]);
  });

  it('has not passed an index of which something follows', () => {
    const { map } = filled(3);
    expect([1, 2, 3, 4, 5, 6].map((position) => map.passedAt(position))).toEqual([0, 0, 1, 1, 1, 2]);
  });

  it('goes on, after an index, with what was appended to it', () => {
    const { map } = filled(3);
    expect([1, 2, 3].map((index) => map.positionOf(index))).toEqual([1, 2, 5]);
  });
});
