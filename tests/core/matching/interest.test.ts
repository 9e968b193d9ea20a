import { describe, expect, it } from 'vitest';

import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { Interest, type Visibility } from '../../../src/core/matching/interest.ts';
import { NamespaceFilter } from '../../../src/core/matching/namespace-filter.ts';
import type { SharedChunk } from '../../../src/core/matching/shared-chunk.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import { ndjsonFormat } from '../../../src/adapters/ndjson-format.ts';
import { encodedBatch } from '../event-fixtures.ts';

const sight = (byRules: boolean): Visibility => ({ key: 'v', byRules, sees: ({ key }) => key !== 'hidden' });

function interestIn(term = '*', namespace = '*', visibility?: Visibility, head = 0): Interest {
  return new Interest('k', TopicFilter.parse([term]), NamespaceFilter.from(namespace), visibility, head);
}

class Member {
  place = -1;
  readonly got: string[] = [];

  receive(chunk: SharedChunk): void {
    this.got.push(Buffer.from(chunk.in(ndjsonFormat)).toString());
  }
}

/** Counts how often it is woken. */
class Waiter {
  place = -1;
  woken = 0;

  wake(): void {
    this.woken++;
  }
}

describe('an interest remembers which indexes matched', () => {
  it('from the one after the head on', () => {
    const interest = interestIn('Job', 'default', undefined, 7);
    expect(interest.nextMatch(7)).toBeUndefined();
    expect(interest.nextMatch(8)).toBe(Infinity);
    expect(interest.knowsLeftFrom).toBe(8);
    expect(interest.isState).toBe(false);
    interest.gather(encodedBatch(9));
    interest.concern(12);
    expect([8, 9, 10, 12, 13].map((from) => interest.nextMatch(from))).toEqual([9, 9, 12, 12, Infinity]);
    expect([9, 10, 12, 13].map((limit) => interest.lastMatchBefore(limit))).toEqual([0, 9, 9, 12]);
    expect(interest.newestMatch).toBe(12);
  });

  it('and forgets the older half of 128 when one more comes: who asks for those searches', () => {
    const interest = interestIn();
    for (let index = 1; index <= 128; index++) interest.concern(index);
    expect(interest.nextMatch(1)).toBe(1);
    interest.concern(129);
    expect([64, 65].map((from) => interest.nextMatch(from))).toEqual([undefined, 65]);
    expect(interest.lastMatchBefore(65)).toBe(0);
  });

  it('until the indexes begin anew', () => {
    const interest = interestIn();
    const member = new Member();
    interest.join(member);
    interest.gather(encodedBatch(3));
    const { slices, leftObjects } = interest;
    interest.restart(5);
    expect([interest.newestMatch, interest.oldestPending, interest.knowsLeftFrom]).toEqual([0, undefined, 6]);
    expect([interest.nextMatch(5), interest.nextMatch(6)]).toEqual([undefined, Infinity]);
    expect(interest.slices).not.toBe(slices);
    expect(interest.left).toBeUndefined();
    expect(interest.leftObjects).not.toBe(leftObjects);
    expect(interest.flush()).toBe(0);
    expect(member.got).toEqual([]);
  });
});

describe('what an interest makes of a batch', () => {
  const two = encodedBatch(1, { key: 'a' }, { key: 'hidden' });

  it('is the batch itself where it passes all, without a look at its events', () => {
    expect(interestIn().partOf(two)).toBe(two);
  });

  it.each([
    ['the filter does not', () => interestIn('Job:a')],
    ['the namespaces do not', () => interestIn('*', 'other')],
    ['the rights do not', () => interestIn('*', '*', sight(false))],
  ])('is what passes where %s pass all', (_, make) => {
    const interest = make();
    const part = interest.partOf(two);
    expect(part?.events.map(({ key }) => key) ?? []).toEqual(interest.namespaces.isAll ? ['a'] : []);
  });

  it('is nothing of a batch without events', () => {
    expect(interestIn().partOf(new EncodedBatch(2, []))).toBeUndefined();
  });

  it('is not looked into where one event is known to match', () => {
    const one = encodedBatch(1, { key: 'hidden' });
    const interest = interestIn('*', '*', sight(false));
    expect(interest.partOf(one, true)).toBe(one);
    expect(interest.partOf(one)).toBeUndefined();
    expect(interest.partOf(two, true)?.events).toHaveLength(1);
  });

  it('depends on rights where there are any, and on rules where these have a say', () => {
    const facts = [undefined, sight(false), sight(true)].map((visibility) => {
      const { looksAtEvents, asksRules } = interestIn('*', '*', visibility);
      return [looksAtEvents, asksRules];
    });
    expect(facts).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
  });
});

describe('a flush', () => {
  it('hands all that was gathered to each member as one chunk, says how many writes that saved, and forgets it', () => {
    const interest = interestIn();
    const members = [new Member(), new Member()];
    for (const member of members) interest.join(member);
    expect([encodedBatch(1), encodedBatch(2), encodedBatch(3)].map((batch) => interest.gather(batch))).toEqual([
      true,
      false,
      false,
    ]);
    expect(interest.oldestPending).toBe(1);
    expect(interest.gathered).toBe(3);
    expect(interest.flush()).toBe(4);
    expect(interest.oldestPending).toBeUndefined();
    expect(interest.flush()).toBe(0);
    const [first] = members[0]!.got;
    expect(first?.match(/"Index":\d,"Events"/g)).toHaveLength(3);
    expect(members.map(({ got }) => got)).toEqual([[first], [first]]);
  });

  it('gathers nothing while there is no member', () => {
    const interest = interestIn();
    expect(interest.gather(encodedBatch(1))).toBe(false);
    interest.join(new Member());
    expect(interest.oldestPending).toBeUndefined();
  });

  it('wakes once who waits', () => {
    const interest = interestIn();
    const [waiter, gone] = [new Waiter(), new Waiter()];
    interest.wait(waiter);
    interest.wait(gone);
    interest.unwait(gone);
    interest.gather(encodedBatch(1));
    interest.gather(encodedBatch(2));
    expect([waiter.woken, gone.woken]).toEqual([1, 0]);
  });
});
