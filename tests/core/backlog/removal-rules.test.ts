import { describe, expect, it } from 'vitest';

import { RemovalRules } from '../../../src/core/backlog/removal-rules.ts';
import { defineTopics } from '../../../src/index.ts';
import type { Topics } from '../../../src/model/topics.ts';
import { encodedEvent } from '../event-fixtures.ts';
import { unheardRejections } from '../unheard-rejections.ts';

/** Rules of one topic, and what the host is told of them. */
function world(removedBy?: unknown) {
  const definition = { retain: 'latest', ...(removedBy !== undefined && { removedBy }) };
  const topics = defineTopics({ Job: definition as never }) as unknown as Topics;
  const faults: unknown[] = [];
  return { rules: new RemovalRules(topics, (topic, fault) => faults.push([topic, fault])), faults };
}

const gone = { topic: 'Job', type: 'Gone', key: 'k', namespace: 'n', filterKeys: ['f'] };

describe('what removes an object from the state', () => {
  it('are events of the types that its topic names, and none where it names none', () => {
    const { rules } = world(['Gone']);
    expect(rules.removes(encodedEvent(gone))).toBe(true);
    expect(rules.removes(encodedEvent({ ...gone, type: 'Made' }))).toBe(false);
    expect(world().rules.removes(encodedEvent(gone))).toBe(false);
  });

  it('are events of which a function says so, which sees all of them but their index', () => {
    const asked: unknown[] = [];
    const { rules, faults } = world((event: { readonly type: string }) => {
      asked.push(event);
      return event.type === 'Gone';
    });
    expect(rules.removes(encodedEvent(gone, 1, { by: 'hand' }))).toBe(true);
    expect(rules.removes(encodedEvent({ ...gone, type: 'Made' }))).toBe(false);
    expect(asked[0]).toEqual({ ...gone, payload: { by: 'hand' } });
    expect(Object.isFrozen(asked[0])).toBe(true);
    expect(faults).toEqual([]);
  });

  it('is no event for which the function fails, and the host is told', () => {
    const failure = new Error('of the rule');
    const { rules, faults } = world(() => {
      throw failure;
    });
    expect(rules.removes(encodedEvent(gone))).toBe(false);
    expect(faults).toEqual([['Job', failure]]);
  });

  it('is no event for which it answers with a promise, whose rejection ends no process', async () => {
    const unheard = unheardRejections();
    const { rules, faults } = world(() => Promise.reject(new Error('of the rule')));
    expect(rules.removes(encodedEvent(gone))).toBe(false);
    expect(faults.map(String)).toEqual([
      'Job,TypeError: removedBy must answer true or false; got a value of type object.',
    ]);
    expect(await unheard()).toEqual([]);
  });
});
