import { describe, expect, it } from 'vitest';
import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
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
    expect(batch.part([1])).not.toBe(part);
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
