// A soak that cannot fail shows nothing: each check is shown what it has to find.
import { describe, expect, it } from 'vitest';
import type { EventBatch, Gap } from '../../src/index.ts';
import { ExpiryCheck, FenceCheck, LaneCheck, ScopeCheck, StateCheck, type Check } from './checks.ts';
import { growthOf } from './measurements.ts';
import { RightsHistory, Truth } from './truth.ts';

const job = (index: number, n: number, namespace = 't0', gap?: Gap): EventBatch => {
  const event = { topic: 'Job', type: 'Made', key: 'k', namespace, filterKeys: [], index };
  return { index, events: [{ ...event, payload: { lane: 'a', n, at: 1000 + n, text: '' } }], ...(gap && { gap }) };
};
const item = (index: number, key: string, n: number): EventBatch => ({
  index,
  events: [{ topic: 'Item', type: 'ItemSet', key, namespace: '', filterKeys: [], index, payload: { n } }],
});
const current = (index: number): EventBatch => ({ index, events: [], current: true });

/** A lane of these tenants: number `n` has the index `n + 1`. */
async function published(tenants: readonly string[]): Promise<Truth> {
  const truth = new Truth();
  for (const [n, tenant] of tenants.entries())
    await truth.publish(
      () => Promise.resolve(n + 1),
      (index) => truth.made('a', n, tenant, index),
    );
  return truth;
}

function kindsOf(check: Check, batches: readonly EventBatch[]): readonly string[] {
  for (const batch of batches) check.see(batch);
  return check.settle(true).map(({ kind }) => kind);
}

describe('the check of lanes', () => {
  const gap = (from: number, to: number): Gap => ({ from, to, reason: 'trimmed' });

  it.each([
    ['nothing in what is whole', [job(1, 0), job(2, 1), job(3, 2)], []],
    ['a loss in the middle', [job(1, 0), job(3, 2)], ['loss']],
    ['a loss at the end', [job(1, 0), job(2, 1)], ['loss']],
    ['a loss at the start', [job(2, 1), job(3, 2)], ['loss']],
    ['nothing where a gap told of it', [job(1, 0), job(3, 2, 't0', gap(2, 2))], []],
    ['a loss where the gap told of something else', [job(1, 0), job(3, 2, 't0', gap(1, 1))], ['loss']],
    ['an index that came twice', [job(1, 0), job(2, 1), job(2, 1), job(3, 2)], ['double', 'double']],
    ['a number that came under another index', [job(1, 0), job(2, 1), job(3, 1), job(4, 2)], ['double']],
  ] as const)('finds %s', async (_, batches, kinds) => {
    expect(kindsOf(new LaneCheck(await published(['t0', 't0', 't0'])), batches)).toEqual(kinds);
  });
});

describe('the check of revocations', () => {
  it('finds what came above one while it stood, and nothing else', () => {
    const fence = { index: undefined as number | undefined };
    const check = new FenceCheck(fence);
    check.see(job(1, 0));
    fence.index = 2;
    check.see(job(2, 1));
    expect(check.settle()).toEqual([]);
    check.see(job(3, 2));
    expect(check.settle()).toMatchObject([{ kind: 'leak' }]);
    fence.index = undefined;
    check.see(job(4, 3));
    expect(check.settle()).toEqual([]);
  });

  it('finds what was published after a token had expired', () => {
    const check = new ExpiryCheck({ at: 1001 });
    expect(kindsOf(check, [job(1, 0), job(2, 1)])).toEqual([]);
    expect(kindsOf(check, [job(3, 2)])).toEqual(['leak']);
  });
});

describe('the check of rights that widen and narrow', () => {
  /** `t1` is taken away at index 2: number 1 came before, number 3 after. */
  async function narrowed(): Promise<ScopeCheck> {
    const rights = new RightsHistory(['t0', 't1']);
    rights.publish(rights.begin(['t0']), 3);
    return new ScopeCheck(await published(['t0', 't1', 't0', 't1', 't0']), rights);
  }

  it('finds nothing where each tenant came as it was allowed', async () => {
    expect(kindsOf(await narrowed(), [job(1, 0), job(2, 1, 't1'), job(3, 2), job(5, 4)])).toEqual([]);
  });

  it('does not mind what was published before a change: the store may have had the change already', async () => {
    expect(kindsOf(await narrowed(), [job(1, 0), job(3, 2), job(5, 4)])).toEqual([]);
  });

  it('finds what came of a tenant that was taken away', async () => {
    expect(kindsOf(await narrowed(), [job(1, 0), job(2, 1, 't1'), job(3, 2), job(4, 3, 't1'), job(5, 4)])).toEqual([
      'leak',
    ]);
  });

  it('finds what did not come of a tenant that was there all the time', async () => {
    expect(kindsOf(await narrowed(), [job(1, 0), job(2, 1, 't1'), job(5, 4)])).toEqual(['loss']);
  });
});

describe('the check of the state', () => {
  async function truthOf(...changes: readonly (readonly [string, number | undefined])[]): Promise<Truth> {
    const truth = new Truth();
    for (const [i, [key, n]] of changes.entries())
      await truth.publish(
        () => Promise.resolve(i + 1),
        (index) => truth.item(key, n, index),
      );
    return truth;
  }
  const changes = [
    ['x', 1],
    ['y', 2],
    ['x', undefined],
  ] as const;

  it('compares what is held with what was published, when it is told as current and at the end', async () => {
    const check = new StateCheck(await truthOf(...changes));
    expect(kindsOf(check, [item(1, 'x', 1), item(2, 'y', 2), current(2)])).toEqual(['state']);
    expect(check.compared).toBe(2);
  });

  it.each([
    ['nothing in what is right', [item(2, 'y', 2), current(3)], []],
    ['an object that is missing', [current(3)], ['state', 'state']],
    ['an object that is of yesterday', [item(2, 'y', 1), current(3)], ['state', 'state']],
    ['an object that should be gone', [item(1, 'x', 1), item(2, 'y', 2), current(3)], ['state', 'state']],
  ] as const)('finds %s', async (_, batches, kinds) => {
    expect(kindsOf(new StateCheck(await truthOf(...changes)), batches)).toEqual(kinds);
  });
});

describe('the bound of memory', () => {
  const samples = (...megabytes: readonly number[]) =>
    megabytes.map((size, i) => ({ at: i * 10, heapBytes: size * 2 ** 20, residentBytes: 0 }));

  it('is passed by what grows, and not by what goes up and down', () => {
    const flat = growthOf(samples(10, 40, 41, 39, 40, 44, 39, 41));
    expect(flat.toBytes).toBeLessThan(flat.allowedBytes);
    const growing = growthOf(samples(10, 20, 30, 40, 50, 60, 70, 80));
    expect(growing.toBytes).toBeGreaterThan(growing.allowedBytes);
  });
});
