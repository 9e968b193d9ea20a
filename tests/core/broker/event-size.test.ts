import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snapshot } from '../../../src/core/batch/payload-copy.ts';
import { checkEventSize } from '../../../src/core/broker/event-size.ts';
import type { EventMeta } from '../../../src/model/event.ts';

const unit = fc.constantFrom('grapheme', 'binary') as fc.Arbitrary<'grapheme' | 'binary'>;
const text = unit.chain((unit) => fc.string({ unit, maxLength: 80 }));
// Letters that JSON writes as six, alone and among others.
const hostile = fc.array(fc.constantFrom('\u0000', '\ud800', '"', 'a', '€'), { maxLength: 60 }).map((l) => l.join(''));
const leaf = fc.oneof(text, hostile, fc.double(), fc.integer(), fc.boolean(), fc.constant(null));
const { payload: payloads } = fc.letrec<{ payload: unknown }>((tie) => ({
  payload: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('payload'), { maxLength: 12 }),
    fc.dictionary(fc.oneof(text, hostile), tie('payload'), { maxKeys: 12 }),
  ),
}));
const metas: fc.Arbitrary<EventMeta> = fc.record({
  topic: text,
  type: text,
  key: hostile,
  namespace: text,
  filterKeys: fc.array(hostile, { maxLength: 4 }),
});

describe('the size of an event', () => {
  it('is that of its JSON and its names, whether or not the text had to be made to know it', () => {
    fc.assert(
      fc.property(payloads, metas, (payload, meta) => {
        const copied = snapshot(payload, 'event');
        const size = Buffer.byteLength(JSON.stringify(payload)) + bytesOf(meta);
        expect(() => checkEventSize(meta, copied, size, 'event')).not.toThrow();
        expect(() => checkEventSize(meta, copied, size - 1, 'event')).toThrow(`event takes ${size} bytes`);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, Partial<EventMeta>]>([
    ['topic', { topic: 'x'.repeat(1000) }],
    ['type', { type: 'x'.repeat(1000) }],
    ['key', { key: 'x'.repeat(1000) }],
    ['namespace', { namespace: 'x'.repeat(1000) }],
    ['filter keys', { filterKeys: ['x'.repeat(600), 'x'.repeat(400)] }],
  ])('is past its limit where its %s alone take more', (_, long) => {
    const meta = { topic: 't', type: 't', key: 'k', namespace: 'n', filterKeys: [], ...long };
    expect(() => checkEventSize(meta, snapshot(null, 'event'), 500, 'event')).toThrow(/^event takes 100\d bytes/);
  });
});

/** Half a pair is three bytes as long as its other half does not follow: each name for itself. */
const bytesOf = ({ topic, type, key, namespace, filterKeys }: EventMeta): number =>
  [topic, type, key, namespace, ...filterKeys].reduce((sum, name) => sum + Buffer.byteLength(name), 0);
