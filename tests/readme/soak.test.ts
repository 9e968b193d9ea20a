import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failuresOf, renderMarkdown, renderSoakChart, type SoakResult } from '../soak/report.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
// The formatter pads tables.
const plain = (text: string): string => text.replaceAll(/[ -]+/g, ' ').trim();
const result = JSON.parse(read('tests/soak/result.json')) as SoakResult;

describe('the page about the soak', () => {
  it('has the figures as the result file tells them', () => {
    const [, shown = ''] = /<!-- soak:start -->([^]*?)<!-- soak:end -->/.exec(read('docs/soak.md')) ?? [];
    expect(plain(shown)).toBe(plain(renderMarkdown(result, 'soak.svg')));
  });

  it('has the chart that is drawn of them', () => {
    expect(read('docs/soak.svg')).toBe(renderSoakChart(result));
  });

  it('tells of half an hour at least, in which nothing was wrong', () => {
    expect(result.minutes.length).toBeGreaterThanOrEqual(30);
    expect(failuresOf(result)).toEqual([]);
  });
});
