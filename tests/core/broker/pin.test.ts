import { describe, expect, it } from 'vitest';

import { BrokerError, defineTopics } from '../../../src/index.ts';
import { withinPin, type SubscribePin } from '../../../src/core/broker/pin.ts';
import type { Topics } from '../../../src/model/topics.ts';

const topics = defineTopics({ Order: {}, Stock: {} }) as unknown as Topics;

const scoped = (asked: unknown, pin?: unknown) => {
  const { filter, namespaces, scope } = withinPin(asked as SubscribePin, pin as SubscribePin, topics);
  return [String(filter), namespaces.names, scope];
};

function failure(asked: unknown, pin?: unknown): BrokerError {
  try {
    scoped(asked, pin);
  } catch (error) {
    if (BrokerError.is(error)) return error;
    throw error;
  }
  throw new Error('It was allowed.');
}

describe('what is asked for within a pin', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['nothing, and no pin: everything, in the default namespace', {}, undefined, ['*:*', ['default'], 'all']],
    ['what is allowed: everywhere', { scope: 'allowed' }, undefined, ['*:*', ['*'], 'allowed']],
    ['what is allowed, in one namespace', { scope: 'allowed', namespace: 'a' }, undefined, ['*:*', ['a'], 'allowed']],
    ['nothing: what is pinned', {}, { topics: ['Order'], namespace: 'a' }, ['Order:*', ['a'], 'all']],
    ['nothing, and the scope is pinned', {}, { scope: 'allowed' }, ['*:*', ['*'], 'allowed']],
    ['all, where the scope is pinned', { scope: 'all' }, { scope: 'allowed' }, ['*:*', ['*'], 'allowed']],
    [
      'less than what is pinned',
      { topics: ['Order:x'], namespace: 'a' },
      { topics: ['Order'], namespace: ['a', 'b'] },
      ['Order:x', ['a'], 'all'],
    ],
    ['topics, where the namespace is pinned', { topics: ['Stock'] }, { namespace: 'a' }, ['Stock:*', ['a'], 'all']],
    ['a namespace, where topics are pinned', { namespace: 'b' }, { topics: ['Stock'] }, ['Stock:*', ['b'], 'all']],
    [
      'just what is pinned',
      { topics: ['Order'], namespace: '*' },
      { topics: ['Order'], namespace: '*' },
      ['Order:*', ['*'], 'all'],
    ],
  ])('%s', (_, asked, pin, expected) => {
    expect(scoped(asked, pin)).toEqual(expected);
  });

  it.each<[string, unknown, unknown, string]>([
    [
      'another topic',
      { topics: ['Stock'] },
      { topics: ['Order'] },
      'The topics Stock:* are outside those that are pinned: Order:*.',
    ],
    [
      'all keys of a topic',
      { topics: ['Order'] },
      { topics: ['Order:x'] },
      'The topics Order:* are outside those that are pinned: Order:x.',
    ],
    [
      'a topic that there is not',
      { topics: ['Nonsense'] },
      { topics: ['Order'] },
      'The topics Nonsense:* are outside those that are pinned: Order:*.',
    ],
    [
      'another namespace',
      { namespace: 'b' },
      { namespace: 'a' },
      'The namespaces ["b"] are outside those that are pinned: ["a"].',
    ],
    [
      'all namespaces',
      { namespace: '*' },
      { namespace: 'a' },
      'The namespaces ["*"] are outside those that are pinned: ["a"].',
    ],
  ])('%s lies outside: it is denied, and only the host hears what is pinned', (_, asked, pin, reason) => {
    const error = failure(asked, pin);
    expect([error.code, error.message]).toEqual(['permission_denied', 'Permission denied.']);
    expect(error.cause).toMatchObject({ message: reason });
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a topic that there is not',
      { topics: ['Nonsense'] },
      /^topic names an unknown topic "Nonsense"; known topics: Order, Stock\.$/,
    ],
    ['a scope that is none', { scope: 'some' }, /^scope must be "all" or "allowed"; got "some"\.$/],
    ['a namespace that is none', { namespace: '' }, /^namespace must be a name/],
  ])('%s is the client’s mistake', (_, asked, message) => {
    const error = failure(asked);
    expect([error.code, error.message]).toEqual(['bad_request', expect.stringMatching(message)]);
  });

  it.each<[string, unknown, RegExp]>([
    ['of a topic that there is not', { topics: ['Nonsense'] }, /^pin: topic names an unknown topic "Nonsense"/],
    ['of no topics', { topics: [] }, /^pin: topics must not be empty\.$/],
    ['with a scope that is none', { scope: 'some' }, /^pin: scope must be/],
    ['with an option that is none', { topic: ['Order'] }, /^pin: pin has no option "topic"/],
    ['that is no object', 'Order', /^pin: pin takes an object of options/],
    ['in no namespace', { namespace: [] }, /^pin: namespace must be/],
  ])('a pin %s is the host’s mistake, of which the client hears nothing', (_, pin, reason) => {
    const error = failure({}, pin);
    expect(error.code).toBe('internal');
    expect(error.message).not.toContain('pin');
    expect(error.cause).toMatchObject({ name: 'TypeError', message: expect.stringMatching(reason) as unknown });
    expect((error.cause as Error).cause).toBeInstanceOf(Error);
  });
});
