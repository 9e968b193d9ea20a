import { describe, expect, it } from 'vitest';
import { generatedPart, read, withoutPadding } from './documents.ts';
import { failuresOf, renderMarkdown, renderSoakChart, type SoakResult } from '../soak/report.ts';

const result = JSON.parse(read('tests/soak/result.json')) as SoakResult;

describe('the page about the soak', () => {
  it('has the figures as the result file tells them', () => {
    expect(withoutPadding(generatedPart('docs/soak.md', 'soak'))).toBe(
      withoutPadding(renderMarkdown(result, 'soak.svg')),
    );
  });

  it('has the chart that is drawn of them', () => {
    expect(read('docs/soak.svg')).toBe(renderSoakChart(result));
  });

  it('tells of half an hour at least, in which nothing was wrong', () => {
    expect(result.minutes.length).toBeGreaterThanOrEqual(30);
    expect(failuresOf(result)).toEqual([]);
  });
});
