import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/model/errors.ts';
import { read } from './documents.ts';

const page = read('docs/errors.md');

describe('the page about errors', () => {
  it('has a heading for every error code, and for no other', () => {
    const headings = [...page.matchAll(/^## `(\w+)`$/gm)].map(([, code]) => code);
    expect(headings.toSorted()).toEqual(Object.keys(errorCodes).toSorted());
  });

  it('tells status and advice of every code as they are', () => {
    for (const [code, { status, retry }] of Object.entries(errorCodes)) {
      expect(page).toContain(`## \`${code}\`\n\n${status}, \`${retry}\`.`);
    }
  });
});
