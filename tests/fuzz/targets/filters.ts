import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { documented, requireEqual, require, type FuzzTarget } from '../target.ts';

const termText = ([topic, key]: readonly [string, string]): string => `${topic}:${key}`;

/** One term a line. */
export const topicFilter: FuzzTarget = {
  name: 'topic-filter',
  words: ['*', '*:*', 'Job', 'Job:', ':web', 'Job:*', '*:web', 'Job:a:b', '\n'],
  tries: 2000,
  run(input) {
    const terms = input.toString().split('\n');
    const filter = documented(() => TopicFilter.parse(terms), 'bad_request');
    if (filter === undefined) return;
    const texts = filter.terms().map(termText);
    require(texts.length <= terms.length, 'The canonical form has more terms than were given.');
    for (const [how, again] of [
      ['its terms', TopicFilter.parse(texts)],
      ['its canonical text', TopicFilter.parse(termsIn(String(filter)))],
      ['its terms in another order', TopicFilter.parse(terms.toReversed())],
    ] as const)
      requireEqual(String(again), String(filter), `The filter of ${how}`);
    require(filter.covers(filter), 'A filter covers itself.');
    for (const [topic, key] of [...filter.terms(), ['Job', 'web'], ['Node', 'x']] as const)
      matchesAsItSays(terms, filter, topic, key);
  },
};

function termsIn(canonical: string): readonly string[] {
  const found = canonical.match(/(?:\\[\\,]|[^\\,])+/g) ?? [];
  return found.map((term) => term.replaceAll(/\\([\\,])/g, '$1'));
}

/** The terms as they were given, one by one. */
function matchesAsItSays(terms: readonly string[], filter: TopicFilter, topic: string, key: string): void {
  const event = { topic, type: 't', key, namespace: '', filterKeys: [] };
  const expected = terms.some((term) => {
    const colon = term.indexOf(':');
    const [ofTopic, ofKey] = colon < 0 ? [term, '*'] : [term.slice(0, colon), term.slice(colon + 1)];
    return (ofTopic === '*' || ofTopic === topic) && (ofKey === '*' || ofKey === key);
  });
  requireEqual(filter.matches(event), expected, `${String(filter)} matches ${topic}:${key}`);
}

/** One name a line. */
export const namespaceFilter: FuzzTarget = {
  name: 'namespace-filter',
  words: ['*', 'default', 'prod-1', '\n'],
  tries: 2000,
  run(input) {
    const names = input.toString().split('\n');
    const filter = documented(() => NamespaceFilter.from(names), 'bad_request');
    if (filter === undefined) return;
    requireEqual(String(NamespaceFilter.from(filter.names)), String(filter), 'The filter of its names');
    requireEqual(JSON.parse(String(filter)), filter.names, 'The names in its text');
    for (const name of ['other', ...names]) {
      const expected = name === '' || names.includes('*') || names.includes(name);
      requireEqual(filter.passes(name), expected, `Namespace ${JSON.stringify(name)} passes`);
    }
  },
};
