import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { EventBroker } from '../../src/core/broker/event-broker.ts';
import type { NewEvent } from '../../src/model/event.ts';
import { nomadEvents, nomadTopics, nomadTopicTable, type NomadTopic } from '../../src/nomad/index.ts';
import { lineOf } from './published-line.ts';

interface WireEvent {
  readonly Topic: string;
  readonly Type: string;
  readonly FilterKeys: readonly string[] | null;
}

interface WireLine {
  readonly Index: number;
  readonly Events: readonly WireEvent[];
}

/** Lines of real servers: each pair of topic and type that they sent, payloads cut down. */
const lines = readFileSync(new URL('nomad-lines.ndjson', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const parsed = lines.map((line) => JSON.parse(line) as WireLine);
const table: Readonly<Record<string, NomadTopic>> = nomadTopicTable;

/** As ours have to be: every event with the index of its line, and without filter keys that nobody can ask for. */
function expected({ Index, Events }: WireLine): object {
  const events = Events.map((event) => {
    const keys = (event.FilterKeys ?? []).filter((key) => key !== '');
    return { ...event, FilterKeys: keys.length === 0 ? null : keys, Index };
  });
  return { Index, Events: events };
}

describe('nomadEvents.fromWire', () => {
  it.each(lines.map((line, i) => [i, line]))('passes line %i of a real server on as it came', async (i, line) => {
    const { index, events } = nomadEvents.fromWire(line as string);
    const came = parsed[i as number] as WireLine;
    expect(await lineOf(events, index)).toEqual(expected(came));
    expect(nomadEvents.fromWire(came)).toEqual({ index, events });
  });

  it('finds every pair of topic and type that real servers sent in the table', () => {
    for (const { Topic, Type } of parsed.flatMap(({ Events }) => Events)) expect(table[Topic]?.types).toContain(Type);
    expect(parsed).toHaveLength(48);
  });

  it('finds in the events of a line what a subscriber asks for by the keys that are not empty', async () => {
    const broker = new EventBroker({ topics: nomadTopics });
    const subscription = await broker.subscribe({ topics: ['HostVolume:hv1'], namespace: '*' });
    for (const line of lines) await broker.publish(nomadEvents.fromWire(line).events);
    const seen: string[] = [];
    for (let batch = subscription.poll(); batch; batch = subscription.poll()) {
      seen.push(...batch.events.map(({ type, key }) => `${type} ${key}`));
    }
    const id = 'e4571ce2-4c54-9d5d-1061-147657afe3d7';
    expect(new Set(seen)).toEqual(
      new Set([`HostVolumeRegistered ${id}`, `NodeRegistration ${id}`, 'HostVolumeDeleted ']),
    );
  });

  it.each([['{}'], ['{"Index":7}'], [{}], ['{"Index":7,"Events":null}']])('takes %j for a heartbeat', (line) => {
    expect(nomadEvents.fromWire(line)).toEqual({ index: undefined, events: [] });
  });

  it('empties credentials, as the constructors do', () => {
    const ACLToken = { AccessorID: 'a', SecretID: 'hunter2' };
    const Allocation = { ID: 'a', Job: { ID: 'web' }, SignedIdentities: { web: 'hunter2' } };
    const Events = [
      { Topic: 'ACLToken', Type: 'ACLTokenUpserted', Key: 'a', Payload: { ACLToken } },
      { Topic: 'Allocation', Type: 'PlanResult', Key: 'a', Payload: { Allocation, Timeout: true } },
      { Topic: 'Unheard', Type: 'Of', Key: 'a', Payload: { Thing: { SecretID: 'hunter2' } } },
    ];
    const { events } = nomadEvents.fromWire({ Index: 7, Events });
    expect(events.map(({ payload }: NewEvent) => payload)).toEqual([
      { ACLToken: { AccessorID: 'a', SecretID: '' } },
      { Allocation: { ID: 'a', Job: null, SignedIdentities: null }, Timeout: true },
      { Thing: { SecretID: '' } },
    ]);
  });

  it.each([
    ['event dropped from buffer', 'a line must be a JSON object; got "event dropped from buffer".'],
    ['[]', 'a line must be a JSON object; got an array.'],
    ['{"Index":7,"Events":{}}', 'Events must be an array; got a value of type object.'],
    ['{"Index":"7","Events":[]}', 'Index must be a whole number; got "7".'],
    ['{"Index":7,"Events":[null]}', 'Events[0] must be an object; got null.'],
  ])('says what is wrong with %s', (line, message) => {
    expect(() => nomadEvents.fromWire(line)).toThrow(
      expect.objectContaining({ code: 'bad_request', message: expect.stringContaining(message) as string }),
    );
  });
});
