import { describe, expect, it } from 'vitest';

import type { NewEvent } from '../../src/model/event.ts';
import { nomadEvents, nomadTopics, nomadTopicTable, type NomadTopic } from '../../src/nomad/index.ts';
import { mountedBroker } from './mounted-broker.ts';
import { mounts } from './mounts.ts';

const [mount] = mounts;

/** Has every member that an event of some topic is derived from, and credentials that no event may hold. */
const object = {
  ID: 'an-id',
  AccessorID: 'an-accessor',
  SecretID: 'hunter2',
  Path: 'a/path',
  Name: 'a-name',
  Namespace: 'prod',
  JobID: 'a-job',
  DeploymentID: 'a-deployment',
  ServiceName: 'a-service',
  AuthMethod: 'a-method',
  PluginID: 'a-plugin',
};

type Constructor = (object: object) => NewEvent;

const { planResult, csiPlugin, operator, change, fromWire: _, ...byType } = nomadEvents;

/** One event of each constructor. */
const events: readonly NewEvent[] = [
  ...[...Object.values(byType), ...Object.values(planResult)].map((construct) => (construct as Constructor)(object)),
  csiPlugin('NodeRegistration', object),
  ...touched(),
  operator('SchedulerConfigUpdated', 'scheduler', { Preemption: true }),
];

/** One event of each pair of topic and type that no constructor is named after: another object's change. */
function touched(): NewEvent[] {
  const named = Object.values(byType).map((construct) => (construct as Constructor)(object));
  const isNamed = (topic: string, type: string) => named.some((event) => event.topic === topic && event.type === type);
  return Object.entries<NomadTopic>(nomadTopicTable)
    .filter(([, { aliasOf, member: of }]) => aliasOf === undefined && of !== undefined)
    .flatMap(([topic, { types }]) =>
      types
        .filter((type) => type !== 'PlanResult' && topic !== 'Variable' && !isNamed(topic, type))
        .map((type) => change(topic as 'Job', type as 'JobRegistered', object)),
    );
}

const member = (name: string | undefined) => (object as Readonly<Record<string, string>>)[name ?? ''];

/** What a row says of its events on the wire, but for type, index and payload. */
function wireOf(topic: string, row: NomadTopic): Readonly<Record<string, unknown>> {
  const filterKeys = row.filterKeys.map(member);
  return {
    Topic: row.aliasOf ?? topic,
    Key: row.key === undefined ? 'scheduler' : member(row.key),
    Namespace: row.isNamespaced ? 'prod' : '',
    FilterKeys: filterKeys.length > 0 ? filterKeys : null,
  };
}

function belongsTo(event: NewEvent, topic: string, { aliasOf, types }: NomadTopic): boolean {
  return event.topic === (aliasOf ?? topic) && (aliasOf === undefined || types.includes(event.type));
}

interface WireBatch {
  readonly Index: number;
  readonly Events: readonly Readonly<Record<string, unknown>>[];
}

const rows = Object.entries<NomadTopic>(nomadTopicTable).map(([topic, row]) => ({ topic, row }));

/** What comes of all events through the HTTP handler when one topic is asked for. */
async function streamed(topic: string): Promise<WireBatch[]> {
  if (!mount) throw new Error('There is no mount.');
  const { broker, client } = await mountedBroker(mount, { topics: nomadTopics as never });
  const stream = await client.open(`?topic=${topic}&namespace=*`);
  for (const event of events) await broker.publish(event);
  await broker.close();
  const lines = (await stream.rest())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as WireBatch);
  expect(lines.pop()).toMatchObject({ Error: { Code: 'closed' } });
  return lines;
}

describe.each(rows)('?topic=$topic', ({ topic, row }) => {
  it('gives the topic’s events and no others, as the row says', async () => {
    const expected = events.flatMap((event, n) => (belongsTo(event, topic, row) ? [{ event, index: n + 1 }] : []));
    const batches = await streamed(topic);
    expect(expected.length).toBeGreaterThan(0);
    expect(batches.map(({ Index }) => Index)).toEqual(expected.map(({ index }) => index));
    for (const [n, { Events, Index }] of batches.entries()) {
      const payload: unknown = JSON.parse(JSON.stringify(expected[n]?.event.payload));
      expect(Events).toEqual([{ ...wireOf(topic, row), Type: expected[n]?.event.type, Index, Payload: payload }]);
    }
  });

  it('gives events whose members stand in Nomad’s order, the object under its name, credentials emptied', async () => {
    for (const { Events } of await streamed(topic)) {
      const [event = {}] = Events;
      expect(Object.keys(event)).toEqual(['Topic', 'Type', 'Key', 'Namespace', 'FilterKeys', 'Index', 'Payload']);
      const payload = event['Payload'] as Readonly<Record<string, unknown>>;
      if (row.member !== undefined) expect(payload[row.member]).toMatchObject({ Name: 'a-name', SecretID: '' });
      expect(JSON.stringify(payload)).not.toContain('hunter2');
    }
  });
});

describe('Nomad’s topics over HTTP', () => {
  it('have every type of the table among the constructors’ events', () => {
    for (const { topic, row } of rows)
      for (const type of row.types)
        expect(events.some((event) => event.type === type && belongsTo(event, topic, row))).toBe(true);
  });

  it('give a drain once to who asks for the topic and its alias', async () => {
    const batches = await streamed('NodeDrain&topic=Node');
    const drains = batches.flatMap(({ Events }) => Events).filter(({ Type }) => Type === 'NodeDrain');
    expect(drains).toHaveLength(1);
  });

  it('give a drain by its node’s key under the alias', async () => {
    expect(await streamed('NodeDrain:an-id')).toHaveLength(1);
    expect(await streamed('NodeDrain:another')).toHaveLength(0);
  });

  it('refuse a topic that is not one of them, and name those that are', async () => {
    if (!mount) throw new Error('There is no mount.');
    const { client } = await mountedBroker(mount, { topics: nomadTopics as never });
    const { status, body } = await client.ask({ query: '?topic=ACLRolls' });
    expect(status).toBe(400);
    const answer = await body.rest();
    for (const name of ['ACLRolls', 'ACLRole', 'ACLRoles', 'NodeDrain', 'Operator']) expect(answer).toContain(name);
  });
});
