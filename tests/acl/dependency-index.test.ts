import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DependencyIndex } from '../../src/acl/dependency-index.ts';

describe('the index of dependents', () => {
  it('forgets who is removed, or all', () => {
    const index = new DependencyIndex<string>();
    index.set('a', ['policy:p']);
    index.set('b', ['policy:p']);
    index.remove('a');
    expect([index.refsOf('a'), [...index.of(['policy:p'])]]).toEqual([[], ['b']]);
    index.clear();
    expect([index.refsOf('b'), [...index.of(['policy:p'])]]).toEqual([[], []]);
  });

  it('finds who depends on what changed, each once, as a list of all would', () => {
    const ref = fc.constantFrom('token:a', 'role:b', 'policy:c', 'policy:d') as fc.Arbitrary<`policy:${string}`>;
    const steps = fc.array(fc.tuple(fc.nat(4), fc.option(fc.uniqueArray(ref), { nil: undefined })), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(ref), (list, changed) => {
        const index = new DependencyIndex<number>();
        const naive = new Map<number, readonly string[]>();
        for (const [who, refs] of list) {
          if (refs === undefined) {
            index.remove(who);
            naive.delete(who);
          } else {
            index.set(who, refs);
            naive.set(who, refs);
          }
        }
        const expected = [...naive].filter(([, refs]) => refs.some((one) => (changed as string[]).includes(one)));
        expect([...index.of(changed)].toSorted()).toEqual(expected.map(([who]) => who).toSorted());
        for (const who of [0, 1, 2, 3, 4]) expect(index.refsOf(who)).toEqual(naive.get(who) ?? []);
        index.clear();
        expect(index.of(changed).size).toBe(0);
        for (const who of [0, 1, 2, 3, 4]) expect(index.refsOf(who)).toEqual([]);
      }),
    );
  });
});
