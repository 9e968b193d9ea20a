import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { decodeRecord as tryDecode, encodeRecord } from '../../../src/core/log/batch-record.ts';
import { snapshot } from '../../../src/core/batch/payload-copy.ts';
import { defineTopics, openTopics, type Topics } from '../../../src/model/topics.ts';
import { encodedEvent } from '../event-fixtures.ts';

const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.constantFrom('ü', '𝄞', '\ud800', '\n', '"', '\u2028'),
);
const checkedEvent = fc.record({
  meta: fc.record({
    topic: text,
    type: text,
    key: text,
    namespace: text,
    filterKeys: fc.array(text, { maxLength: 3 }),
  }),
  source: fc.jsonValue().map((value) => snapshot(value, 'event')),
});
const refs = fc.array(
  fc.string().map((name) => `policy:${name}` as const),
  { maxLength: 3 },
);

/** What this version wrote, it reads. */
const decodeRecord = (...given: Parameters<typeof tryDecode>) => {
  const decoded = tryDecode(...given);
  if (decoded === undefined) throw new Error('It is not read.');
  return decoded;
};

const recordOf = (body: Uint8Array, index = 1) => ({ index, kind: 'events' as const, time: 0, body });

describe('a record', () => {
  it('comes back as it was written, to the byte', () => {
    fc.assert(
      fc.property(fc.array(checkedEvent, { maxLength: 4 }), refs, (events, changed) => {
        const encoded = events.map(({ meta, source }) => new EncodedEvent(meta, [meta.topic], source));
        const { batch, refs: read } = decodeRecord(recordOf(encodeRecord(encoded, changed), 5), openTopics);
        expect(read).toEqual(changed);
        expect(batch.index).toBe(5);
        expect(batch.events.map(({ event }) => event)).toEqual(
          events.map(({ meta, source }) => ({ ...meta, index: 5, payload: source.payload })),
        );
        expect(batch.events.map(({ event }) => JSON.stringify(event.payload))).toEqual(
          events.map(({ source }) => JSON.stringify(source.payload)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('is read from a slice of a larger buffer', () => {
    const body = encodeRecord([encodedEvent({}, 1, 'ü')], []);
    const large = new Uint8Array(body.length + 20);
    large.set(body, 10);
    const { batch } = decodeRecord(recordOf(large.subarray(10, 10 + body.length)), openTopics);
    expect(batch.events[0]?.event.payload).toBe('ü');
  });

  it('finds the aliases of its events again', () => {
    const topics = defineTopics({ Node: {}, NodeDrain: { aliasOf: 'Node', types: ['NodeDrain'] } });
    const body = encodeRecord([encodedEvent({ topic: 'Node', type: 'NodeDrain' })], []);
    expect(decodeRecord(recordOf(body), topics as unknown as Topics).batch.events[0]?.names).toEqual([
      'Node',
      'NodeDrain',
    ]);
  });

  it.each(['', 'no json\n', '{"v":2,"events":[]}\n', '{"v":1}\n', '{"v":1,"events":{}}\n', 'null\n'])(
    'is not read when this version did not write it: %j',
    (body) => expect(tryDecode(recordOf(Buffer.from(body)), openTopics)).toBeUndefined(),
  );
});
