import { describe, expect, it } from 'vitest';
import { renderReport, renderScenario } from '../bench/report.mjs';
import { summary } from '../bench/scenarios/logs.mjs';
import { generatedPart, read, withoutPadding } from './documents.ts';

const results = JSON.parse(read('tests/bench/results/latest.json')) as Record<string, never>;
const withoutTitle = (text: string): string => text.replace(/^## .*$/m, '');
const rendered: Readonly<Record<string, string>> = {
  bench: renderReport(),
  rights: withoutTitle(renderScenario('rights', results['rights'] as never)),
  hostile: withoutTitle(renderScenario('hostile', results['hostile'] as never)),
  logs: summary((results['logs'] as unknown as { rows: readonly object[] }).rows),
};

describe('the figures of the benchmark', () => {
  it.each([
    ['BENCHMARKS.md', 'bench'],
    ['docs/rights.md', 'rights'],
    ['docs/logs.md', 'logs'],
    ['SECURITY.md', 'hostile'],
  ])('stand in %s as its result file tells them', (document, name) => {
    expect(withoutPadding(generatedPart(document, name))).toBe(withoutPadding(rendered[name] ?? ''));
  });
});
