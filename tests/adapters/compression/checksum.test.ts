import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { shiftCrc } from '../../../src/adapters/compression/checksum.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

describe('the checksum of two texts in a row', () => {
  it('follows from those of both', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const joined = (shiftCrc(crc32(first), second.length) ^ crc32(second)) >>> 0;
        expect(joined).toBe(crc32(Buffer.concat([first, second])));
      }),
    );
  });

  it('at lengths beyond 32 bits too: shifted twice is shifted by the sum', () => {
    const length = fc.integer({ min: 0, max: 2 ** 40 });
    fc.assert(
      fc.property(fc.nat(), length, length, (crc, one, other) => {
        expect(shiftCrc(shiftCrc(crc, one), other)).toBe(shiftCrc(crc, one + other));
      }),
    );
  });
});
