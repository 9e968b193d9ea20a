import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { endOf } from '../../examples/cluster/leftovers.ts';
import { startCluster } from '../../examples/cluster/simulated-cluster.ts';
import type { ClusterOptions, Publisher, RunningCluster } from '../../examples/cluster/simulated-cluster.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { EncodedBatch } from '../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../src/core/batch/encoded-event.ts';
import { BrokerError } from '../../src/model/errors.ts';
import { checkEventMeta } from '../../src/model/event.ts';
import { nomadTopics, nomadTopicsRetaining, nomadTopicTable } from '../../src/nomad/index.ts';
import type { NewNomadEvent, NomadTopic } from '../../src/nomad/index.ts';

const sample = readFileSync(new URL('../../examples/cluster/node-registration.json', import.meta.url), 'utf8');

interface Batch {
  readonly index: number;
  readonly events: readonly NewNomadEvent[];
}

/** Numbers batches as a broker does, and refuses what a broker refuses. */
class FakeBroker implements Publisher {
  readonly batches: Batch[] = [];
  failure: Error | undefined;

  publish(events: readonly NewNomadEvent[], options: { readonly index?: number } = {}): Promise<number> {
    const { failure } = this;
    if (failure) return Promise.reject(failure);
    const index = options.index ?? (this.batches.at(-1)?.index ?? 0) + 1;
    for (const event of events) {
      checkEventMeta(event, 'event');
      nomadTopics.checkPublished(event.topic, 'event');
    }
    this.batches.push({ index, events });
    return Promise.resolve(index);
  }
}

/** Time that stands still until a step is taken: one step, one due call. */
class SteppedClock {
  nowMs = Date.UTC(2026, 0, 1);
  #due: { delayMs: number; call: () => void } | undefined;

  get isIdle(): boolean {
    return this.#due === undefined;
  }

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    this.#due = { delayMs, call };
    return { cancel: () => (this.#due = undefined) };
  }

  /** Runs what is due, and lets all that follows from it happen. */
  async step(): Promise<void> {
    const due = this.#due ?? expect.unreachable('nothing is due');
    this.#due = undefined;
    this.nowMs += due.delayMs;
    due.call();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const running: RunningCluster[] = [];
afterEach(() => running.splice(0).forEach((cluster) => cluster.stop()));

async function start(options: ClusterOptions = {}, broker = new FakeBroker()) {
  const clock = new SteppedClock();
  const cluster = startCluster(broker, { clock, ...options });
  running.push(cluster);
  await cluster.ready;
  return { broker, clock, cluster };
}

async function steps(clock: SteppedClock, count: number): Promise<void> {
  for (let step = 0; step < count; step++) await clock.step();
}

const eventsOf = (broker: FakeBroker) => broker.batches.flatMap(({ events }) => events);
const distinct = (values: readonly string[]) => [...new Set(values)].toSorted();
const topicsOf = ({ events }: Batch) => distinct(events.map(({ topic }) => topic)).join(' ');

describe('the simulated cluster', () => {
  it('begins with the sample, which goes over the wire byte for byte as JSON', async () => {
    const { broker } = await start();
    const [first] = broker.batches;
    const [event, ...others] = first?.events ?? [];
    expect([first?.index, others]).toEqual([7, []]);
    const json = JSON.stringify(event?.payload);
    const encoded = new EncodedEvent(checkEventMeta(event!, 'event'), ['Node'], { json, bytes: 1 });
    expect(new EncodedBatch(7, [encoded]).line).toBe(`${JSON.stringify(JSON.parse(sample))}\n`);
  });

  it('has a history at once: evaluations, deployments and the job web in default, beyond index 100', async () => {
    const { broker } = await start();
    expect(broker.batches).toHaveLength(160);
    const late = broker.batches.filter(({ index }) => index >= 100).flatMap(({ events }) => events);
    expect(late.filter(({ topic, namespace }) => topic === 'Evaluation' && namespace === 'default')).not.toEqual([]);
    const inDefault = eventsOf(broker).filter(({ namespace }) => namespace === 'default');
    expect(inDefault.some(({ topic }) => topic === 'Deployment')).toBe(true);
    expect(inDefault.some(({ topic, key }) => topic === 'Job' && key === 'web')).toBe(true);
  });

  it('still has its first registration in a backlog of 4096 batches after half an hour, at one or two batches a second', async () => {
    const { broker, clock } = await start();
    const begunMs = clock.now();
    await steps(clock, 3000);
    expect(clock.now() - begunMs).toBeGreaterThanOrEqual(30 * 60 * 1000);
    expect(broker.batches.length).toBeLessThan(4096);
  });

  it.each([1, 2, 3])('comes in seed %i to publish all that it promises, and only valid events', async (seed) => {
    const { broker, clock } = await start({ seed });
    await steps(clock, 1000);
    const events = eventsOf(broker);
    expect(distinct(events.map(({ topic }) => topic))).toEqual([
      'Allocation',
      'Deployment',
      'Evaluation',
      'Job',
      'Node',
      'Service',
    ]);
    expect(distinct(events.map(({ namespace }) => namespace ?? ''))).toEqual(['', 'default', 'prod', 'team-a']);
    expect(distinct(events.map(({ type }) => type))).toEqual([
      'AllocationUpdateDesiredStatus',
      'AllocationUpdated',
      'DeploymentAllocHealth',
      'DeploymentPromotion',
      'DeploymentStatusUpdate',
      'EvaluationUpdated',
      'JobDeregistered',
      'JobRegistered',
      'NodeDeregistration',
      'NodeDrain',
      'NodeEligibility',
      'NodeRegistration',
      'NodeStreamEvent',
      'PlanResult',
      'ServiceDeregistration',
      'ServiceRegistration',
    ]);
    const table: Readonly<Record<string, NomadTopic>> = nomadTopicTable;
    for (const { topic, type } of events) expect(table[topic]?.types).toContain(type);
  });

  it('publishes batches of at least one event, and plans with several topics in one', async () => {
    const { broker, clock } = await start();
    await steps(clock, 500);
    expect(broker.batches.filter(({ events }) => events.length === 0)).toEqual([]);
    expect(broker.batches.map(topicsOf)).toContain('Allocation Deployment Evaluation');
  });

  it('keeps its story straight: a service is registered while its allocation runs, and no more after', async () => {
    const { broker, clock } = await start();
    await steps(clock, 1000);
    const offered = new Set<string>();
    const wrong: NewNomadEvent[] = [];
    for (const event of eventsOf(broker).filter(({ topic }) => topic === 'Service')) {
      const isBegin = event.type === 'ServiceRegistration';
      if (isBegin === offered.has(event.key)) wrong.push(event);
      if (isBegin) offered.add(event.key);
      else offered.delete(event.key);
    }
    expect(wrong).toEqual([]);
    expect(offered.size).toBeGreaterThan(0);
    expect(offered.size).toBeLessThanOrEqual(12);
  });

  it.each([1, 2, 3])('in seed %i leaves a state that is what runs now, however long it lives', async (seed) => {
    const cluster = ['Job', 'Node', 'Allocation', 'Service', 'Deployment', 'Evaluation'] as const;
    const broker = new EventBroker({ topics: nomadTopicsRetaining(cluster) });
    const clock = new SteppedClock();
    const feed = startCluster(broker, { clock, seed });
    running.push(feed);
    await feed.ready;
    await steps(clock, 2000);
    const { events } = broker.state({ namespace: '*' });
    const count = (topic: string) => events.filter((event) => event.topic === topic).length;
    expect(count('Node')).toBeGreaterThanOrEqual(3);
    expect(count('Node')).toBeLessThanOrEqual(4);
    expect(count('Job')).toBeLessThanOrEqual(6);
    expect(count('Service')).toBeGreaterThan(0);
    expect(count('Deployment')).toBeLessThanOrEqual(1);
    expect(count('Evaluation')).toBeLessThanOrEqual(1);
    // What runs, and at most one job that is being deployed anew beside it.
    expect(count('Allocation')).toBeLessThanOrEqual(12 + 4 + 2);
    await broker.publish(endOf(events));
    expect(broker.state({ namespace: '*' }).events).toEqual([]);
    await broker.close();
  });

  it('tells the same story for the same seed, and another for another', async () => {
    const [one, same, other] = await Promise.all([start(), start({ seed: 1 }), start({ seed: 2 })]);
    expect(same.broker.batches).toEqual(one.broker.batches);
    expect(other.broker.batches).not.toEqual(one.broker.batches);
  });

  it('publishes nothing more once it is stopped', async () => {
    const { broker, clock, cluster } = await start();
    await clock.step();
    cluster.stop();
    cluster.stop();
    expect(clock.isIdle).toBe(true);
    expect(broker.batches).toHaveLength(161);
  });

  it('stops amid its history when it is told to', async () => {
    const broker = new FakeBroker();
    const clock = new SteppedClock();
    const cluster = startCluster(broker, { clock });
    cluster.stop();
    await cluster.ready;
    expect(broker.batches).toHaveLength(1);
    expect(clock.isIdle).toBe(true);
  });

  it('stops without a word when the broker is closed', async () => {
    const errors: unknown[] = [];
    const { broker, clock } = await start({ onError: (error) => errors.push(error) });
    broker.failure = new BrokerError('closed', 'The broker is closed.');
    await clock.step();
    expect(clock.isIdle).toBe(true);
    expect(errors).toEqual([]);
  });

  it('tells of any other failure once, and stops', async () => {
    const errors: unknown[] = [];
    const { broker, clock } = await start({ onError: (error) => errors.push(error) });
    broker.failure = new BrokerError('log_unavailable', 'The disk is full.');
    await clock.step();
    expect(clock.isIdle).toBe(true);
    expect(errors).toEqual([broker.failure]);
  });

  it('begins at an index of the log, where the broker has one', async () => {
    const log = new FakeBroker();
    const refusal = new BrokerError('not_supported', 'The log gives the index.');
    const publish: Publisher['publish'] = (events, options) =>
      options === undefined ? log.publish(events) : Promise.reject(refusal);
    const cluster = startCluster({ publish }, { clock: new SteppedClock(), historyBatches: 3 });
    running.push(cluster);
    await cluster.ready;
    expect(log.batches.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(log.batches[0]?.events[0]?.key).toBe('ccc4ce56-7f0a-4124-b8b1-a4015aa82c40');
  });

  it('feeds a real broker, which streams the sample from index 7 and evaluations from index 100', async () => {
    const broker = new EventBroker({ topics: nomadTopics });
    const cluster = startCluster(broker, { clock: new SteppedClock() });
    running.push(cluster);
    await cluster.ready;
    const nodes = await broker.subscribe({ index: 7, topics: ['Node'] });
    const [registration] = nodes.poll()?.events ?? [];
    expect(registration).toMatchObject({ index: 7, payload: JSON.parse(sample).Events[0].Payload });
    const evaluations = await broker.subscribe({ index: 100, topics: ['Evaluation'] });
    expect(evaluations.poll()?.events[0]).toMatchObject({ topic: 'Evaluation', namespace: 'default' });
    await broker.close();
  });
});
