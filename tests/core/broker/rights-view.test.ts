import { describe, expect, it } from 'vitest';

import { Acl, defineTopics } from '../../../src/index.ts';
import { firstUnmet, needsOf, viewOf, type View } from '../../../src/core/broker/rights-view.ts';
import { VisibleRules } from '../../../src/core/broker/visible-rules.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import type { Topics } from '../../../src/model/topics.ts';
import { encodedEvent } from '../event-fixtures.ts';

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' } },
  Stock: { requires: { namespace: 'read-stock' } },
  News: { requires: 'anyone' },
  Audit: {},
  Mine: { requires: 'anyone', visible: ({ user }: { user: string }, { key }) => key === user },
}) as unknown as Topics;
const rules = new VisibleRules({ topics, clock: { now: () => 0 }, notify: () => undefined });

const reads = (capability: string, ...namespaces: readonly string[]) => ({
  namespace: Object.fromEntries(namespaces.map((name) => [name, { capabilities: [capability] }])),
});
const asked = (terms: readonly string[], namespace: string | readonly string[] = 'default') => ({
  filter: TopicFilter.parse(terms),
  namespaces: NamespaceFilter.from(namespace),
});
const all = (terms: readonly string[], namespace?: string | readonly string[]) =>
  ({ ...asked(terms, namespace), scope: 'all' }) as const;
const allowed = (terms: readonly string[], namespace: string | readonly string[] = '*') =>
  ({ ...asked(terms, namespace), scope: 'allowed' }) as const;
const view = (request: Parameters<typeof viewOf>[0], acl: Acl, maxPlaces = 1000) =>
  viewOf(request, acl, { topics, rules, maxPlaces });
const shortOf = (found: View | undefined) =>
  found && [String(found.filter), found.namespaces.names, found.visibility !== undefined];

describe('rights held against a request for all', () => {
  const acl = Acl.fromRules([reads('read-orders', 'acme', 'beta')]);

  it('show it as it is where they suffice for all of it, and else nothing', () => {
    expect(shortOf(view(all(['Order:a', 'News'], ['acme', 'beta']), acl))).toEqual([
      'News:*,Order:a',
      ['acme', 'beta'],
      false,
    ]);
    expect(view(all(['Order'], ['acme', 'other']), acl)).toBeUndefined();
    expect(view(all(['Order', 'Stock'], 'acme'), acl)).toBeUndefined();
    expect(view(all(['Order'], '*'), acl)).toBeUndefined();
  });

  it('do not suffice for every topic unless they are of management', () => {
    const everything = Acl.fromRules([reads('read-orders', '*'), reads('read-stock', '*')]);
    expect(view(all(['*'], 'acme'), everything)).toBeUndefined();
    expect(shortOf(view(all(['*'], '*'), Acl.management))).toEqual(['*:*', ['*'], false]);
  });

  it('look at each event of all namespaces, since closer rules may deny one', () => {
    const some = Acl.fromRules([
      { namespace: { '*': { capabilities: ['read-orders'] }, secret: { capabilities: ['deny'] } } },
    ]);
    const found = view(all(['Order'], '*'), some);
    const sees = (namespace: string) => found?.visibility?.sees(encodedEvent({ topic: 'Order', namespace }));
    expect([sees('acme'), sees('secret')]).toEqual([true, false]);
    expect(found?.visibility?.byRules).toBe(false);
  });

  it('name the first need that is not met, and all needs', () => {
    const request = asked(['News', 'Order', 'Audit', '*:x'], ['acme', 'other']);
    expect(firstUnmet(acl, asked(['Order'], ['acme', 'other', 'z']), topics)).toEqual({
      topic: 'Order',
      requirement: { namespace: 'read-orders' },
      namespace: 'other',
    });
    expect(firstUnmet(acl, asked(['Order', 'News'], 'acme'), topics)).toBeUndefined();
    expect(firstUnmet(acl, asked(['*:x'], 'acme'), topics)).toEqual({
      topic: '*',
      requirement: 'management',
      namespace: 'acme',
    });
    const needs = needsOf(request, topics).map(({ topic, requirement, namespace }) => [topic, requirement, namespace]);
    expect(needs).toHaveLength(8);
    expect(needs).toContainEqual(['*', 'management', 'other']);
    expect(needs).toContainEqual(['Audit', 'management', 'acme']);
    expect(needs).toContainEqual(['Order', { namespace: 'read-orders' }, 'other']);
    expect(needs).toContainEqual(['News', 'anyone', 'acme']);
  });
});

describe('rights held against a request for what is allowed', () => {
  const acl = Acl.fromRules([reads('read-orders', 'acme', 'beta'), reads('read-stock', 'beta')]);

  it.each<[string, readonly string[], string | readonly string[], unknown]>([
    ['all namespaces: those where something may be seen', ['Order'], '*', ['Order:*', ['acme', 'beta'], false]],
    ['one of the topics is theirs', ['Order:x', 'Audit'], '*', ['Order:x', ['acme', 'beta'], false]],
    [
      'topics with other namespaces each: all of them',
      ['Order', 'Stock'],
      '*',
      ['Order:*,Stock:*', ['acme', 'beta'], true],
    ],
    ['namespaces by name: those that are theirs', ['Order'], ['acme', 'other'], ['Order:*', ['acme'], false]],
    ['one of two topics there', ['Order', 'Stock'], ['acme', 'other'], ['Order:*', ['acme'], false]],
    [
      'at least one of the topics may be seen there',
      ['Order', 'Stock'],
      ['acme', 'beta'],
      ['Order:*,Stock:*', ['acme', 'beta'], true],
    ],
    ['what anyone may see is in all of them', ['News', 'Order'], '*', ['News:*,Order:*', ['*'], true]],
    ['nothing that is theirs', ['Audit'], '*', undefined],
    ['namespaces that are not theirs', ['Order'], ['other'], undefined],
    [
      'keys of every topic: those that are declared and theirs',
      ['*:x'],
      'acme',
      ['Mine:x,News:x,Order:x', ['acme'], true],
    ],
    ['every topic, and a key of one', ['*:x', 'Order:y'], 'acme', ['Mine:x,News:x,Order:x,Order:y', ['acme'], true]],
  ])('of %s', (_, terms, namespace, expected) => {
    expect(shortOf(view(allowed(terms, namespace), acl))).toEqual(expected);
  });

  it('leave it as it is for management, which sees what is declared later too', () => {
    expect(shortOf(view(allowed(['*']), Acl.management))).toEqual(['*:*', ['*'], false]);
    expect(shortOf(view(allowed(['Mine', 'Audit']), Acl.management))).toEqual(['Audit:*,Mine:*', ['*'], false]);
  });

  it('look at each event where the names would take more places than a request may have', () => {
    const places = (maxPlaces: number) => shortOf(view(allowed(['Order:a', 'Order:b', 'Order:c']), acl, maxPlaces));
    expect(places(6)).toEqual(['Order:a,Order:b,Order:c', ['acme', 'beta'], false]);
    expect(places(5)).toEqual(['Order:a,Order:b,Order:c', ['*'], true]);
    const wide = view(allowed(['Order:a', 'Order:b', 'Order:c']), acl, 5);
    const sees = (namespace: string) => wide?.visibility?.sees(encodedEvent({ topic: 'Order', key: 'a', namespace }));
    expect(['acme', 'beta', 'other', ''].map(sees)).toEqual([true, true, false, true]);
  });

  it('show of each topic what is theirs where the names do not say it', () => {
    const found = view(allowed(['Order', 'Stock']), acl);
    const sees = (topic: string, namespace: string) => found?.visibility?.sees(encodedEvent({ topic, namespace }));
    expect([sees('Order', 'acme'), sees('Stock', 'acme'), sees('Stock', 'beta')]).toEqual([true, false, true]);
  });
});

describe('what readers share of a view', () => {
  const key = (request: Parameters<typeof viewOf>[0], acl: Acl) => view(request, acl)?.visibility?.key;
  const orders = reads('read-orders', 'acme', 'beta');
  const withUser = (user: string, accessorId?: string) =>
    Acl.fromRules([orders], { claims: { user }, ...(accessorId !== undefined && { accessorId }) });

  it('rests on their claims alone where a rule decides, and on their rights alone where those do', () => {
    expect(key(all(['Mine']), withUser('anna', 'a'))).toBe(
      key(all(['Mine']), Acl.fromRules([], { claims: { user: 'anna' } })),
    );
    expect(key(all(['Mine']), withUser('anna'))).not.toBe(key(all(['Mine']), withUser('bob')));
    const wide = Acl.fromRules([reads('read-orders', '*')], { claims: { user: 'anna' } });
    expect(key(all(['Order'], '*'), wide)).toBe(key(all(['Order'], '*'), Acl.fromRules([reads('read-orders', '*')])));
    expect(key(all(['Mine']), withUser('anna'))).toBe(JSON.stringify(['', withUser('anna').claimsKey]));
    expect(key(all(['Order'], '*'), wide)).toBe(JSON.stringify([wide.rightsKey, '']));
  });

  it('is nobody else’s where the claims cannot be used', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const faulty = (accessorId: string) => Acl.fromRules([], { accessorId, claims: circle as never });
    const keys = ['a', 'b'].map((accessorId) => key(all(['Mine']), faulty(accessorId)));
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys[0]).toBe(key(all(['Mine']), faulty('a')));
    expect(keys[0]).not.toBe(key(all(['Mine']), Acl.fromRules([], { accessorId: 'a' })));
  });

  it('asks a rule where a topic that is asked for has one, and says so', () => {
    const found = view(all(['Mine', 'News']), withUser('anna'));
    expect(found?.visibility?.byRules).toBe(true);
    const sees = (topic: string, name: string) => found?.visibility?.sees(encodedEvent({ topic, key: name }));
    expect([sees('Mine', 'anna'), sees('Mine', 'bob'), sees('News', 'bob')]).toEqual([true, false, true]);
    expect(view(all(['News']), withUser('anna'))?.visibility).toBeUndefined();
  });
});
