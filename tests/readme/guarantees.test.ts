import { describe, expect, it } from 'vitest';
import { read } from './documents.ts';

const section = /## What it guarantees\n([^]*?)\n## /.exec(read('README.md'))?.[1] ?? '';
/** A guarantee, and the tests that hold it: `[“name”](file)`. */
const guarantees = section
  .split(/^- (?=\*\*)/m)
  .slice(1)
  .map((text) => ({
    guarantee: /\*\*(.+?)\.\*\*/.exec(text)?.[1] ?? '',
    links: [...text.matchAll(/\[“([^”]+)”\]\(([^)]+)\)/g)].map(([, name = '', file = '']) => ({ name, file })),
  }));

describe('the guarantees of the README', () => {
  it('are six, and each leads to tests that hold it', () => {
    expect(guarantees.map(({ guarantee }) => guarantee)).toEqual([
      'Order',
      'No silent loss',
      'The fence',
      'Bounded memory',
      'Isolation',
      'Immutability',
    ]);
    for (const { guarantee, links } of guarantees)
      expect(`${guarantee}: ${links.length > 0}`).toBe(`${guarantee}: true`);
  });

  it.each(guarantees.flatMap(({ guarantee, links }) => links.map((link) => ({ guarantee, ...link }))))(
    '$guarantee: “$name” is a test of $file',
    ({ name, file }) => {
      expect(file).toMatch(/^tests\/.+\.test\.ts$/);
      // As the name of a test or a group of them, whichever quotes it has.
      expect(read(file)).toMatch(new RegExp(`\\b(?:it|describe)(?:\\.\\w+)?\\(\\s*(['"\`])${escaped(name)}\\1`));
    },
  );
});

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
