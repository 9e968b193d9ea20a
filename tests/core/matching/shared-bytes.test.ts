import { describe, expect, it } from 'vitest';

import { ndjsonFormat } from '../../../src/adapters/ndjson-format.ts';
import { sseFormat } from '../../../src/adapters/sse-format.ts';
import { SharedChunk } from '../../../src/core/matching/shared-chunk.ts';
import { SharedSlices } from '../../../src/core/matching/shared-slices.ts';
import { viewName } from '../../../src/core/matching/view-name.ts';
import { encodedBatch } from '../event-fixtures.ts';

const sse = sseFormat('e');
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

describe('a shared chunk', () => {
  it('is one object for those who read in one format, and each format has its own', () => {
    const [one, two] = [encodedBatch(1), encodedBatch(2)];
    const chunk = new SharedChunk([one, two], {});
    const lines = chunk.in(ndjsonFormat);
    expect(chunk.in(ndjsonFormat)).toBe(lines);
    expect(text(lines)).toBe(`${one.line}${two.line}`);
    expect(text(chunk.in(sse))).toBe(`id: e:1\ndata: ${one.line}\nid: e:2\ndata: ${two.line}\n`);
    expect(text(chunk.in(ndjsonFormat))).toBe(text(lines));
  });
});

describe('shared slices', () => {
  // Held here, since they are held weakly there.
  const bytes = Array.from({ length: 70 }, (_, i) => Uint8Array.of(i));
  const slice = (start: number, format = ndjsonFormat) => ({
    ...{ format, start, end: start + 1, floor: 0, head: 99, isFull: false },
    bytes: bytes[start] ?? new Uint8Array(0),
  });

  it('are found by their start, in their format', () => {
    const slices = new SharedSlices();
    slices.keep(slice(3));
    expect(slices.find(ndjsonFormat, 3)).toEqual(slice(3));
    expect(slices.find(sse, 3)).toBeUndefined();
    expect(slices.find(ndjsonFormat, 4)).toBeUndefined();
    slices.keep(slice(3, sse));
    expect(slices.find(ndjsonFormat, 3)).toEqual(slice(3));
    expect(slices.find(sse, 3)).toEqual(slice(3, sse));
  });

  it('are of four formats at most: readers of lines and of events share theirs beside each other', () => {
    const slices = new SharedSlices();
    const formats = [1, 2, 3, 4, 5].map((n) => sseFormat(`e${n}`));
    for (const format of formats.slice(0, 4)) slices.keep(slice(3, format));
    slices.keep(slice(3, formats[0]));
    slices.keep(slice(3, formats[4]));
    expect(formats.map((format) => slices.find(format, 3)?.format === format)).toEqual([true, false, true, true, true]);
  });

  it('are 64 at most: the one that was kept longest ago goes', () => {
    const slices = new SharedSlices();
    for (let start = 0; start < 64; start++) slices.keep(slice(start));
    expect(slices.find(ndjsonFormat, 0)).toBeDefined();
    slices.keep(slice(0));
    slices.keep(slice(64));
    expect([0, 1, 2].map((start) => slices.find(ndjsonFormat, start)?.start)).toEqual([0, undefined, 2]);
  });
});

describe('the name of a view', () => {
  it('is the same in every version: clients come back with it', () => {
    expect(['', 'a', 'b', 'default Job:*', '𝄞'].map(viewName)).toEqual([
      'wvjl67o803',
      '262p94epp1d',
      '2dic9ba9q67',
      '2a7lo68f8dl',
      '1f4owz640ur',
    ]);
  });
});
