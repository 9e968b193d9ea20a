import { describe, expect, it } from 'vitest';
import { read } from './documents.ts';

const words = [...read('docs/glossary.md').matchAll(/^\*\*(.+?)\.\*\* .{20}/gm)].map(([, word = '']) => word);

describe('the glossary', () => {
  it('says each word once, in the order of the alphabet', () => {
    expect(words).toEqual([...new Set(words)].toSorted());
  });

  it('has the words that the documents lean on', () => {
    const needed = ['Backlog', 'Batch', 'Buffer', 'Epoch', 'Fence', 'Gap', 'Index', 'Log', 'Position', 'State'];
    expect(words).toEqual(expect.arrayContaining(needed));
  });
});
