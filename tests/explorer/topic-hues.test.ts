import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicHues } from '../../src/explorer/page/topic-hues.ts';

describe('topic hues', () => {
  it('give each of the first topics a colour of its own, always the same, and the others none', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2 })), (topics) => {
        const hues = new TopicHues(3);
        const firstSeen = [...new Set(topics)];
        for (const topic of topics) {
          const place = firstSeen.indexOf(topic);
          expect(hues.classOf(topic)).toBe(place < 3 ? `hue-${place}` : '');
        }
      }),
    );
  });
});
