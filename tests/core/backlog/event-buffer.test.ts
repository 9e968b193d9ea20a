import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppendedBatch, EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { checkBuffer, EventBuffer } from '../../../src/core/backlog/event-buffer.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { encodedBatch, meta, newEvent } from '../event-fixtures.ts';

const everything = { topics: ['*'], passesNamespace: () => true };

/** A batch of about so many bytes. */
function sized(index: number, letters: number): EncodedBatch {
  return new EncodedBatch(index, [newEvent({}, 'x'.repeat(letters))]);
}

/** The same bounds, as an array. */
class NaiveBuffer {
  batches: EncodedBatch[] = [];
  head = 0;
  trimmed = 0;
  readonly #maxBatches: number;
  readonly #maxBytes: number;

  constructor(maxBatches: number, maxBytes: number) {
    this.#maxBatches = maxBatches;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.batches.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  append(batch: EncodedBatch): void {
    this.batches.push(batch);
    this.head = batch.index;
    while (this.batches.length > 1 && (this.batches.length > this.#maxBatches || this.bytes > this.#maxBytes))
      this.trimmed = this.batches.shift()?.index ?? 0;
  }
}

const appends = fc.array(
  fc.record({ step: fc.integer({ min: 1, max: 3 }), letters: fc.integer({ min: 1, max: 400 }) }),
  {
    minLength: 1,
    maxLength: 60,
  },
);

describe('an event buffer', () => {
  it('holds what an array with the same bounds holds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 5000 }),
        appends,
        (maxBatches, maxBytes, list) => {
          const buffer = new EventBuffer({ maxBatches, maxBytes });
          const naive = new NaiveBuffer(maxBatches, maxBytes);
          for (const { step, letters } of list) {
            const batch = sized(naive.head + step, letters);
            buffer.append(batch);
            naive.append(batch);
            expect(buffer.length).toBe(naive.batches.length);
            expect(buffer.bytes).toBe(naive.bytes);
            expect(buffer.head).toBe(naive.head);
            expect(buffer.oldest).toBe(naive.batches[0]?.index);
            expect(buffer.first).toBe(naive.trimmed + 1);
            expect(buffer.lastTrimmedFor(everything)).toBe(naive.trimmed);
          }
          for (let index = 0; index <= naive.head + 1; index++) {
            const found: number[] = [];
            for (let at = buffer.ordinalOf(index); buffer.at(at) !== undefined; at++)
              found.push(buffer.at(at)?.index ?? 0);
            expect(found).toEqual(naive.batches.map((batch) => batch.index).filter((one) => one >= index));
          }
        },
      ),
    );
  });

  it('foretells exactly what an append trims', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5000 }),
        appends,
        (maxBatches, maxBytes, list) => {
          const buffer = new EventBuffer({ maxBatches, maxBytes });
          for (const { step, letters } of list) {
            const batch = sized(buffer.head + step, letters);
            const foretold = buffer.wouldTrimUpTo(batch.bytes);
            const before = buffer.first;
            buffer.append(batch);
            expect(foretold).toBe(buffer.first === before ? 0 : buffer.first - 1);
          }
        },
      ),
    );
  });

  it('keeps the newest batch whatever its size', () => {
    const buffer = new EventBuffer({ maxBytes: 10 });
    buffer.append(sized(1, 1000));
    expect(buffer.length).toBe(1);
    buffer.append(sized(2, 1000));
    expect([buffer.length, buffer.oldest]).toEqual([1, 2]);
  });

  it('is complete from `first` on, also before the first batch', () => {
    const buffer = new EventBuffer({ maxBatches: 2 });
    expect([buffer.first, buffer.head, buffer.oldest]).toEqual([1, 0, undefined]);
    buffer.append(encodedBatch(7));
    expect([buffer.first, buffer.oldest]).toEqual([1, 7]);
  });

  it('forgets everything on a restart, and goes on after the head that it is given', () => {
    const buffer = new EventBuffer({ maxBatches: 2 });
    for (const index of [1, 2, 3]) buffer.append(encodedBatch(index));
    buffer.restart(40, 'another');
    expect(buffer.epoch).toBe('another');
    expect([buffer.length, buffer.bytes, buffer.head, buffer.first, buffer.oldest]).toEqual([0, 0, 40, 41, undefined]);
    expect(buffer.lastTrimmedFor(everything)).toBe(0);
    buffer.append(encodedBatch(41));
    expect(buffer.at(buffer.ordinalOf(0))?.index).toBe(41);
  });

  it.each([{ maxBatches: 0 }, { maxBytes: -1 }, { maxBatches: 1.5 }, { maxTrimEntries: NaN }])(
    'refuses %j',
    (options) => {
      expect(() => new EventBuffer(options)).toThrow(TypeError);
      expect(() => new EventBuffer(options)).toThrow(Object.keys(options)[0]);
    },
  );
});

describe('the bytes of a buffer', () => {
  it('grow with what readers make of its batches, and go with them', () => {
    const buffer = new EventBuffer({ maxBatches: 2 });
    const [first, second, third] = [sized(1, 100), sized(2, 100), sized(3, 100)];
    for (const batch of [first, second]) buffer.append(batch);
    const unread = buffer.bytes;
    expect(second.batch.events).toHaveLength(1);
    expect(buffer.bytes).toBeGreaterThan(unread);
    buffer.append(third);
    expect(buffer.bytes).toBe(second.bytes + third.bytes);
    // It has left: what is made of it is no longer the buffer's.
    expect(first.line).toContain('"Index":1');
    expect(buffer.bytes).toBe(second.bytes + third.bytes);
  });

  it('trim with the next batch what grew past the bound', () => {
    const payload = Array.from({ length: 50 }, () => ({}));
    const json = JSON.stringify(payload);
    const parsed = (index: number) =>
      new EncodedBatch(index, [new EncodedEvent(meta(), ['Job'], { json, bytes: json.length })]);
    const buffer = new EventBuffer({ maxBytes: 6000 });
    for (let index = 1; index <= 4; index++) buffer.append(parsed(index));
    expect(buffer.length).toBe(4);
    for (let ordinal = 0; ordinal < 4; ordinal++) expect(buffer.at(ordinal)?.batch.index).toBe(ordinal + 1);
    expect(buffer.bytes).toBeGreaterThan(6000);
    buffer.append(parsed(5));
    expect(buffer.bytes).toBeLessThanOrEqual(6000);
  });
});

describe('the bounds of a buffer', () => {
  const bytesOf = sized(1, 100).bytes;

  it('are reached before anything is trimmed', () => {
    const buffer = new EventBuffer({ maxBytes: 2 * bytesOf });
    buffer.append(sized(1, 100));
    expect(buffer.wouldTrimUpTo(bytesOf)).toBe(0);
    buffer.append(sized(2, 100));
    expect([buffer.length, buffer.bytes, buffer.first]).toEqual([2, 2 * bytesOf, 1]);
    expect(buffer.wouldTrimUpTo(1)).toBe(1);
    expect(buffer.wouldTrimUpTo(bytesOf)).toBe(1);
    expect(buffer.wouldTrimUpTo(bytesOf + 1)).toBe(2);
    expect(buffer.wouldTrimUpTo(10 * bytesOf)).toBe(2);
  });

  it('take undefined for what is not given', () => {
    expect(new EventBuffer({ maxBatches: undefined, maxBytes: undefined } as never).length).toBe(0);
    expect(checkBuffer({ maxBatches: undefined, maxRemovals: 7 } as never)).toEqual({
      maxBatches: 4096,
      maxBytes: 67_108_864,
      maxTrimEntries: 4096,
      maxRetainedKeys: 100_000,
      maxRetainedBytes: 134_217_728,
      maxRemovals: 7,
    });
    for (const options of [{ maxBatches: 0 }, { maxBytes: -1 }, { maxRetainedKeys: 1.5 }, { maxBatchs: 1 }])
      expect(() => checkBuffer(options as never), JSON.stringify(options)).toThrow(TypeError);
  });

  it('are of what is appended in order, and of nothing else', () => {
    const buffer = new EventBuffer();
    buffer.append(sized(2, 1));
    for (const position of [1, 2]) expect(() => buffer.append(sized(position, 1))).toThrow('Invariant failed');
    buffer.append(sized(3, 1));
    expect([buffer.length, buffer.head]).toEqual([2, 3]);
  });
});

describe('batches that were appended to an index', () => {
  it('are counted, until an index follows', () => {
    const buffer = new EventBuffer();
    const list = [
      new EncodedBatch(5, [newEvent()]),
      new AppendedBatch(5, [newEvent()], 6, 1),
      new AppendedBatch(5, [newEvent()], 7, 2),
    ];
    const seen = list.map((batch) => {
      buffer.append(batch);
      return [buffer.head, buffer.latestIndex, buffer.appended];
    });
    expect(seen).toEqual([
      [5, 5, 0],
      [6, 5, 1],
      [7, 5, 2],
    ]);
    expect([5, 6, 7, 8].map((position) => buffer.indexAt(position))).toEqual([5, 5, 5, 6]);
    buffer.append(new EncodedBatch(6, [newEvent()], 8));
    expect([buffer.head, buffer.latestIndex, buffer.appended]).toEqual([8, 6, 0]);
  });
});

describe('a buffer that begins anew', () => {
  it('is of another run each time, with the epoch that it is given', () => {
    const buffer = new EventBuffer();
    const { epoch } = buffer;
    expect([buffer.epoch, buffer.run]).toEqual([epoch, 0]);
    buffer.append(sized(1, 1));
    buffer.restart(7, 'next');
    expect([buffer.run, buffer.epoch, buffer.head, buffer.latestIndex, buffer.first]).toEqual([1, 'next', 7, 7, 8]);
    expect([buffer.length, buffer.bytes, buffer.oldest, buffer.at(buffer.ordinalOf(1))]).toEqual([
      0,
      0,
      undefined,
      undefined,
    ]);
    expect(buffer.lastTrimmedFor({ topics: ['*'], passesNamespace: () => true })).toBe(0);
    buffer.restart(7, 'next');
    expect(buffer.run).toBe(2);
  });
});

describe('the place of a position in a buffer', () => {
  it('is that of the first batch from there on, with holes between the indexes and when some were trimmed', () => {
    const buffer = new EventBuffer({ maxBatches: 4 });
    const found = (position: number) => buffer.at(buffer.ordinalOf(position))?.position;
    for (const index of [1, 2, 3]) buffer.append(sized(index, 1));
    expect([0, 1, 2, 3, 4, 9].map(found)).toEqual([1, 1, 2, 3, undefined, undefined]);
    for (const index of [10, 11, 20]) buffer.append(sized(index, 1));
    expect([0, 1, 2, 3, 4, 10, 11, 12, 20, 21].map(found)).toEqual([3, 3, 3, 3, 10, 10, 11, 20, 20, undefined]);
    for (const index of [21, 22, 23]) buffer.append(sized(index, 1));
    expect([1, 19, 20, 21, 22, 23, 24].map(found)).toEqual([20, 20, 20, 21, 22, 23, undefined]);
  });
});
