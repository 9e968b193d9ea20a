import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents, read, root } from './documents.ts';

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

const withoutCode = (text: string): string => text.replaceAll(/^```[^]*?^```$/gm, '');
const anchorsOf = (document: string): readonly string[] =>
  [...withoutCode(read(document)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

/** Links within the project; those to the web are not followed. */
const linksOf = (document: string): readonly string[] =>
  [...withoutCode(read(document)).matchAll(/\]\((?!https?:)([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, picture]) => link ?? picture ?? '',
  );

describe('the documents', () => {
  it.each(documents)('%s leads to files and headings that are there', (document) => {
    const broken = linksOf(document).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      if (!existsSync(`${root}${target}`)) return true;
      return anchor !== undefined && statSync(`${root}${target}`).isFile() && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('can all be reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const document of reached)
      for (const link of linksOf(document)) {
        const target = join(dirname(document), link.split('#')[0] ?? '');
        if (documents.includes(target)) reached.add(target);
      }
    expect(documents.filter((document) => !reached.has(document))).toEqual([]);
  });
});
