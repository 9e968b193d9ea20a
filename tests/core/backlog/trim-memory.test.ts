import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrimMemory } from '../../../src/core/backlog/trim-memory.ts';
import { encodedBatch, eventMeta, namespaceNames, naivelyPasses, topicName } from '../event-fixtures.ts';

const batches = fc.array(fc.array(eventMeta, { minLength: 1, maxLength: 3 }), { maxLength: 30 });
const askedTopics = fc.oneof(fc.uniqueArray(topicName, { minLength: 1 }), fc.constant(['*']));

function trimAll(memory: TrimMemory, list: readonly (readonly Parameters<typeof encodedBatch>[1][])[]): void {
  list.forEach((events, i) => memory.trimmed(encodedBatch(i + 1, ...(events as never[]))));
}

describe('the memory of what was trimmed', () => {
  it('is exact while it remembers every pair of topic and namespace', () => {
    fc.assert(
      fc.property(batches, askedTopics, namespaceNames, (list, topics, namespaces) => {
        const memory = new TrimMemory(1000);
        trimAll(memory, list);
        expect(memory.lastFor(question(topics, namespaces))).toBe(naiveLast(list, topics, namespaces));
      }),
      { numRuns: 500 },
    );
  });

  it('never hides a loss, however little it may remember', () => {
    fc.assert(
      fc.property(
        batches,
        askedTopics,
        namespaceNames,
        fc.integer({ min: 1, max: 4 }),
        (list, topics, namespaces, size) => {
          const memory = new TrimMemory(size);
          trimAll(memory, list);
          expect(memory.lastFor(question(topics, namespaces))).toBeGreaterThanOrEqual(
            naiveLast(list, topics, namespaces),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('forgets the half that was trimmed longest ago, and keeps the other exact', () => {
    const memory = new TrimMemory(4);
    for (const [i, topic] of ['A', 'B', 'C', 'A', 'D'].entries()) memory.trimmed(encodedBatch(i + 1, { topic }));
    const last = () => ['A', 'B', 'C', 'D', 'Never'].map((topic) => memory.lastFor(question([topic], ['*'])));
    expect(last()).toEqual([4, 2, 3, 5, 2]);
    for (const [i, topic] of ['E', 'F'].entries()) memory.trimmed(encodedBatch(i + 6, { topic }));
    expect(last()).toEqual([4, 4, 4, 5, 4]);
  });

  it('takes a pair that it knows for no other one', () => {
    const memory = new TrimMemory(4);
    for (const [i, topic] of ['A', 'B', 'A', 'C', 'D'].entries()) memory.trimmed(encodedBatch(i + 1, { topic }));
    const last = ['A', 'B', 'C', 'D', 'Never'].map((topic) => memory.lastFor(question([topic], ['*'])));
    expect(last).toEqual([3, 2, 4, 5, 0]);
  });

  it('is asked for some topics, and leaves out those of which a reader asks for nothing', () => {
    const memory = new TrimMemory(10);
    for (const [i, topic] of ['A', 'B', 'C', 'B'].entries()) memory.trimmed(encodedBatch(i + 1, { topic }));
    const skipping = (...skipped: readonly string[]) => ({
      ...question(['*'], ['*']),
      skips: (topic: string) => skipped.includes(topic),
    });
    expect(
      [skipping(), skipping('B'), skipping('B', 'C'), skipping('A', 'B', 'C')].map((one) => memory.lastFor(one)),
    ).toEqual([4, 3, 1, 0]);
  });
});

function question(topics: readonly string[], namespaces: readonly string[]) {
  return { topics, passesNamespace: (namespace: string) => naivelyPasses(namespaces, namespace) };
}

function naiveLast(
  list: readonly (readonly { readonly topic: string; readonly namespace: string }[])[],
  topics: readonly string[],
  namespaces: readonly string[],
): number {
  const isLost = ({ topic, namespace }: { readonly topic: string; readonly namespace: string }) =>
    (topics.includes('*') || topics.includes(topic)) && naivelyPasses(namespaces, namespace);
  return list.findLastIndex((events) => events.some(isLost)) + 1;
}
