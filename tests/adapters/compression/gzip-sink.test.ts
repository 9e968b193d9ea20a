import { createHash } from 'node:crypto';
import { constants, crc32, createGzip, deflateRawSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { GzipSink } from '../../../src/adapters/compression/gzip-sink.ts';
import { SharedGzip } from '../../../src/adapters/compression/shared-gzip.ts';
import type { ByteSink } from '../../../src/core/delivery/byte-sink.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const line = (i: number, fill = 40) =>
  encode(`{"Index":${i},"Payload":{"name":"order ${i}","text":"${'lorem '.repeat(fill)}"}}\n`);

/** Keeps all that it is written. */
class Kept implements ByteSink {
  readonly pieces: Uint8Array[] = [];
  write(piece: Uint8Array): boolean {
    this.pieces.push(piece);
    return true;
  }
  end(last?: Uint8Array): void {
    if (last) this.pieces.push(last);
  }
  get bytes(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }
}

/** One connection, and what it must decode to. */
class Connection {
  readonly kept = new Kept();
  readonly sink: GzipSink;
  readonly #texts: Uint8Array[] = [];

  constructor(gzip: SharedGzip) {
    this.sink = new GzipSink(this.kept, gzip);
  }

  write(text: Uint8Array, sharers?: object): void {
    this.#texts.push(text);
    this.sink.write(text, sharers);
  }

  /** What a peer can read now: a piece is decoded when it comes, and not when the next one does. */
  readSoFar(): string {
    return gunzipSync(Buffer.concat(this.kept.pieces), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  }

  end(last?: Uint8Array): void {
    if (last) this.#texts.push(last);
    this.sink.end(last);
  }

  /** What it was written. */
  get text(): string {
    return Buffer.concat(this.#texts).toString();
  }
}

/** Looks before it ends and after: that checks the length and the checksum in the trailer, too. */
function endWhole(connection: Connection, last?: Uint8Array): void {
  if (connection.kept.pieces.length > 0) expect(connection.readSoFar()).toBe(connection.text);
  connection.end(last);
  expect(gunzipSync(Buffer.concat(connection.kept.pieces)).toString()).toBe(connection.text);
}

/** What each connection does without us: it compresses for itself, and flushes after each write. */
class OwnGzip {
  readonly #gzip = createGzip();
  bytes = 0;

  constructor() {
    this.#gzip.on('data', ({ length }: Buffer) => (this.bytes += length));
  }

  async write(text: Uint8Array): Promise<void> {
    this.#gzip.write(text);
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
  }
}

/** About 340 bytes, of which a part is another each time. */
function order(i: number): Uint8Array {
  const Payload = {
    id: `order-${i % 97}`,
    status: ['open', 'paid', 'sent'][i % 3],
    total: (i * 7919) % 10_000,
    customer: Math.abs(Math.sin(i)).toString(36).slice(2),
    note: 'Please leave it at the door.',
  };
  const event = {
    Topic: 'Order',
    Type: 'OrderPlaced',
    Key: Payload.id,
    Namespace: 'acme',
    FilterKeys: [],
    Index: i,
    Payload,
  };
  return encode(`${JSON.stringify({ Index: i, Events: [event] })}\n`);
}

/** Counts how often something is compressed. */
function countingZlib() {
  const counted = { compressions: 0 };
  const zlib = {
    constants,
    crc32,
    deflateRawSync: ((...args: Parameters<typeof deflateRawSync>) => {
      counted.compressions++;
      return deflateRawSync(...args);
    }) as typeof deflateRawSync,
  };
  return { counted, gzip: new SharedGzip(zlib, (bytes) => bytes) };
}

type Step =
  | { readonly do: 'open' }
  /** All that are in step but for those left out, as slow ones are, are written a text. */
  | { readonly do: 'share'; readonly interest: number; readonly length: number; readonly without: number }
  /** One is written a text of its own; everybody, the same short one. */
  | { readonly do: 'own'; readonly of: number; readonly length: number }
  | { readonly do: 'beat'; readonly without: number }
  | { readonly do: 'end'; readonly of: number; readonly hasLast: boolean };

const length = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(99, 100, 6143, 6144, 6145, 70_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('share' as const), interest: fc.nat(1), length, without: fc.nat(7) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('own' as const), of: fc.nat(5), length }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('beat' as const), without: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), of: fc.nat(5), hasLast: fc.boolean() }) },
);

const PIECE = 64;

/** Text that has nothing in common with the other pieces. */
const piece = (n: number): string => createHash('sha256').update(String(n)).digest('hex').slice(0, PIECE);

describe('a compressed stream', () => {
  it('decodes to what it was written, piece by piece and with its trailer, whatever others are written', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const { gzip } = countingZlib();
        const interests = [{}, {}];
        const open: Connection[] = [];
        let count = 0;
        const text = (size: number) => {
          // The same few pieces again and again, far apart: each is referred back to where it stood last.
          const pieces = Array.from({ length: Math.ceil(size / PIECE) }, (_, i) => piece((count * 7 + i * 3) % 11));
          return encode(`${count++};${pieces.join('')}`.slice(0, size));
        };
        for (const one of steps) {
          const at = 'of' in one ? one.of % Math.max(1, open.length) : 0;
          if (one.do === 'open') open.push(new Connection(gzip));
          else if (one.do === 'share') {
            const shared = text(one.length);
            for (const [i, connection] of open.entries())
              if (i % 2 === one.interest && i !== one.without) connection.write(shared, interests[one.interest]);
          } else if (one.do === 'beat') {
            const beat = `{"Index":${count++}}\n`;
            for (const [i, connection] of open.entries()) if (i !== one.without) connection.write(encode(beat));
          } else if (one.do === 'own') open[at]?.write(text(one.length));
          else {
            const [leaving] = open.splice(at, 1);
            if (leaving) endWhole(leaving, one.hasLast ? text(50) : undefined);
          }
        }
        for (const connection of open) endWhole(connection);
      }),
    );
  });

  it('is compressed once for all who are in step, and once more for those who came later', () => {
    const { gzip, counted } = countingZlib();
    const interest = {};
    const connections = Array.from({ length: 100 }, () => new Connection(gzip));
    for (let i = 0; i < 50; i++) {
      // One goes and one comes before each.
      endWhole(connections.shift() as Connection);
      connections.push(new Connection(gzip));
      const before = counted.compressions;
      const shared = line(i);
      for (const connection of connections) connection.write(shared, interest);
      expect(counted.compressions - before).toBeLessThanOrEqual(2);
    }
    for (const connection of connections) endWhole(connection);
  });

  it.each([
    { what: 'single lines', perFlush: 1 },
    { what: 'bursts', perFlush: 16 },
  ])('$what: is about as small as a stream that is compressed by itself, heartbeats and all', async ({ perFlush }) => {
    const { gzip } = countingZlib();
    const interest = {};
    const [one, other] = [new Connection(gzip), new Connection(gzip)];
    const own = new OwnGzip();
    for (let i = 0; i < 200; i++) {
      const shared = Buffer.concat(Array.from({ length: perFlush }, (_, n) => order(i * perFlush + n)));
      for (const connection of [one, other]) connection.write(shared, interest);
      await own.write(shared);
      if (i % 10 !== 0) continue;
      for (const connection of [one, other]) connection.write(encode(`{"Index":${i}}\n`));
      await own.write(encode(`{"Index":${i}}\n`));
    }
    expect(own.bytes / one.kept.bytes).toBeGreaterThan(0.95);
    endWhole(one);
    endWhole(other);
  });

  it('those who come when all others have left need one text for the next to be small', () => {
    const { gzip } = countingZlib();
    const interest = {};
    const before = new Connection(gzip);
    for (let i = 0; i < 100; i++) before.write(order(i), interest);
    endWhole(before);
    const [one, other] = [new Connection(gzip), new Connection(gzip)];
    const sizes = [100, 101, 102].map((i) => {
      const shared = order(i);
      const [size = 0] = [one, other].map((connection) => {
        const written = connection.kept.bytes;
        connection.write(shared, interest);
        return connection.kept.bytes - written;
      });
      return size / shared.length;
    });
    expect(sizes[0]).toBeGreaterThan(0.6);
    expect(sizes[2]).toBeLessThan(0.4);
    endWhole(one);
    endWhole(other);
  });

  it('says nothing where nothing was written, and is whole', () => {
    const { gzip } = countingZlib();
    endWhole(new Connection(gzip));
    endWhole(new Connection(gzip), encode('the end\n'));
  });

  it('passes on that its peer does not keep up, and what waits', () => {
    const { gzip } = countingZlib();
    const sink = new GzipSink({ write: () => false, end: () => 'ended', waitingBytes: 7 }, gzip);
    expect(sink.write(line(1))).toBe(false);
    expect(sink.waitingBytes).toBe(7);
    expect(sink.end()).toBe('ended');
  });
});
