import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nomadTopics } from '../../src/nomad/index.ts';
import { topicMark } from '../../src/explorer/page/topic-mark.ts';

describe('the mark of a topic', () => {
  it('comes from its name alone, whatever was seen before', () => {
    // Known values: whoever changes how they are made changes the colours that people know.
    expect(['Job', 'Node', 'Order'].map(topicMark)).toEqual(['hue-10 shape-0', 'hue-11 shape-2', 'hue-10 shape-1']);
    fc.assert(
      fc.property(fc.string(), (topic) => {
        expect(topicMark(topic)).toMatch(/^hue-(\d|1[01]) shape-[012]$/);
      }),
    );
  });

  it('is another one for each of Nomad’s topics', () => {
    const names = nomadTopics.names ?? [];
    expect(names.length).toBeGreaterThan(15);
    expect(new Set(names.map(topicMark)).size).toBe(names.length);
  });

  it('uses all colours and shapes, for names that differ in one letter too', () => {
    const marks = new Set(Array.from({ length: 300 }, (_, i) => topicMark(`Topic${i}`)));
    expect(marks.size).toBe(36);
  });
});
