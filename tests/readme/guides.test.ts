import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderScenario } from '../bench/report.mjs';
import { summary } from '../bench/scenarios/logs.mjs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
// The formatter pads tables.
const plain = (text: string): string => text.replaceAll(/[ -]+/g, ' ').trim();

describe('the guide about rights', () => {
  const guide = read('docs/rights.md');

  it('has the figures as the benchmark’s result file tells them', () => {
    const results = JSON.parse(read('tests/bench/results/latest.json')) as Record<string, never>;
    const [, shown = ''] = /<!-- rights:start -->([\s\S]*?)<!-- rights:end -->/.exec(guide) ?? [];
    expect(plain(shown)).toBe(plain(renderScenario('rights', results['rights'] as never).replace(/^#### .*$/m, '')));
  });

  it('leads to files that are there', () => {
    const links = [...guide.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(() => read(`docs/${link}`)).not.toThrow();
  });
});

describe('the guide about logs', () => {
  it('has the figures as the benchmark’s result file tells them', () => {
    const { logs } = JSON.parse(read('tests/bench/results/latest.json')) as { logs: { rows: readonly object[] } };
    const [, shown = ''] = /<!-- logs:start -->([\s\S]*?)<!-- logs:end -->/.exec(read('docs/logs.md')) ?? [];
    expect(plain(shown)).toBe(plain(summary(logs.rows)));
  });

  it('leads to files that are there', () => {
    const links = [...read('docs/logs.md').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(() => read(`docs/${link}`)).not.toThrow();
  });
});

describe('the figures of the state', () => {
  it('are as the benchmark’s result file tells them', () => {
    const results = JSON.parse(read('tests/bench/results/latest.json')) as Record<string, never>;
    const [, shown = ''] = /<!-- state:start -->([\s\S]*?)<!-- state:end -->/.exec(read('docs/state-figures.md')) ?? [];
    expect(plain(shown)).toBe(plain(renderScenario('state', results['state'] as never).replace(/^#### .*$/m, '')));
  });
});
