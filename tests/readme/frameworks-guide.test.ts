// The code of docs/frameworks.md stands in the apps that `npm run test:frameworks` builds, starts and drives.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const fileAt = (path: string): URL => new URL(`../../docs/${path}`, import.meta.url);
const guide = readFileSync(fileAt('frameworks.md'), 'utf8');
/** The formatter breaks lines elsewhere where code stands deeper. */
const plain = (code: string): string => code.replaceAll(/\s/g, '').replaceAll(/,(?=[)\]}]|$)/g, '');
const linksIn = (text: string): readonly string[] => [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path);

/** What a section shows, and the code that it leads to. */
const sections = guide
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.split('\n', 1)[0] ?? '',
    blocks: [...text.matchAll(/^```tsx?\n([^]*?)^```/gm)].map(([, code = '']) => code),
    files: linksIn(text).filter((path) => /\.(?:tsx?|svelte)$/.test(path)),
  }));
/** This one leads to no app: its lines stand beside the tests of the hooks. */
const filesOf = ({ title, files }: (typeof sections)[number]): readonly string[] =>
  title.startsWith('React: two hooks') ? ['../tests/react/guide.ts'] : files;

describe('the guide about frameworks', () => {
  it('has code in each section', () => {
    expect(sections.length).toBeGreaterThan(8);
    expect(sections.filter(({ blocks }) => blocks.length === 0)).toEqual([]);
  });

  it.each(sections)('$title: shows what stands in the files that it leads to', (section) => {
    const code = filesOf(section).map((path) => plain(readFileSync(fileAt(path), 'utf8')));
    expect(section.blocks.filter((block) => !code.some((text) => text.includes(plain(block))))).toEqual([]);
  });

  it('leads to files that are there', () => {
    expect(linksIn(guide).filter((path) => !existsSync(fileAt(path)))).toEqual([]);
  });
});
