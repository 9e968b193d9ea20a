import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { LogStore } from '../../src/logs/lmdb/log-store.ts';
import { encodeRecord } from '../../src/logs/lmdb/record-format.ts';

const indexesFrom = (first: number, head: number) => Array.from({ length: head - first + 1 }, (_, i) => first + i);

async function withStore(test: (store: LogStore) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'fenceline-store-'));
  const store = await LogStore.open({ path, readOnly: false, durability: 'os', mapSizeBytes: undefined });
  try {
    await test(store);
  } finally {
    await store.close();
    await rm(path, { recursive: true, force: true });
  }
}

describe('LogStore', () => {
  it('a slice from trimmed − 1 and from trimmed is a gap, one from trimmed + 1 is whole, whatever its reader knew', () =>
    withStore(async (store) => {
      const records = indexesFrom(1, 10).map((index) => ({
        index,
        value: encodeRecord('acl', index, new Uint8Array(5)),
      }));
      const pins = { moves: [], freed: new Set<number>() };
      const nothing = { records: [], removed: [], ids: [], expiredIds: [], pins };
      await store.commit({ ...nothing, records, position: { first: 1, head: 10, bytes: 140 } });
      expect(store.slice(1, 10, 1000)).toHaveLength(10);
      await store.commit({ ...nothing, removed: indexesFrom(1, 5), position: { first: 6, head: 10, bytes: 70 } });
      for (const from of [4, 5]) {
        expect(() => store.slice(from, 10, 1000)).toThrow(expect.objectContaining({ code: 'gap' }));
        expect(() => store.slice(from, 5, 1000)).toThrow(expect.objectContaining({ code: 'gap' }));
      }
      expect(store.slice(6, 10, 1000).map(({ index }) => index)).toEqual(indexesFrom(6, 10));
      expect(store.slice(6, 10, 1)).toEqual([{ index: 6, kind: 'acl', time: 6, body: new Uint8Array(5) }]);
    }));

  it('a slice from a record that is there only because it is pinned is a gap', () =>
    withStore(async (store) => {
      const value = encodeRecord('events', 1, new Uint8Array(5));
      const records = indexesFrom(1, 4).map((index) => ({ index, value }));
      const change = { records, removed: [], ids: [], expiredIds: [] };
      const pins = { moves: [{ key: 'a', from: undefined, to: 2 }], freed: new Set<number>() };
      await store.commit({ ...change, pins, position: { first: 1, head: 4, bytes: 56 } });
      const unchanged = { moves: [], freed: new Set<number>() };
      const trimmed = { ...change, records: [], removed: [1, 3], pins: unchanged };
      await store.commit({ ...trimmed, position: { first: 4, head: 4, bytes: 14 } });
      expect(() => store.slice(2, 4, 1000)).toThrow(expect.objectContaining({ code: 'gap' }));
      expect(store.slice(4, 4, 1000)).toHaveLength(1);
      expect(store.pinnedSlice(0, 4, 1000).map(({ index }) => index)).toEqual([2]);
      expect(store.pinnedSlice(2, 4, 1000)).toEqual([]);
    }));
});
