/** The polynomial of CRC-32 as gzip has it (RFC 1952, section 8), its bits reflected. */
const POLYNOMIAL = 0xed_b8_83_20;

/** The factor 1: bits are reflected, so the lowest power stands at the top. */
const ONE = 0x80_00_00_00;

/** Product of two polynomials, modulo the one of CRC-32. */
function product(a: number, b: number): number {
  let sum = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return sum >>> 0;
}

/** What a checksum is to be multiplied with when 2ⁿ bytes follow, for n from 0 to 52. */
const byPower: number[] = [];

function factorOf(power: number): number {
  const known = byPower[power];
  if (known !== undefined) return known;
  // One byte: x⁸, so the ninth bit from the top. Each further one is the square of the one before.
  const half = power === 0 ? 0 : factorOf(power - 1);
  const factor = power === 0 ? ONE >>> 8 : product(half, half);
  byPower[power] = factor;
  return factor;
}

/**
 * CRC-32 is linear: that of two texts in a row is `shiftCrc(crc(first), second.length) ^ crc(second)`. So the checksum
 * of what one connection got follows from one that runs for all of them.
 *
 * Costs one multiplication (32 steps) for each bit that is set in `length`.
 * @param length of what follows, in bytes
 */
export function shiftCrc(crc: number, length: number): number {
  let shifted = crc;
  let left = length;
  for (let power = 0; left > 0; power++) {
    if (left % 2 === 1) shifted = product(factorOf(power), shifted);
    left = Math.floor(left / 2);
  }
  return shifted >>> 0;
}
