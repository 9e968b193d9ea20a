import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EncodedBatch } from '../../../src/core/batch/encoded-batch.ts';
import { EncodedEvent } from '../../../src/core/batch/encoded-event.ts';
import { deepFreeze } from '../../../src/core/batch/frozen.ts';
import { arrayBytes, textBytes } from '../../../src/core/batch/heap-size.ts';
import { snapshot } from '../../../src/core/batch/payload-copy.ts';
import { encodedBatch, meta, newEvent } from '../event-fixtures.ts';

const payload = { total: 1.5, name: 'of some length' };
const text = JSON.stringify(payload);
const valueBytes = deepFreeze({ ...payload });

const published = () => new EncodedEvent(meta(), ['Job'], snapshot(payload, 'event'));
const read = () => new EncodedEvent(meta(), ['Job'], { json: text, bytes: textBytes(text) });
const bare = newEvent({}, '').bytes - '""'.length;
const handedOut = 96;

describe('the memory that an event takes', () => {
  it('counts its key and its filter keys', () => {
    const longer = newEvent({ key: 'web'.repeat(10), filterKeys: ['a', 'bcd'] }, '').bytes - newEvent({}, '').bytes;
    expect(longer).toBe(27 + arrayBytes(2) + textBytes('a') + textBytes('bcd'));
    expect(bare).toBe(200 + 'web'.length);
  });

  it.each<[string, () => EncodedEvent]>([
    ['published here', published],
    ['read from a log', read],
  ])('is that of its forms, whichever were asked for, and in which order: %s', (kind, make) => {
    const of = (...order: readonly ('line' | 'event')[]) => {
      const event = make();
      new EncodedBatch(1, [event]);
      for (const form of [...order, ...order]) void event[form];
      return event.bytes - bare;
    };
    const event = make();
    new EncodedBatch(1, [event]);
    const line = textBytes(event.line);
    const source = kind === 'published here' ? valueBytes : textBytes(text);
    expect(of()).toBe(source);
    // The line takes the place of value or text.
    expect(of('line')).toBe(line);
    // What readers in process were handed keeps its value, beside the text.
    const decoded = valueBytes + handedOut;
    expect(of('event')).toBe(kind === 'published here' ? decoded : decoded + textBytes(text));
    expect(of('event', 'line')).toBe(decoded + line);
    expect(of('line', 'event')).toBe(decoded + line);
  });
});

describe('the memory that a batch takes', () => {
  it('is that of its events, with a place for each', () => {
    const [none, two] = [encodedBatch(1), new EncodedBatch(1, [])];
    expect(two.bytes).toBe(200);
    expect(none.bytes).toBe(200 + 24 + (none.events[0]?.bytes ?? 0));
  });

  type Step = 'line' | 'event' | 'keep' | 'keep elsewhere' | 'let go' | 'count out';
  const step = fc.constantFrom<Step>('line', 'event', 'keep', 'keep elsewhere', 'let go', 'count out');

  it('is in the books of who holds it, as it grows and until it is let go of', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.boolean(), (steps, isFromLog) => {
        const [event, other] = [isFromLog ? read() : published(), newEvent()];
        const batch = new EncodedBatch(1, [event, other]);
        const [held, kept, elsewhere] = [{ bytes: 1000 }, { bytes: 1000 }, { bytes: 1000 }];
        batch.countIn(held);
        let keeper: typeof kept | undefined;
        let [isHeld, atTheEnd] = [true, 0];
        const act: Record<Step, () => void> = {
          line: () => void event.line,
          event: () => void event.event,
          keep: () => event.keepIn((keeper = kept)),
          'keep elsewhere': () => event.keepIn((keeper = elsewhere)),
          'let go': () => (event.letGo(), (keeper = undefined)),
          'count out': () => {
            atTheEnd = isHeld ? batch.bytes : atTheEnd;
            batch.countOut();
            isHeld = false;
          },
        };
        for (const name of steps) {
          act[name]();
          // Past its end a batch is told of nothing: an event that is kept longer must not keep the others.
          expect(batch.bytes).toBe(isHeld ? 200 + 2 * 24 + event.bytes + other.bytes : atTheEnd);
          expect(held.bytes).toBe(isHeld ? 1000 + batch.bytes : 1000);
          for (const one of [kept, elsewhere]) expect(one.bytes).toBe(one === keeper ? 1000 + event.bytes : 1000);
        }
      }),
    );
  });
});
