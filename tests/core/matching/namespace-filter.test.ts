import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { namespaceName, namespaceNames, naivelyPasses } from '../event-fixtures.ts';

describe('a namespace filter', () => {
  it('is `default` when nothing is given', () => {
    const filter = NamespaceFilter.from();
    expect(filter.passes('default')).toBe(true);
    expect(filter.passes('prod')).toBe(false);
  });

  it('passes events without a namespace whatever was asked for', () => {
    expect(NamespaceFilter.from('prod').passes('')).toBe(true);
    expect(NamespaceFilter.from(['a', 'b']).passes('')).toBe(true);
  });

  it('passes every namespace for `*`, also among others', () => {
    const filter = NamespaceFilter.from(['prod', '*']);
    expect(filter.isAll).toBe(true);
    expect(filter.names).toEqual(['*']);
    expect(filter.passes('one that nobody named')).toBe(true);
  });

  it('does not read a glob: `*` is the only wildcard', () => {
    expect(NamespaceFilter.from('prod-*').passes('prod-1')).toBe(false);
  });

  it('has one text for equal sets, and another for others', () => {
    expect(String(NamespaceFilter.from(['b', 'a', 'b']))).toBe(String(NamespaceFilter.from(['a', 'b'])));
    expect(String(NamespaceFilter.from(['a,b']))).not.toBe(String(NamespaceFilter.from(['a', 'b'])));
  });

  it.each([[''], [[]], [['a', '']], [7], [null], [{}]])('refuses %j', (input) => {
    expect(() => NamespaceFilter.from(input as never)).toThrow(/namespace must be a name that is not empty, or "\*"/);
  });

  it('cannot be changed through the list that it was made from, nor through its names', () => {
    const names = ['a'];
    const filter = NamespaceFilter.from(names);
    names.push('b');
    expect(filter.passes('b')).toBe(false);
    expect(Object.isFrozen(filter.names)).toBe(true);
  });

  it('passes what the rules say', () => {
    fc.assert(
      fc.property(namespaceNames, fc.oneof(namespaceName, fc.constant('')), (names, namespace) => {
        expect(NamespaceFilter.from(names).passes(namespace)).toBe(naivelyPasses(names, namespace));
      }),
    );
  });
});
