import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultFilters, type PageFilters } from '../../src/explorer/page/filters.ts';
import { filtersOf, fragmentOf } from '../../src/explorer/page/page-url.ts';

const name = fc.string({ minLength: 1, unit: 'grapheme' });
const filtersArbitrary: fc.Arbitrary<PageFilters> = fc
  .record({
    topics: fc.array(name),
    namespaces: fc.array(name),
    index: fc.oneof(fc.constant('latest' as const), fc.nat()),
    isState: fc.boolean(),
    types: fc.string(),
    search: fc.string(),
    isOperator: fc.boolean(),
  })
  .map((filters) => (filters.isState ? { ...filters, index: 0 } : filters));

describe('the filters in the page’s URL', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(filtersArbitrary, (filters) => {
        const url = new URL('http://host/explorer?own=1');
        url.hash = fragmentOf(filters);
        expect(filtersOf(url.hash)).toEqual(filters);
        expect(url.search).toBe('?own=1');
      }),
    );
  });

  it('are nothing where all is as by default', () => {
    expect(fragmentOf(defaultFilters)).toBe('');
    expect(filtersOf('')).toEqual(defaultFilters);
  });

  it('mean what can be meant, whatever somebody wrote', () => {
    expect(filtersOf('#index=x&topic=&state=yes&view=all&token=secret')).toEqual(defaultFilters);
    expect(filtersOf('#namespace=').namespaces).toEqual([]);
    expect(filtersOf('#state=true&index=7').index).toBe(0);
    fc.assert(fc.property(fc.string(), (text) => void filtersOf(text)));
  });
});
