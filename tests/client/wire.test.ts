import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamError } from '../../src/client/index.ts';
import { parseLine } from '../../src/client/wire.ts';
import { EncodedBatch } from '../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../src/core/batch/encoded-event.ts';
import { BrokerError, type BrokerErrorCode, errorCodes } from '../../src/model/errors.ts';

const text = fc.string({ minLength: 1, unit: 'grapheme' });
const anyMeta = fc.record({
  topic: text,
  type: text,
  key: text,
  namespace: fc.string({ unit: 'grapheme' }),
  filterKeys: fc.array(text, { maxLength: 3 }),
});

const parse = (value: unknown) => parseLine(JSON.stringify(value));

describe('a line of the wire', () => {
  it('gives the events that a subscriber in process gets', () => {
    const anyEvents = fc.array(fc.tuple(anyMeta, fc.jsonValue({ maxDepth: 3 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), anyEvents, (index, events) => {
        const encoded = events.map(
          ([meta, payload]) => new EncodedEvent(meta, [meta.topic], { json: JSON.stringify(payload), bytes: 1 }),
        );
        const whole = new EncodedBatch(index, encoded);
        expect(parseLine(whole.line)).toEqual({ kind: 'batch', ...whole.batch });
      }),
    );
  });

  it.each(Object.keys(errorCodes) as BrokerErrorCode[])('gives the error %s with its advice', (code) => {
    const wire = new BrokerError(code, 'why', { index: 812 }).toWire();
    const value = parse(wire);
    if (value.kind !== 'error') throw new Error(`read as ${value.kind}`);
    expect(StreamError.is(value.error)).toBe(true);
    expect(value.error).toMatchObject({ code, message: wire.Error.Message, index: 812, retry: errorCodes[code].retry });
    // Of a log, clients hear no more than that it is down.
    expect(wire.Error.Message === 'why').toBe(code !== 'log_unavailable');
  });

  it.each([
    [{}, { kind: 'heartbeat' }],
    [{ Later: true }, { kind: 'heartbeat' }],
    [{ Index: 812 }, { kind: 'bookmark', index: 812 }],
    [
      { Index: 812, Later: 1 },
      { kind: 'bookmark', index: 812 },
    ],
    [
      { Index: 7, Events: [] },
      { kind: 'batch', index: 7, events: [] },
    ],
    [{ Gap: { From: 5, To: 20, Reason: 'trimmed' } }, { kind: 'gap', gap: { from: 5, to: 20, reason: 'trimmed' } }],
    [
      { Gap: { From: 5, To: 5, Reason: 'restarted', Epoch: 'e' } },
      { kind: 'gap', gap: { from: 5, to: 5, reason: 'restarted', epoch: 'e' } },
    ],
  ])('%j is %j', (wire, value) => {
    expect(parse(wire)).toEqual(value);
  });

  it('reads the events of a real Nomad server, which leaves out what is empty', () => {
    const wire = {
      Index: 7,
      Events: [{ Topic: 'Node', Type: 'NodeStreamEvent', Key: 'n', Index: 7, Payload: { Node: {} } }],
    };
    const event = {
      topic: 'Node',
      type: 'NodeStreamEvent',
      key: 'n',
      namespace: '',
      filterKeys: [],
      index: 7,
      payload: { Node: {} },
    };
    expect(parse(wire)).toEqual({ kind: 'batch', index: 7, events: [event] });
  });

  it.each([
    '',
    'null',
    '7',
    '[]',
    '"text"',
    '<!doctype html>',
    '{"Index":7,"Events":[{"Top',
    '{"Index":-1}',
    '{"Index":1.5}',
    '{"Index":9007199254740993}',
    '{"Index":"7"}',
    '{"Events":[]}',
    '{"Index":7,"Events":[null]}',
    '{"Index":7,"Events":[{"Topic":"T"}]}',
    '{"Gap":{"From":5}}',
  ])('%s is malformed, which asking again may heal', (line) => {
    expect(() => parseLine(line)).toThrow(expect.objectContaining({ code: 'malformed', retry: 'resume' }));
  });
});
