import { describe, expect, it } from 'vitest';

import type { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import type { Interest } from '../../../src/core/matching/interest.ts';
import { InterestIndex } from '../../../src/core/matching/interest-index.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { FlushQueue } from '../../../src/core/delivery/flush-queue.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { encodedBatch } from '../event-fixtures.ts';

const noLimits = { placesInAll: Infinity, placesPerToken: Infinity };

describe('a flush', () => {
  const publishTo = (index: InterestIndex, queue: FlushQueue, batch: EncodedBatch) =>
    index.match(batch, (interest) => {
      if (interest.gather(batch.part(interest.hits))) queue.add(interest, batch.index);
    });

  const join = (index: InterestIndex, members: number, ...terms: string[]): Interest => {
    const interest = index.acquire(TopicFilter.parse(terms), NamespaceFilter.from('*'), undefined, 0);
    for (let i = 0; i < members; i++) interest.join({ place: -1, receive: () => undefined });
    return interest;
  };

  it.each<[string, number[], readonly string[], boolean]>([
    ['one batch of one key', [1], ['a'], false],
    ['a batch each of many keys', [1, 1, 1], ['a', 'b', 'c'], false],
    ['two of one key among many', [1, 1, 1], ['a', 'b', 'b', 'c'], false],
    ['two of most keys', [1, 1, 1], ['a', 'a', 'b', 'b', 'c'], true],
    ['two of one key that many ask for', [1, 9, 1], ['a', 'b', 'b', 'c'], true],
    ['several of one key', [1], ['a', 'a', 'a'], true],
  ])('of %s', (_, members, keys, hasJoined) => {
    const index = new InterestIndex(noLimits);
    const queue = new FlushQueue(new VirtualClock(), {}, (flush) => flush());
    members.forEach((count, i) => join(index, count, `Job:${'abc'[i]}`));
    keys.forEach((key, i) => publishTo(index, queue, encodedBatch(i + 1, { key })));
    expect(queue.flush(), 'saved writes').toBe(hasJoined);
  });
});
