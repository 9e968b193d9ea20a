import { describe, expect, it } from 'vitest';
import { AppendedBatch, EncodedBatch, UnreadableBatch } from '../../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { encodedBatch, encodedEvent, meta, newEvent } from '../event-fixtures.ts';

describe('an encoded event', () => {
  it('has its members in the order of the wire, and null for no filter keys', () => {
    const event = encodedEvent({ topic: 'Node', type: 'NodeRegistration', key: 'n1', namespace: '' }, 7, {
      Node: { ID: 'n1' },
    });
    expect(event.json).toBe(
      '{"Topic":"Node","Type":"NodeRegistration","Key":"n1","Namespace":"","FilterKeys":null,"Index":7,"Payload":{"Node":{"ID":"n1"}}}',
    );
  });

  it('lists filter keys, and escapes every text', () => {
    const event = encodedEvent({ key: 'say "hi"\n', filterKeys: ['a', '\u2028\\'] }, 3, 'ü');
    expect(event.json).toBe(
      '{"Topic":"Job","Type":"JobRegistered","Key":"say \\"hi\\"\\n","Namespace":"default","FilterKeys":["a","\u2028\\\\"],"Index":3,"Payload":"ü"}',
    );
    expect(event.json).not.toContain('\n');
  });

  it('reads its payload from JSON text once, deeply frozen', () => {
    const event = new EncodedEvent(meta(), ['Job'], { json: '{"a":{"b":[1]}}', bytes: 1 });
    expect(new EncodedBatch(1, [event]).events).toEqual([event]);
    const { payload } = event.event as { payload: { a: { b: number[] } } };
    expect(payload).toEqual({ a: { b: [1] } });
    expect(Object.isFrozen(payload.a.b)).toBe(true);
    expect(event.event).toBe(event.event);
    expect(event.json).toContain('"Payload":{"a":{"b":[1]}}');
  });

  it('is in process camelCase and frozen', () => {
    const { event } = encodedEvent({ filterKeys: Object.freeze(['k']) as string[] }, 4, null);
    expect(event).toEqual({
      topic: 'Job',
      type: 'JobRegistered',
      key: 'web',
      namespace: 'default',
      filterKeys: ['k'],
      index: 4,
      payload: null,
    });
    expect(Object.isFrozen(event)).toBe(true);
  });
});

describe('the payload of an encoded event', () => {
  const value = Object.freeze({ n: 1 });
  const text = '{"n":1}';

  it.each<[string, () => EncodedEvent]>([
    ['published here', () => new EncodedEvent(meta(), ['Job'], { payload: value, bytes: 1 })],
    ['read from a log', () => new EncodedEvent(meta(), ['Job'], { json: text, bytes: 1 })],
  ])('is the same, frozen, and one object once it was made, whatever was asked for before: %s', (_, make) => {
    for (const order of [[], ['line'], ['event'], ['line', 'event'], ['event', 'line']] as const) {
      const event = make();
      new EncodedBatch(1, [event]);
      for (const form of order) void event[form];
      expect(event.payload, order.join()).toEqual(value);
      expect(Object.isFrozen(event.payload)).toBe(true);
      expect(event.payloadJson).toBe(text);
      expect(event.event.payload).toEqual(value);
      expect(event.payload).toBe(event.event.payload);
      expect(event.line).toContain(`"Payload":${text}}`);
    }
  });

  it('is null where that was published', () => {
    const event = encodedEvent({}, 1, null);
    expect([event.payload, event.payloadJson, event.event.payload]).toEqual([null, 'null', null]);
    expect(event.line).toContain('"Payload":null}');
    expect([event.payload, event.payloadJson]).toEqual([null, 'null']);
  });
});

describe('an event', () => {
  it('is of one batch, and has no index before', () => {
    const event = newEvent();
    expect(() => event.index).toThrow('Invariant failed');
    expect(() => new EncodedBatch(1, [event, event])).toThrow('Invariant failed');
    expect(event.index).toBe(1);
  });
});

describe('a batch that cannot be read', () => {
  it('says so, and others do not', () => {
    expect([new UnreadableBatch(3).isUnreadable, encodedBatch(3).isUnreadable]).toEqual([true, false]);
  });
});

describe('an encoded batch', () => {
  it('is one line of all its events', () => {
    const batch = encodedBatch(9, { key: 'a' }, { key: 'b' });
    expect(batch.line).toBe(`{"Index":9,"Events":[${batch.events[0]?.json},${batch.events[1]?.json}]}\n`);
  });

  it('makes the line of each subset once, and only that subset', () => {
    const batch = encodedBatch(9, { key: 'a' }, { key: 'b' }, { key: 'c' });
    const part = batch.part([0, 2]);
    expect(batch.part([0, 2])).toBe(part);
    expect(batch.part([0, 1, 2])).toBe(batch);
    expect(part.line).toBe(`{"Index":9,"Events":[${batch.events[0]?.json},${batch.events[2]?.json}]}\n`);
    expect(part.batch.events.map(({ key }) => key)).toEqual(['a', 'c']);
    for (const positions of [[0], [0, 1], [1], [1, 2]]) {
      batch.part([0, 2]);
      expect(batch.part(positions).events).toEqual(positions.map((position) => batch.events[position]));
    }
  });

  it('says its number in each line, where it was appended to an index', () => {
    const batch = new AppendedBatch(9, [newEvent({ key: 'a' }), newEvent({ key: 'b' })], 12, 3);
    const [first, second] = batch.events.map(({ json }) => json);
    expect(batch).toMatchObject({ index: 9, position: 12, appended: 3 });
    expect(batch.line).toBe(`{"Index":9,"Events":[${first},${second}],"Appended":3}\n`);
    const part = batch.part([1]);
    expect(part).toMatchObject({ index: 9, position: 12 });
    expect(part.line).toBe(`{"Index":9,"Events":[${second}],"Appended":3}\n`);
    expect(encodedBatch(9).appended).toBe(0);
  });

  it('encodes each event once, whoever asks', () => {
    let encodings = 0;
    const payload = { toJSON: () => ++encodings };
    const event = new EncodedEvent(meta(), ['Job'], { payload, bytes: 1 });
    const batch = new EncodedBatch(1, [event, newEvent()]);
    for (const part of [batch, batch.part([0]), batch.part([0])]) for (let i = 0; i < 3; i++) void part.line;
    expect(encodings).toBe(1);
  });

  it('hands every reader the same frozen batch', () => {
    const batch = encodedBatch(9, { key: 'a' });
    expect(batch.batch).toBe(batch.part([0]).batch);
    expect(Object.isFrozen(batch.batch)).toBe(true);
    expect(Object.isFrozen(batch.batch.events)).toBe(true);
  });
});
