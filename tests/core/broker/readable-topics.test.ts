import { describe, expect, it } from 'vitest';
import { Acl, defineTopics, EventBroker, type ReadableTopicsOptions } from 'fenceline';

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' }, retain: 'latest' },
  News: { requires: 'anyone', types: ['Told'] },
  Audit: {},
});
const acl = Acl.fromRules([{ namespace: { acme: { capabilities: ['read-orders'] } } }]);
const namesOf = async (options: unknown, broker = new EventBroker({ topics })) =>
  (await broker.readableTopics(options as ReadableTopicsOptions)).map(({ name }) => name);

describe('the topics that somebody may read', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['with rights', { acl }, ['Order', 'News']],
    ['with none', { acl: Acl.fromRules([]) }, ['News']],
    ['as management', { acl: Acl.management }, ['Order', 'News', 'Audit']],
    ['within a pin of topics', { acl, pin: { topics: ['News', 'Audit'] } }, ['News']],
    ['within a pin of keys', { acl, pin: { topics: ['Order:a'] } }, ['Order']],
    ['within a pin of every topic', { acl, pin: { topics: ['*'] } }, ['Order', 'News']],
    ['within a pin of a namespace', { acl, pin: { namespace: 'other' } }, ['News']],
    ['within a pin of theirs', { acl, pin: () => ({ namespace: 'acme' }) }, ['Order', 'News']],
  ])('%s are those of which something is shown', async (_, options, expected) => {
    expect(await namesOf(options)).toEqual(expected);
  });

  it('are none where any name is a topic', async () => {
    expect(await namesOf({ acl: Acl.management }, new EventBroker() as never)).toEqual([]);
  });
});
