import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InterestIndex } from '../../../src/core/matching/interest-index.ts';
import type { Interest } from '../../../src/core/matching/interest.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import {
  encodedBatch,
  eventMeta,
  filterTerms,
  namespaceNames,
  naivelyMatches,
  naivelyPasses,
} from '../event-fixtures.ts';

const noLimits = { placesInAll: Infinity, placesPerToken: Infinity };

const wish = fc.record({ terms: filterTerms, namespaces: namespaceNames, isReleased: fc.boolean() });

function acquire(index: InterestIndex, terms: readonly string[], namespaces: readonly string[]): Interest {
  return index.acquire(TopicFilter.parse(terms), NamespaceFilter.from(namespaces), undefined, 0);
}

describe('the interest index', () => {
  it('finds exactly what a look at every filter finds, each once, with the positions of its events', () => {
    fc.assert(
      fc.property(
        fc.array(wish, { maxLength: 12 }),
        fc.array(eventMeta, { minLength: 1, maxLength: 5 }),
        (wishes, events) => {
          const index = new InterestIndex(noLimits);
          const acquired = wishes.map((one) => ({ ...one, interest: acquire(index, one.terms, one.namespaces) }));
          for (const { isReleased, interest } of acquired) if (isReleased) index.release(interest);
          const found: { readonly interest: Interest; readonly hits: readonly number[] }[] = [];
          index.match(encodedBatch(1, ...events), (interest) => found.push({ interest, hits: [...interest.hits] }));

          const expected = new Map<Interest, readonly number[]>();
          for (const { terms, namespaces, isReleased, interest } of acquired) {
            if (isReleased) continue;
            const hits = events.flatMap((event, i) =>
              naivelyMatches(terms, event) && naivelyPasses(namespaces, event.namespace) ? [i] : [],
            );
            if (hits.length > 0) expected.set(interest, hits);
          }
          expect(found.length).toBe(new Set(found.map(({ interest }) => interest)).size);
          expect(new Map(found.map(({ interest, hits }) => [interest, hits]))).toEqual(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('gives equal filters one interest, until the last user has let go of it', () => {
    const index = new InterestIndex(noLimits);
    const one = acquire(index, ['Job:a', 'Job:b'], ['default', 'prod']);
    const same = acquire(index, ['Job:b', 'Job:a', 'Job:a'], ['prod', 'default']);
    const other = acquire(index, ['Job:a'], ['default', 'prod']);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect(index.size).toBe(2);
    index.release(one);
    expect(acquire(index, ['Job:a', 'Job:b'], ['default', 'prod'])).toBe(one);
    index.release(one);
    index.release(one);
    index.release(other);
    expect(index.size).toBe(0);
  });

  it('keeps apart what different rights let see, and shares it among equal ones', () => {
    const index = new InterestIndex(noLimits);
    const filter = TopicFilter.parse(['Job']);
    const everywhere = NamespaceFilter.from('*');
    const sight = (key: string, namespace: string) => ({
      key,
      byRules: false,
      sees: (event: { namespace: string }) => event.namespace === namespace,
    });
    const prod = index.acquire(filter, everywhere, sight('p', 'prod'), 0);
    const dev = index.acquire(filter, everywhere, sight('d', 'dev'), 0);
    expect(index.acquire(filter, everywhere, sight('p', 'prod'), 0)).toBe(prod);
    const found: Interest[] = [];
    index.match(encodedBatch(1, { namespace: 'prod' }), (interest) => found.push(interest));
    expect(found).toEqual([prod]);
    expect(dev.partOf(encodedBatch(2, { namespace: 'prod' }))).toBeUndefined();
  });

  it('hands nothing of a batch on with the next one, when the first failed half way', () => {
    const index = new InterestIndex(noLimits);
    const interests = ['Job:a', 'Job:b', 'Job'].map((term) => acquire(index, [term], ['*']));
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() => index.match(encodedBatch(1, { key: 'a' }), fail)).toThrow('no');
    const found: Interest[] = [];
    index.match(encodedBatch(2, { key: 'b' }), (interest) => found.push(interest));
    expect(found).toHaveLength(2);
    expect(new Set(found)).toEqual(new Set(interests.slice(1)));
  });

  it('forgets every place of an interest that is given back', () => {
    const index = new InterestIndex(noLimits);
    const interests = [['Job:a'], ['Job:a', 'Node'], ['*']].map((terms) => acquire(index, terms, ['default', 'prod']));
    for (const interest of interests) index.release(interest);
    const found: Interest[] = [];
    for (const namespace of ['', 'default', 'prod'])
      index.match(encodedBatch(1, { key: 'a', namespace }), (interest) => found.push(interest));
    expect(found).toEqual([]);
  });

  it('keeps apart who reads the state, with an equal filter', () => {
    const index = new InterestIndex(noLimits);
    const [filter, namespaces] = [TopicFilter.parse(['Job']), NamespaceFilter.from('default')];
    const live = index.acquire(filter, namespaces, undefined, 0);
    const state = index.acquire(filter, namespaces, undefined, 0, true);
    expect(state).not.toBe(live);
    expect([live.isState, state.isState]).toEqual([false, true]);
    expect(index.acquire(filter, namespaces, undefined, 0, false)).toBe(live);
  });

  it('tells all of a restart, and of what concerns everybody', () => {
    const index = new InterestIndex(noLimits);
    const interests = ['Job', 'Node'].map((term) => acquire(index, [term], ['*']));
    index.concernAll(3);
    expect(interests.map(({ newestMatch }) => newestMatch)).toEqual([3, 3]);
    index.restart(8);
    expect(interests.map(({ newestMatch, knowsLeftFrom }) => [newestMatch, knowsLeftFrom])).toEqual([
      [0, 9],
      [0, 9],
    ]);
  });

  it('gives back the places of an interest that is let go of', () => {
    const index = new InterestIndex({ ...noLimits, placesInAll: 4 });
    const two = acquire(index, ['Job:a', 'Job:b'], ['default']);
    expect(() => acquire(index, ['Node'], ['*'])).toThrow(expect.objectContaining({ code: 'at_capacity' }));
    index.release(two);
    expect(acquire(index, ['Node:a', 'Node:b', 'Node:c', 'Node:d'], ['*'])).toBeDefined();
    expect(() => acquire(index, ['Job'], ['*'])).toThrow(expect.objectContaining({ code: 'at_capacity' }));
  });

  it('hits an interest once for an event that it finds in several places', () => {
    const index = new InterestIndex(noLimits);
    acquire(index, ['Job:a', 'Job:b', '*:c'], ['*']);
    const hits: (readonly number[])[] = [];
    index.match(
      encodedBatch(1, { key: 'a', filterKeys: ['b', 'c'] }, { key: 'x' }, { key: 'b', filterKeys: ['a'] }),
      (interest) => hits.push([...interest.hits]),
    );
    expect(hits).toEqual([[0, 2]]);
  });

  it('refuses a filter with more combinations than it may hold, and keeps nothing of it', () => {
    const index = new InterestIndex({ ...noLimits, placesInAll: 9_999 });
    const terms = Array.from({ length: 100 }, (_, i) => `Job:${i}`);
    const namespaces = Array.from({ length: 99 }, (_, i) => `n${i}`);
    expect(() => acquire(index, terms, namespaces)).toThrow(/All 9999 pairs/);
    expect(index.size).toBe(0);
    expect(acquire(index, terms.slice(1), namespaces)).toBeDefined();
  });
});
