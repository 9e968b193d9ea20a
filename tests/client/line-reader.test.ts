import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineReader } from '../../src/client/line-reader.ts';

function readAll(chunks: readonly Uint8Array[], maxLineBytes = 1e6): string[] {
  const reader = lineReader(maxLineBytes);
  return chunks.flatMap((chunk) => [...reader.lines(Uint8Array.from(chunk))]);
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const anyLine = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((line) => !line.includes('\n'));

describe('a line reader', () => {
  it('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyLine), anyLine, fc.array(fc.nat()), (lines, unfinished, places) => {
        const bytes = encode([...lines, unfinished].join('\n'));
        expect(readAll(cut(bytes, places))).toEqual(lines);
      }),
    );
  });

  it('joins a letter whose bytes come one by one', () => {
    expect(readAll([...encode('ä€😀\n')].map((byte) => Uint8Array.of(byte)))).toEqual(['ä€😀']);
  });

  it('keeps an unfinished line to itself until its newline comes', () => {
    const reader = lineReader(100);
    expect([...reader.lines(encode('a\nbc'))]).toEqual(['a']);
    expect(reader.rest()).toBe('bc');
    expect([...reader.lines(encode('d\n\n'))]).toEqual(['bcd', '']);
    expect(reader.rest()).toBe('');
  });

  it('gives the lines before one that it refuses', () => {
    const lines = lineReader(3).lines(encode('a\nbcde\n'))[Symbol.iterator]();
    expect(lines.next().value).toBe('a');
    expect(() => lines.next()).toThrow(expect.objectContaining({ code: 'line_too_long' }));
  });

  it('accepts a line of exactly the maximum, cut anywhere, and no byte more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat()), (max, places) => {
        const line = 'x'.repeat(max);
        expect(readAll(cut(encode(`${line}\n${line}\n`), places), max)).toEqual([line, line]);
        expect(() => readAll(cut(encode(`${line}x\n`), places), max)).toThrow('maxLineBytes');
      }),
    );
  });

  it('refuses a line that is too long before its end has come', () => {
    const reader = lineReader(10);
    expect([...reader.lines(new Uint8Array(8).fill(65))]).toEqual([]);
    expect(() => [...reader.lines(new Uint8Array(3).fill(65))]).toThrow(
      expect.objectContaining({ code: 'line_too_long', retry: 'never' }),
    );
  });

  it('refuses what is not UTF-8 instead of guessing', () => {
    expect(() => readAll([Uint8Array.of(0xff, 10)])).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});
