import { describe, expect, it } from 'vitest';
import { Acl, defineTopics, EventBroker } from 'fenceline';
import { FaultyEventLog, MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { drain, failureOf } from './reading.ts';
import { nomadRights } from 'fenceline/nomad';

const topics = defineTopics({ Job: {}, Policy: { aclChange: 'policy' } });
const job = { topic: 'Job', type: 'Made', key: 'a', payload: 1 } as const;
const policy = { topic: 'Policy', type: 'Deleted', key: 'p', payload: 1 } as const;

/** Whether the host's own change was made. */
class Host {
  isCommitted = false;
  readonly commit = (): void => void (this.isCommitted = true);
}

describe('a publish with a commit', () => {
  it.each<[string, object]>([
    ['an index that is not above the newest', { index: 1 }],
    ['another expectedIndex', { expectedIndex: 7 }],
    ['an id without a log', { id: 'x' }],
    ['an index that is none', { index: -1 }],
  ])('does not commit when it can know that publishing fails: %s', async (_, options) => {
    const broker = new EventBroker({ topics });
    await broker.publish(job);
    const host = new Host();
    await failureOf(() => broker.publish(job, { ...options, commit: host.commit }));
    expect(host.isCommitted).toBe(false);
    expect(broker.stats().latestIndex).toBe(1);
  });

  it('does not commit while the log is down', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const broker = new EventBroker({ topics, log });
    await broker.publish(job);
    await log.goDown();
    const host = new Host();
    expect(await failureOf(() => broker.publish(job, { commit: host.commit }))).toMatchObject({
      code: 'log_unavailable',
    });
    expect(host.isCommitted).toBe(false);
    await broker.close();
  });

  it('tells a failure after the commit as what it is, with its cause', async () => {
    const broker = new EventBroker({ topics });
    const publishing = broker.publish(job, {
      expectedIndex: 0,
      // Another was faster, while the host committed.
      commit: () => broker.publish(job),
    });
    expect(await failureOf(() => publishing)).toMatchObject({
      code: 'unpublished',
      retry: 'never',
      cause: { code: 'index_conflict' },
    });
    expect(broker.stats().latestIndex).toBe(1);
  });

  it('holds the streams that rest on what it changed although its event could not be published', async () => {
    const clock = new VirtualClock();
    let isAllowed = true;
    const rights = () => Acl.fromRules([], { rights: nomadRights, management: isAllowed, dependsOn: ['policy:p'] });
    const broker = new EventBroker({ topics, clock, acl: { resolve: rights } });
    const subscription = await broker.subscribe({ token: 't' });
    const publishing = broker.publish(policy, {
      expectedIndex: 0,
      commit: async () => {
        isAllowed = false;
        await broker.publish(job);
      },
    });
    expect(await failureOf(() => publishing)).toMatchObject({ code: 'unpublished' });
    await broker.publish({ ...job, key: 'secret' });
    await clock.settle();
    const { batches, error } = drain(subscription);
    expect(batches.map(({ events }) => events[0]?.key)).toEqual(['a']);
    expect(error).toMatchObject({ code: 'acl_revoked' });
  });
});
