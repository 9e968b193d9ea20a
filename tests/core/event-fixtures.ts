import fc from 'fast-check';
import { EncodedBatch } from '../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../src/core/batch/encoded-event.ts';
import type { EventMeta } from '../../src/model/event.ts';

/** An event's meta data, with defaults for what a test does not care about. */
export function meta(given: Partial<EventMeta> = {}): EventMeta {
  return { topic: 'Job', type: 'JobRegistered', key: 'web', namespace: 'default', filterKeys: [], ...given };
}

/** An event of a batch of its own. */
export function encodedEvent(given: Partial<EventMeta> = {}, index = 1, payload: unknown = null): EncodedEvent {
  const event = newEvent(given, payload);
  return new EncodedBatch(index, [event]).events[0] ?? event;
}

export function newEvent(given: Partial<EventMeta> = {}, payload: unknown = null): EncodedEvent {
  const bytes = JSON.stringify(payload).length;
  return new EncodedEvent(meta(given), [given.topic ?? 'Job'], { payload, bytes });
}

export function encodedBatch(index: number, ...events: Partial<EventMeta>[]): EncodedBatch {
  const list = events.length === 0 ? [{}] : events;
  return new EncodedBatch(
    index,
    list.map((event) => newEvent(event)),
  );
}

/** Few names, so that filters and events meet often; some of them hold the characters that separate. */
export const topicName = fc.constantFrom('Job', 'Node', 'Eval');
export const keyName = fc.constantFrom('a', 'b', 'a:b', 'a,b', '\\', ' ');
export const namespaceName = fc.constantFrom('default', 'prod', 'dev');

export const eventMeta: fc.Arbitrary<EventMeta> = fc.record({
  topic: topicName,
  type: fc.constantFrom('Made', 'Gone'),
  key: keyName,
  namespace: fc.oneof(namespaceName, fc.constant('')),
  filterKeys: fc.array(keyName, { maxLength: 2 }),
});

export const filterTerm: fc.Arbitrary<string> = fc.oneof(
  topicName,
  fc.tuple(topicName, fc.oneof(keyName, fc.constant('*'))).map(([topic, key]) => `${topic}:${key}`),
  keyName.map((key) => `*:${key}`),
);

export const filterTerms = fc.oneof(
  { weight: 9, arbitrary: fc.array(filterTerm, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant(['*']) },
);

export const namespaceNames = fc.oneof(
  { weight: 4, arbitrary: fc.uniqueArray(namespaceName, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant(['*']) },
);

/** The matching rules, word for word and as slow as they come. */
export function naivelyMatches(terms: readonly string[], event: EventMeta): boolean {
  return terms.some((term) => {
    const [topic, ...rest] = term.split(':');
    const key = rest.length === 0 ? '*' : rest.join(':');
    const keyPasses = key === '*' || [event.key, ...event.filterKeys].includes(key);
    return (topic === '*' || topic === event.topic) && keyPasses;
  });
}

export function naivelyPasses(namespaces: readonly string[], namespace: string): boolean {
  return namespace === '' || namespaces.includes('*') || namespaces.includes(namespace);
}
