import { describe, expect, it } from 'vitest';

import { defineTopics } from '../../src/index.ts';
import type { Topics } from '../../src/model/topics.ts';

const any = (value: unknown) => value as never;

describe('a topic that is retained', () => {
  it.each<[object, string]>([
    [{ Job: { retain: 'all' } }, `Topic "Job": retain must be 'latest', or left out; got "all".`],
    [{ Job: { removedBy: ['Gone'] } }, `Topic "Job": removedBy needs retain: 'latest'.`],
    [{ Job: { retain: 'latest', removedBy: [''] } }, 'Topic "Job": removedBy must be a list of types'],
    [{ Job: { retain: 'latest', removedBy: 7 } }, 'Topic "Job": removedBy must be a list of types'],
    [
      { Job: {}, Old: { aliasOf: 'Job', types: ['t'], retain: 'latest' } },
      'Topic "Old": an alias has no events of its own',
    ],
  ])('is refused as %j', (definition, message) => {
    expect(() => defineTopics(any(definition))).toThrow(TypeError);
    expect(() => defineTopics(any(definition))).toThrow(message);
  });

  it('is known by its name and by its aliases', () => {
    const topics = defineTopics({
      Job: { retain: 'latest' },
      Old: { aliasOf: 'Job', types: ['t'] },
      Node: {},
    }) as unknown as Topics;
    expect(['Job', 'Old', 'Node'].map((name) => topics.retains(name))).toEqual([true, true, false]);
    expect(topics.retained).toEqual(['Job']);
    expect(topics.requirement('Node')).toBe('management');
    expect(topics.rulesFor('none')).toEqual([]);
  });
});
