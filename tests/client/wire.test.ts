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

/** All of the line but the object that it was read from. */
const parse = (value: unknown) => {
  const { wire, ...line } = parseLine(JSON.stringify(value));
  expect(wire).toEqual(value);
  return line;
};

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a line of the wire', () => {
  it('gives the events that a subscriber in process gets', () => {
    const anyEvents = fc.array(fc.tuple(anyMeta, fc.jsonValue({ maxDepth: 3 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), anyEvents, (index, events) => {
        const encoded = events.map(
          ([meta, payload]) => new EncodedEvent(meta, [meta.topic], { json: JSON.stringify(payload), bytes: 1 }),
        );
        const whole = new EncodedBatch(index, encoded);
        expect(parseLine(whole.line)).toMatchObject({ batch: whole.batch, appended: 0 });
      }),
    );
  });

  it.each(Object.keys(errorCodes) as BrokerErrorCode[])('gives the error %s with its advice', (code) => {
    const wire = new BrokerError(code, 'why', { index: 812 }).toWire();
    const error = thrownBy(() => parse(wire));
    expect(StreamError.is(error)).toBe(true);
    expect(error).toMatchObject({ code, message: wire.Error.Message, index: 812, retry: errorCodes[code].retry });
    // Of a log, clients hear no more than that it is down.
    expect(wire.Error.Message === 'why').toBe(code !== 'log_unavailable');
  });

  it.each([
    [{}, {}],
    [{ Later: true }, {}],
    [{ Index: 812 }, { index: 812 }],
    [{ Index: 812, Later: 1 }, { index: 812 }],
    [
      { Index: 812, Epoch: 'e', HeartbeatMs: 0 },
      { index: 812, epoch: 'e', heartbeatMs: 0 },
    ],
    [{ Epoch: 7, HeartbeatMs: -1 }, {}],
    [
      { Index: 7, Events: [] },
      { batch: { index: 7, events: [] }, appended: 0 },
    ],
    [
      { Index: 7, Events: [], Appended: 2 },
      { batch: { index: 7, events: [] }, appended: 2 },
    ],
    [{ Gap: { From: 5, To: 20, Reason: 'trimmed' } }, { gap: { from: 5, to: 20, reason: 'trimmed' } }],
    [
      { Gap: { From: 5, To: 5, Reason: 'restarted', Epoch: 'e', Mark: 'm' } },
      { gap: { from: 5, to: 5, reason: 'restarted', epoch: 'e', mark: 'm' } },
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
    expect(parse(wire)).toEqual({ batch: { index: 7, events: [event] }, appended: 0 });
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
