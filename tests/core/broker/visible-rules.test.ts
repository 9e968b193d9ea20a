import { describe, expect, it } from 'vitest';

import { Acl, defineTopics } from '../../../src/index.ts';
import { VisibleRules } from '../../../src/core/broker/visible-rules.ts';
import type { RuleFailure } from '../../../src/core/broker/broker-notifications.ts';
import { TopicFilter } from '../../../src/core/matching/topic-filter.ts';
import type { Topics } from '../../../src/model/topics.ts';
import { encodedEvent } from '../event-fixtures.ts';
import { unheardRejections } from '../unheard-rejections.ts';

function world(answer: (claims: unknown) => unknown) {
  const topics = defineTopics({
    Job: { requires: 'anyone', visible: answer as never },
    Node: { requires: 'anyone' },
  }) as unknown as Topics;
  const told: RuleFailure[] = [];
  let now = 0;
  const notify = (_name: string, failure: RuleFailure): void => void told.push(failure);
  const rules = new VisibleRules({ topics, clock: { now: () => now }, notify: notify as never });
  return { rules, told, at: (ms: number) => void (now = ms) };
}

const event = encodedEvent({ topic: 'Job' });
const withClaims = Acl.fromRules([], { accessorId: 'a', claims: { user: 'u' } });
const withoutClaims = Acl.fromRules([], { accessorId: 'b' });

describe("a topic's rule", () => {
  it('that answers with a promise hides the event, and leaves no rejection that nobody hears of', async () => {
    const unheard = unheardRejections();
    const { rules, told } = world(() => Promise.reject(new Error('of the rule')));
    expect(rules.allow(withClaims, 'Job', event)).toBe(false);
    expect(told.map(({ error }) => String(error))).toEqual([
      'TypeError: visible must answer true or false; got a promise.',
    ]);
    expect(await unheard()).toEqual([]);
  });

  it.each([
    [true, 'The rule answered true.'],
    [false, 'The rule answered false.'],
  ])('that answers %s shows or hides the event, and the explanation says so', (answer, reason) => {
    const { rules, told } = world(() => answer);
    expect(rules.allow(withClaims, 'Job', event)).toBe(answer);
    expect(rules.explain(withClaims, 'Job', event)).toEqual([{ topic: 'Job', isVisible: answer, reason }]);
    expect([rules.faults, told]).toEqual([0, []]);
  });

  it('is not asked for management, which sees all', () => {
    const { rules } = world(() => false);
    expect(rules.allow(Acl.management, 'Job', event)).toBe(true);
    expect(rules.explain(Acl.management, 'Job', event)).toMatchObject([
      { isVisible: true, reason: 'Management sees all.' },
    ]);
  });

  it('hides from who has no claims, which is no failure', () => {
    const { rules } = world(() => true);
    expect(rules.allow(withoutClaims, 'Job', event)).toBe(false);
    expect(rules.explain(withoutClaims, 'Job', event)).toMatchObject([
      { isVisible: false, reason: 'There are no claims, and the rule takes some.' },
    ]);
    expect(rules.faults).toBe(0);
  });

  it.each<[string, () => unknown, string]>([
    ['throws', () => Object.keys(undefined as never), 'The rule failed: Cannot convert undefined or null to object'],
    [
      'throws what is no error',
      () => {
        throw 'words';
      },
      'The rule failed: "words"',
    ],
    [
      'answers a promise',
      () => Promise.reject(new Error('unheard')),
      'The rule failed: visible must answer true or false; got a promise.',
    ],
    ['answers a text', () => 'yes', 'The rule failed: visible must answer true or false; got "yes".'],
  ])('that %s hides the event, is counted and told', (_, answer, reason) => {
    const { rules, told } = world(answer);
    expect(rules.allow(withClaims, 'Job', event)).toBe(false);
    expect(rules.faults).toBe(1);
    expect(told).toMatchObject([{ topic: 'Job', accessorId: 'a' }]);
    expect(rules.explain(withClaims, 'Job', event)).toEqual([{ topic: 'Job', isVisible: false, reason }]);
    expect(rules.faults).toBe(1);
  });

  it('that fails is told once a minute for its topic', () => {
    const { rules, told, at } = world(() => 'no');
    for (const ms of [0, 59_999, 60_000, 60_001]) {
      at(ms);
      rules.allow(withClaims, 'Job', event);
    }
    expect([rules.faults, told.length]).toEqual([4, 2]);
  });

  it('concerns filters that may pass events of its topic', () => {
    const { rules } = world(() => true);
    const concerned = ['*', '*:web', 'Job', 'Job:web', 'Node'].map((term) => rules.concern(TopicFilter.parse([term])));
    expect(concerned).toEqual([true, true, true, true, false]);
  });
});
