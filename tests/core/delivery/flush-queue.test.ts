import { describe, expect, it } from 'vitest';

import type { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import type { Interest } from '../../../src/core/matching/interest.ts';
import { InterestIndex } from '../../../src/core/matching/interest-index.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import { FlushQueue } from '../../../src/core/delivery/flush-queue.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { encodedBatch } from '../event-fixtures.ts';
import { CostlyClock } from './costly-clock.ts';

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
    ['two of one key of two', [1, 1], ['a', 'b', 'b'], true],
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

  it('comes before the oldest batch that waits for it is trimmed, and not sooner', () => {
    const index = new InterestIndex(noLimits);
    const queue = new FlushQueue(new VirtualClock(), {}, (flush) => flush());
    let chunks = 0;
    const interest = index.acquire(TopicFilter.parse(['Job:a']), NamespaceFilter.from('*'), undefined, 0);
    interest.join({ place: -1, receive: () => chunks++ });
    for (const position of [3, 4]) publishTo(index, queue, encodedBatch(position, { key: 'a' }));
    queue.flushBefore(2);
    expect(chunks).toBe(0);
    queue.flushBefore(3);
    expect(chunks).toBe(1);
    queue.flushBefore(4);
    expect(chunks).toBe(1);
  });
});

describe('a flush that waits', () => {
  it('goes on early where enough was published since the one before', async () => {
    const clock = new CostlyClock();
    let flushes = 0;
    const queue = new FlushQueue(clock, {}, (flush) => {
      flushes++;
      clock.spend(100);
      return flush() || true;
    });
    const ask = () => queue.schedule({ advance: () => undefined, fail: () => undefined });
    const flushesAfter = async (ms: number): Promise<number> => {
      await clock.advance(ms);
      return flushes;
    };
    ask();
    expect(await flushesAfter(0)).toBe(1);
    ask();
    for (let part = 0; part < 2; part++) queue.count(8 * 1024);
    expect(await flushesAfter(29)).toBe(1);
    expect(await flushesAfter(1)).toBe(2);
    ask();
    expect(await flushesAfter(99), 'what was flushed counts no more').toBe(2);
    expect(await flushesAfter(1)).toBe(3);
  });
});
