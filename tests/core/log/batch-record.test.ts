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
    topic: text.filter((name) => name !== '*' && !name.includes(':')),
    type: text,
    key: text,
    namespace: text.filter((name) => name !== '*'),
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

describe('a body that this version would not have written', () => {
  const good = Buffer.from(
    encodeRecord([encodedEvent({}, 1, { a: 1 }), encodedEvent({ key: 'b' }, 1, 'ü')], []),
  ).toString();

  it.each([
    ['{"v":1,"events":[null]}\n'],
    ['{"v":1,"events":[null]}'],
    ['{"v":2,"events":[]}\n'],
    ['{"v":1}\n'],
    ['{"v":1,"events":{}}\n'],
    ['{"v":1,"events":[],"acl":[7]}\n'],
    ['{"v":1,"events":[],"acl":["user:a"]}\n'],
    ['{"v":1,"events":[],"acl":"policy:a"}\n'],
    ['{"v":1,"events":[["","t","k","",[],1]]}\n1'],
    ['{"v":1,"events":[["a:b","t","k","",[],1]]}\n1'],
    ['{"v":1,"events":[["T","t","k","*",[],1]]}\n1'],
    ['{"v":1,"events":[["T","t","k","",[""],1]]}\n1'],
    ['{"v":1,"events":[["T","t","k","",null,1]]}\n1'],
    ['{"v":1,"events":[["T","t","k","",[],-1]]}\n1'],
    ['{"v":1,"events":[["T","t","k","",[],1e9]]}\n1'],
    ['{"v":1,"events":[["T","t","k","",[],1]]}\n12'],
    ['{"v":1,"events":[["T","t","k","",[],1]]}\n{'],
    ['{"v":1,"events":[],"more":1}\n'],
    ['{"v":1,"events":[],"acl":[]}\n'],
    ['{"v":1,"events":[],"acl":["policy:p","user:a"]}\n'],
    ['{"v":1,"events":[],"acl":["a policy:p"]}\n'],
    ['{"v":1,"events":[],"acl":[["policy:p"]]}\n'],
    ['{"v":1,"events":[["T","t","k","",[],1],null]}\n1'],
    ['{"v":1,"events":[["T","t","k","",[],1,9]]}\n1'],
    ['{"v":1,"events":[["*","t","k","",[],1]]}\n1'],
    ['{"v":1,"events":[[7,"t","k","",[],1]]}\n1'],
    ['{"v":1,"events":[["T",7,"k","",[],1]]}\n1'],
    ['{"v":1,"events":[["T","t",7,"",[],1]]}\n1'],
    ['{"v":1,"events":[["T","t","k",7,[],1]]}\n1'],
    ['{"v":1,"events":[["T","t","k","",[7],1]]}\n1'],
    // Lengths that add up to the text, and are none.
    ['{"v":1,"events":[["T","t","k","",[],1.5],["T","t","k","",[],1.5]]}\n123'],
    ['{"v":1,"events":[["T","t","k","",[],-67],["T","t","k","",[],69]]}\n12'],
    // JSON, and more than one line of a stream.
    ['{"v":1,"events":[["T","t","k","",[],7]]}\n[\n"x"\n]'],
    ['{"v":1,"events":[["T","t","k","",[],4]]}\n[\r1]'],
    ['{"v":1,"events":[["T","t","k","",[],1],["T","t","k","",[],2]]}\n12\n'],
    // A header that would be its own payload.
    ['{"v":1,"events":[["T","t","k","",[],42]]} '],
    ['[]\n'],
    ['null\n'],
    ['\n'],
    [''],
  ])('%j is none of ours', (text) => {
    expect(tryDecode(recordOf(Buffer.from(text)), openTopics)).toBeUndefined();
  });

  it('is not one that names ACL objects, or holds the letter that stands for bytes which are no UTF-8', () => {
    const refs = ['policy:p', 'token:t', 'role:r'];
    const acl = Buffer.from(`{"v":1,"events":[],"acl":${JSON.stringify(refs)}}\n`);
    expect(tryDecode(recordOf(acl), openTopics)).toMatchObject({ refs, batch: { index: 1, events: [] } });
    const letter = Buffer.from('{"v":1,"events":[["T","t","k","",[],3]]}\n"\uFFFD"');
    expect(tryDecode(recordOf(letter), openTopics)?.batch.events[0]?.event.payload).toBe('\uFFFD');
    expect(tryDecode(recordOf(letter), openTopics)?.refs).toEqual([]);
  });

  it('is one that holds bytes which are no UTF-8', () => {
    const bytes = Buffer.from('{"v":1,"events":[["T","t","k","",[],3]]}\n"x"');
    expect(tryDecode(recordOf(bytes), openTopics)).toBeDefined();
    bytes[bytes.length - 2] = 0xff;
    expect(tryDecode(recordOf(bytes), openTopics)).toBeUndefined();
  });

  it('never throws, however it is damaged; and what is read says the same when it is written again', () => {
    const damage = fc.tuple(fc.nat(good.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        let body = Buffer.from(good);
        for (const [at, cut, put] of damages)
          body = Buffer.concat([body.subarray(0, at), put, body.subarray(at + cut)]);
        const decoded = tryDecode(recordOf(body), openTopics);
        if (decoded === undefined) return;
        const again = encodeRecord(decoded.batch.events, decoded.refs);
        const { batch, refs: read } = decodeRecord(recordOf(again), openTopics);
        expect(batch.events.map(({ event }) => event)).toEqual(decoded.batch.events.map(({ event }) => event));
        expect(read).toEqual(decoded.refs);
      }),
      { numRuns: 3000 },
    );
  });

  it('freezes all that readers are handed of one that is', () => {
    const { batch } = decodeRecord(
      recordOf(encodeRecord([encodedEvent({ filterKeys: ['k'] }, 1, { a: [1] })], [])),
      openTopics,
    );
    const [event] = batch.batch.events;
    for (const part of [batch.batch, batch.batch.events, event, event?.filterKeys, event?.payload])
      expect(Object.isFrozen(part)).toBe(true);
  });
});
