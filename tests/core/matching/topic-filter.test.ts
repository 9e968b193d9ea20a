import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BrokerError } from '../../../src/model/errors.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { defineTopics } from '../../../src/model/topics.ts';
import { eventMeta, filterTerms, meta, naivelyMatches } from '../event-fixtures.ts';

const job = meta({ topic: 'Job', key: 'web' });
const allocation = meta({ topic: 'Allocation', key: 'a1', filterKeys: ['web', 'd1'] });

describe('a topic filter', () => {
  it.each([
    ['*', job, true],
    ['*:*', job, true],
    ['Job', job, true],
    ['Job', allocation, false],
    ['Job:*', job, true],
    ['Job:*', allocation, false],
    ['Job:web', job, true],
    ['Job:db', job, false],
    ['job:web', job, false],
    ['Job:Web', job, false],
    ['Allocation:a1', allocation, true],
    ['Allocation:web', allocation, true],
    ['Allocation:d1', allocation, true],
    ['Allocation:d2', allocation, false],
    ['*:web', job, true],
    ['*:web', allocation, true],
    ['*:d1', job, false],
  ])('%s over %o says %s', (term, event, expected) => {
    expect(TopicFilter.parse([term]).matches(event)).toBe(expected);
  });

  it('is the union of its terms', () => {
    const filter = TopicFilter.parse(['Job:db', 'Allocation:d1', 'Node']);
    expect(filter.matches(allocation)).toBe(true);
    expect(filter.matches(meta({ topic: 'Node', key: 'n' }))).toBe(true);
    expect(filter.matches(job)).toBe(false);
  });

  it('passes the whole topic when a key of it is asked for too', () => {
    const filter = TopicFilter.parse(['Job:*', 'Job:db']);
    expect(filter.matches(job)).toBe(true);
    expect(String(filter)).toBe('Job:*');
  });

  it('takes everything after the first colon for the key', () => {
    const filter = TopicFilter.parse(['Job:a:b:c']);
    expect(filter.matches(meta({ key: 'a:b:c' }))).toBe(true);
    expect(filter.matches(meta({ key: 'a' }))).toBe(false);
  });

  it('takes a list, one term, an object, a filter and nothing', () => {
    const expected = 'Job:db,Job:web,Node:*';
    expect(String(TopicFilter.parse(['Node', 'Job:web', 'Job:db']))).toBe(expected);
    expect(String(TopicFilter.parse('Job:web'))).toBe('Job:web');
    expect(String(TopicFilter.from({ Node: ['*'], Job: ['db', 'web'] }))).toBe(expected);
    expect(String(TopicFilter.from(TopicFilter.parse(['Node'])))).toBe('Node:*');
    expect(TopicFilter.from(undefined)).toBe(TopicFilter.all);
    expect(TopicFilter.parse([])).toBe(TopicFilter.all);
  });

  it('takes one term as a text, and a filter as it is', () => {
    expect(String(TopicFilter.from('Job:web'))).toBe('Job:web');
    const filter = TopicFilter.parse(['Node', 'Job:web']);
    expect(TopicFilter.from(filter)).toBe(filter);
    expect(TopicFilter.all.isAll).toBe(true);
    expect(String(TopicFilter.all)).toBe('*:*');
    expect([TopicFilter.all, filter].map(({ size }) => size)).toEqual([1, 2]);
    expect([...filter.topics]).toEqual(['Node', 'Job']);
    expect([...TopicFilter.parse(['Job:web', '*:web']).topics]).toEqual(['*']);
  });

  it('covers another where all that it asks for is asked for here', () => {
    const covers = (one: string[], other: string[]) => TopicFilter.parse(one).covers(TopicFilter.parse(other));
    expect(covers(['*'], ['Job:web', 'Node'])).toBe(true);
    expect(covers(['*:web'], ['Job:web'])).toBe(true);
    expect(covers(['Job'], ['Job:web', 'Job:db'])).toBe(true);
    expect(covers(['Job:web', 'Node'], ['Job:web'])).toBe(true);
    expect(covers(['Job:web'], ['Job:web', 'Node'])).toBe(false);
    expect(covers(['Job:web'], ['Job'])).toBe(false);
    expect(covers(['Job:web'], ['Job:db'])).toBe(false);
    expect(covers(['*:web'], ['Job:db'])).toBe(false);
    expect(covers(['Job'], ['*:web'])).toBe(false);
  });

  it('matches by one name of an event: that name, or all topics', () => {
    const event = meta({ topic: 'Job', key: 'web' });
    const byName = ['Job', 'Node', '*', '*:web', '*:db', 'Node:web'].map((term) =>
      TopicFilter.parse([term]).matchesAs('Node', event),
    );
    expect(byName).toEqual([false, true, true, true, false, true]);
  });

  it('has a text in which the separators are escaped', () => {
    expect(String(TopicFilter.parse(['Job:a,b', 'Job:a\\b', 'Job:c']))).toBe('Job:a\\,b,Job:a\\\\b,Job:c');
  });

  it('says of a term without a topic which it is, and what is allowed', () => {
    expect(() => TopicFilter.parse([':web'])).toThrow(
      'topic ":web" has an empty topic; allowed: "Topic", "Topic:key", "*:key" or "*".',
    );
  });

  it('takes the filter of another copy of the package', () => {
    const foreign = { terms: () => [['Job', 'web']] } as unknown as TopicFilter;
    expect(String(TopicFilter.from(foreign))).toBe('Job:web');
  });

  it('knows an event by its alias where topics declare one', () => {
    const topics = defineTopics({ Node: {}, NodeDrain: { aliasOf: 'Node', types: ['NodeDrain'] } });
    const filter = TopicFilter.parse(['NodeDrain']);
    expect(filter.matches(meta({ topic: 'Node', type: 'NodeDrain' }), topics as never)).toBe(true);
    expect(filter.matches(meta({ topic: 'Node', type: 'NodeEvent' }), topics as never)).toBe(false);
    expect(filter.matches(meta({ topic: 'Node', type: 'NodeDrain' }))).toBe(false);
  });

  it.each([
    [[''], /empty topic/],
    [[':web'], /empty topic/],
    [['Job:'], /empty key/],
    [[7], /topics must be strings/],
    [7, /topics must be strings/],
    [null, /topics must be strings/],
    [{}, /must not be empty/],
    [{ Job: [] }, /topics\.Job must be an array with at least one key/],
    [{ Job: 'web' }, /topics\.Job must be an array/],
    [{ Job: [''] }, /topics\.Job has an empty/],
    [{ Job: [7] }, /topics\.Job has an empty topic or key; got 7/],
    [{ '': ['web'] }, /empty topic or key/],
  ])('refuses %j and says what is allowed', (input, message) => {
    expect(() => TopicFilter.from(input as never)).toThrow(message);
    expect(() => TopicFilter.from(input as never)).toThrow(
      expect.objectContaining({ code: 'bad_request' }) as BrokerError,
    );
  });

  it('matches as the rules say, word for word', () => {
    fc.assert(
      fc.property(filterTerms, eventMeta, (terms, event) => {
        expect(TopicFilter.parse(terms).matches(event)).toBe(naivelyMatches(terms, event));
      }),
      { numRuns: 1000 },
    );
  });

  it('has one canonical text whatever the order and the repeats', () => {
    fc.assert(
      fc.property(filterTerms, fc.nat(), (terms, turn) => {
        const text = String(TopicFilter.parse(terms));
        const at = turn % terms.length;
        const shuffled = [...terms.slice(at), ...terms.slice(0, at), ...terms];
        expect(String(TopicFilter.parse(shuffled))).toBe(text);
        expect(String(TopicFilter.from(TopicFilter.parse(terms)))).toBe(text);
      }),
    );
  });

  it('has equal texts exactly for filters that pass the same events', () => {
    fc.assert(
      fc.property(filterTerms, filterTerms, fc.array(eventMeta, { minLength: 1 }), (one, other, events) => {
        fc.pre(String(TopicFilter.parse(one)) === String(TopicFilter.parse(other)));
        for (const event of events) expect(naivelyMatches(one, event)).toBe(naivelyMatches(other, event));
      }),
      { numRuns: 300, maxSkipsPerRun: 10_000 },
    );
  });

  it('drops terms that a wider one says already', () => {
    expect(String(TopicFilter.parse(['*:web', 'Job:web', 'Job:db']))).toBe('*:web,Job:db');
    expect(String(TopicFilter.parse(['*:web', 'Job:web']))).toBe('*:web');
    expect(String(TopicFilter.parse(['Job:web', '*']))).toBe('*:*');
    expect(TopicFilter.parse(['Job:web', '*']).isAll).toBe(true);
    expect(TopicFilter.parse(['*:web']).isAll).toBe(false);
  });

  it('keeps keys with the separators of its text apart', () => {
    expect(String(TopicFilter.parse(['Job:a,Node:b']))).not.toBe(String(TopicFilter.parse(['Job:a', 'Node:b'])));
    expect(String(TopicFilter.parse(['Job:a\\', 'Job:b']))).not.toBe(String(TopicFilter.parse(['Job:a\\,Job:b'])));
  });
});
