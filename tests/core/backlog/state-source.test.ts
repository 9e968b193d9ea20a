import { describe, expect, it } from 'vitest';

import { defineTopics } from '../../../src/index.ts';
import { RemovalRules } from '../../../src/core/backlog/removal-rules.ts';
import { RetainedState } from '../../../src/core/backlog/retained-state.ts';
import { sourceOf } from '../../../src/core/backlog/state-source.ts';
import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import type { EventMeta } from '../../../src/model/event.ts';
import type { Topics } from '../../../src/model/topics.ts';
import { meta } from '../event-fixtures.ts';

const topics = defineTopics({
  Order: { retain: 'latest' },
  Stock: { retain: 'latest' },
  Paid: { aliasOf: 'Order', types: ['Paid'] },
  Log: {},
}) as unknown as Topics;

const bounds = { maxRetainedKeys: 1000, maxRetainedBytes: 2 ** 30, maxRemovals: 100, maxTrimEntries: 100 };

function stateOf(events: readonly Partial<EventMeta>[]): RetainedState {
  const state = new RetainedState(topics, new RemovalRules(topics, () => undefined), bounds);
  events.forEach((given, i) => {
    const full = meta(given);
    const event = new EncodedEvent(full, topics.namesOf(full.topic, full.type), { payload: null, bytes: 1 });
    state.append(new EncodedBatch(i + 1, [event]));
  });
  return state;
}

/** The entries that whoever asks for this has to look at, by position, topic and key. */
function lookedAt(
  state: RetainedState,
  terms: readonly string[],
  namespace: string | readonly string[] = '*',
): string[] {
  const looked: string[] = [];
  const source = sourceOf(
    state,
    { filter: TopicFilter.parse(terms), namespaces: NamespaceFilter.from(namespace) },
    topics,
  );
  const next = source.next(1, ({ position, event }) => {
    looked.push(`${position} ${event.topic} ${event.key}`);
    return false;
  });
  expect(next).toBe(Infinity);
  return looked.toSorted();
}

const order = (key: string, namespace = 'n', filterKeys: readonly string[] = []) => ({
  topic: 'Order',
  key,
  namespace,
  filterKeys,
});
const stock = (key: string, namespace = 'n') => ({ topic: 'Stock', key, namespace });

describe('who asks for a part of the state looks at', () => {
  const state = stateOf([order('a'), order('b'), order('a', 'other'), stock('a'), order('c', ''), stock('b', 'other')]);

  it.each<[string, readonly string[], string | readonly string[], readonly string[]]>([
    ['all of it', ['*'], '*', ['1 Order a', '2 Order b', '3 Order a', '4 Stock a', '5 Order c', '6 Stock b']],
    ['one topic', ['Stock'], '*', ['4 Stock a', '6 Stock b']],
    ['one topic in one namespace, and what has none', ['Order'], 'n', ['1 Order a', '2 Order b', '5 Order c']],
    ['one key of it', ['Order:a'], 'n', ['1 Order a']],
    ['a key that there is not', ['Order:z'], '*', []],
    ['a key in all namespaces', ['Order:a'], '*', ['1 Order a', '3 Order a']],
    ['two keys', ['Order:a', 'Order:b'], 'n', ['1 Order a', '2 Order b']],
    ['a key of each topic', ['*:a'], '*', ['1 Order a', '3 Order a', '4 Stock a']],
    ['a key of each topic, and another of one', ['*:a', 'Order:b'], 'n', ['1 Order a', '2 Order b', '4 Stock a']],
    [
      'a key of each topic, and all of one',
      ['*:a', 'Order'],
      'n',
      ['1 Order a', '2 Order b', '4 Stock a', '5 Order c'],
    ],
    ['an alias: its topic', ['Paid'], 'n', ['1 Order a', '2 Order b', '5 Order c']],
    ['a key of an alias', ['Paid:a'], 'n', ['1 Order a']],
    ['a key of an alias, and all of its topic', ['Paid:a', 'Order'], 'n', ['1 Order a', '2 Order b', '5 Order c']],
    ['all of an alias, and a key of its topic', ['Order:a', 'Paid'], 'n', ['1 Order a', '2 Order b', '5 Order c']],
    ['a topic that is not retained', ['Log'], '*', []],
    ['a topic that there is not', ['None:a', 'Stock:a'], '*', ['4 Stock a']],
    ['one that is beside one that is not', ['Log', 'Stock:a'], '*', ['4 Stock a']],
    ['two namespaces', ['Order'], ['n', 'other'], ['1 Order a', '2 Order b', '3 Order a', '5 Order c']],
    ['a namespace of which nothing is there', ['Stock'], 'none', []],
  ])('%s', (_, terms, namespace, expected) => {
    expect(lookedAt(state, terms, namespace)).toEqual(expected);
  });

  it('all of a partition where an event can be asked for by another key than its own', () => {
    const keyed = stateOf([order('a'), order('b', 'n', ['red']), stock('a')]);
    expect(lookedAt(keyed, ['Order:red'])).toEqual(['1 Order a', '2 Order b']);
    expect(lookedAt(keyed, ['Stock:a'])).toEqual(['3 Stock a']);
  });

  it('sixteen keys one by one, and with more of them at the whole partition', () => {
    const many = stateOf(Array.from({ length: 30 }, (_, i) => order(`k${i}`)));
    const keys = (count: number) => Array.from({ length: count }, (_, i) => `Order:k${i}`);
    expect(lookedAt(many, keys(16))).toHaveLength(16);
    expect(lookedAt(many, keys(17))).toHaveLength(30);
  });

  it('sixteen partitions one by one, and with more of them at all there is', () => {
    const many = (count: number) => [...Array.from({ length: count }, (_, i) => order('a', `n${i}`)), stock('a')];
    expect(lookedAt(stateOf(many(16)), ['Order'])).toHaveLength(16);
    expect(lookedAt(stateOf(many(17)), ['Order'])).toHaveLength(18);
    expect(lookedAt(stateOf(many(17)), ['Order'], 'n3')).toHaveLength(1);
  });
});
