// node tests/bench/report.mjs [--file results/latest.json]
//
// Prints the benchmark's results as BENCHMARKS.md shows them between <!-- bench:start --> and <!-- bench:end -->.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readArguments } from './lib/arguments.mjs';
import { scenarios } from './scenarios/index.mjs';

const latest = fileURLToPath(new URL('results/latest.json', import.meta.url));

/** The markdown of a result file, without the markers. */
export function renderReport(file = latest) {
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const parts = Object.keys(scenarios)
    .filter((name) => name in results)
    .map((name) => renderScenario(name, results[name]));
  return [explanation, ...parts].join('\n\n');
}

const explanation =
  'Medians, with half of the range beside them. Ratios are taken within one round of one run; contenders take turns; server and clients have a core each.';

export function renderScenario(name, { at, isQuick, rounds, machine, rows }) {
  const { title, report } = scenarios[name];
  const conditions = [
    at.slice(0, 10),
    `node ${machine.node}`,
    `${machine.cores} × ${machine.cpu}`,
    `${rounds} rounds${isQuick ? ' (quick)' : ''}`,
  ];
  return [`## ${title}`, ...report(rows), `<sub>${conditions.join(', ')}</sub>`].join('\n\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(renderReport(readArguments({ file: latest }).file));
