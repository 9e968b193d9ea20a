import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/model/errors.ts';
import { renderReport } from '../bench/report.mjs';
import { topicTable } from './topic-table.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('has the table of topics as the code makes it', () => {
    expect(readme).toContain(topicTable());
  });

  it('has a heading for every error code, and for no other', () => {
    const headings = [...readme.matchAll(/^#### `(\w+)`$/gm)].map(([, code]) => code);
    expect(headings.toSorted()).toEqual(Object.keys(errorCodes).toSorted());
  });

  it('tells status and advice of every code as they are', () => {
    for (const [code, { status, retry }] of Object.entries(errorCodes)) {
      expect(readme).toContain(`#### \`${code}\`\n\n${status}, \`${retry}\`.`);
    }
  });

  it('has the benchmark as its result file tells it, every figure', () => {
    // The formatter pads tables.
    const plain = (text: string): string => text.replaceAll(/[ -]+/g, ' ');
    expect(plain(readme)).toContain(plain(renderReport().trim()));
  });
});
