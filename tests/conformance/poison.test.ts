import { describe, expect, it } from 'vitest';
import { Acl, defineTopics, EventBroker, type EventLog } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { drain } from './reading.ts';
import { nomadRights } from 'fenceline/nomad';

const topics = defineTopics({ Job: {}, Node: {} });
const job = (key: string) => ({ topic: 'Job', type: 'Made', key, payload: 1 }) as const;
const poison = Buffer.from('{"v":1,"events":[null]}');

/** A broker over a log that others write to as well. */
async function world(options: { maxBatches?: number; acl?: Acl } = {}) {
  const clock = new VirtualClock();
  const log = new MemoryEventLog();
  const { maxBatches = 4096, acl } = options;
  const broker = new EventBroker({
    topics,
    clock,
    log: log.share(),
    buffer: { maxBatches },
    ...(acl && { acl: { resolve: () => acl } }),
  });
  await broker.publish(job('1'));
  await settled(clock, broker as never, log);
  return { clock, log, broker };
}

/** Until the tail has brought all there is. */
const settled = async (clock: VirtualClock, broker: EventBroker<never>, log: EventLog) => {
  const { head } = await log.state();
  while (broker.stats().latestIndex < head) await clock.settle();
};

describe('a record that is not ours, on a shared log', () => {
  it('is a told gap of that one index, for whoever reads; all that follows comes', async () => {
    const { clock, log, broker } = await world();
    const live = await broker.subscribe({ topics: ['Job'], index: 'latest' });
    const behind = await broker.subscribe({ topics: ['Job'] });
    const other = await broker.subscribe({ topics: ['Node'] });
    let written = '';
    const written1 = await broker.subscribe({ topics: ['Job'], index: 'latest' });
    written1.deliverTo(
      { write: (chunk) => ((written += Buffer.from(chunk).toString()), true), end: () => undefined },
      ndjsonFormat,
      {
        heartbeatMs: 0,
      },
    );
    await clock.settle();
    await log.append(poison);
    await broker.publish(job('3'));
    await settled(clock, broker as never, log);
    const gap = { from: 2, to: 2, reason: 'trimmed' };
    expect(drain(live)).toMatchObject({ indexes: [3], gaps: [gap] });
    expect(drain(behind)).toMatchObject({ indexes: [1, 3], gaps: [gap] });
    await broker.publish({ topic: 'Node', type: 'Made', key: 'n', payload: 1 });
    await settled(clock, broker as never, log);
    expect(drain(other)).toMatchObject({ indexes: [4], gaps: [gap] });
    await clock.settle();
    const lines = written.split('\n').slice(0, -1);
    expect(
      lines.map((line) => (line.includes('"Gap"') ? 'gap' : (JSON.parse(line) as { Index: number }).Index)),
    ).toEqual(['gap', 3]);
    await broker.close();
  });

  it('is told once to each who replays past it from the log, however many there are in a row', async () => {
    const { clock, log, broker } = await world({ maxBatches: 1 });
    for (const body of [poison, poison, Buffer.from('x')]) await log.append(body);
    await broker.publish(job('5'));
    await broker.publish(job('6'));
    await settled(clock, broker as never, log);
    const subscription = await broker.subscribe({ topics: ['Job'], index: 1 });
    const seen: unknown[] = [];
    for (let batch = await subscription.next(); seen.length < 3; batch = await subscription.next()) {
      seen.push([batch.value?.index, batch.value?.gap]);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([
      [1, undefined],
      [5, { from: 2, to: 4, reason: 'trimmed' }],
      [6, undefined],
    ]);
    await broker.close();
  });

  it('ends a reader that asked to fail on a gap, with the gap', async () => {
    const { clock, log, broker } = await world();
    const subscription = await broker.subscribe({ topics: ['Job'], onGap: 'fail' });
    await log.append(poison);
    await broker.publish(job('3'));
    await settled(clock, broker as never, log);
    expect(drain(subscription)).toMatchObject({
      indexes: [1],
      error: { code: 'gap', gap: { from: 2, to: 2 }, index: 1 },
    });
    await broker.close();
  });

  it('may have been news of ACLs: everybody is asked again before anything after it is read', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog();
    let isAllowed = true;
    const rights = () => Acl.fromRules([], { rights: nomadRights, management: isAllowed, dependsOn: ['policy:p'] });
    const broker = new EventBroker({ topics, clock, log: log.share(), acl: { resolve: rights } });
    await broker.publish(job('1'));
    await settled(clock, broker as never, log);
    const subscription = await broker.subscribe({ topics: ['Job'], token: 't' });
    isAllowed = false;
    await log.append(poison);
    await broker.publish(job('secret'));
    await settled(clock, broker as never, log);
    await clock.settle();
    const { batches, error } = drain(subscription);
    expect(batches.map(({ index }) => index)).toEqual([1]);
    expect(error).toMatchObject({ code: 'acl_revoked' });
    await broker.close();
  });
});
