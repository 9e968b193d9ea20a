import { describe, expect, it } from 'vitest';

import { defineTopics } from '../../../src/index.ts';
import { hasPlain } from '../../../src/core/backlog/state-reading.ts';
import { Interest } from '../../../src/core/matching/interest.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { openTopics, type Topics } from '../../../src/model/topics.ts';

const some = defineTopics({
  Order: { retain: 'latest' },
  Stock: { retain: 'latest' },
  Paid: { aliasOf: 'Order', types: ['Paid'] },
  Log: {},
}) as unknown as Topics;
const all = defineTopics({ Order: { retain: 'latest' }, Stock: { retain: 'latest' } }) as unknown as Topics;

describe('what is asked for beside what is retained', () => {
  it.each<[readonly string[], Topics, boolean]>([
    [['Order'], some, false],
    [['Paid', 'Stock:a'], some, false],
    [['Log'], some, true],
    [['Log:a', 'Order'], some, true],
    [['*'], some, true],
    [['*:a'], some, true],
    [['*:a', 'Order'], some, true],
    [['*'], all, false],
    [['*:a', 'Order'], all, false],
    [['Order', 'Stock'], all, false],
    [['*'], openTopics, true],
    [['Order'], openTopics, true],
  ])('of %j', (terms, topics, expected) => {
    const interest = new Interest('', TopicFilter.parse(terms), NamespaceFilter.from('*'), undefined, 0, true);
    expect(hasPlain(interest, topics)).toBe(expected);
  });
});
