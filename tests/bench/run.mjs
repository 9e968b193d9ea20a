// npm run bench -- [--only fanout,selective,…] [--case text] [--quick] [--rounds N] [--out file]
//
// Measures the built library (npm run build) against named peers, alternating, and writes results/latest.json; report.mjs makes the README's
// tables of it. Servers and clients run in processes of their own, all on loopback. Scenarios that are not run keep their former results.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArguments } from './lib/arguments.mjs';
import { describeMachine } from './lib/machine.mjs';
import { renderScenario } from './report.mjs';
import { scenarios } from './scenarios/index.mjs';

const options = readArguments({
  only: Object.keys(scenarios),
  case: '',
  quick: false,
  rounds: 0,
  out: fileURLToPath(new URL('results/latest.json', import.meta.url)),
});
const rounds = options.rounds || (options.quick ? 3 : 5);

for (const name of options.only) await runScenario(name);
process.exit(0);

async function runScenario(name) {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new TypeError(`no scenario ${name}; known: ${Object.keys(scenarios).join(', ')}`);
  const say = (text) => process.stderr.write(`${name}: ${text}\n`);
  const rows = await scenario.run({ isQuick: options.quick, rounds, say, only: options.case });
  const result = { at: new Date().toISOString(), isQuick: options.quick, rounds, machine: describeMachine(), rows };
  console.log(`\n${renderScenario(name, result)}\n`);
  keep(name, result);
}

function keep(name, result) {
  const results = existsSync(options.out) ? JSON.parse(readFileSync(options.out, 'utf8')) : {};
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify({ ...results, [name]: result }, undefined, 1)}\n`);
}
