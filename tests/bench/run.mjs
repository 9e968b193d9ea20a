// npm run bench -- [--only fanout,selective,…] [--case text] [--quick] [--rounds N] [--patience seconds] [--out file]
//
// Measures the built library (npm run build) against named peers, alternating, and writes results/latest.json;
// report.mjs makes BENCHMARKS.md of it. Servers and clients run in processes of their own, all on loopback.
// Scenarios that are not run keep their former results.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nats } from './contenders/http/index.mjs';
import { readArguments } from './lib/arguments.mjs';
import { setPatience } from './lib/calm.mjs';
import { describeMachine } from './lib/machine.mjs';
import { renderScenario } from './report.mjs';
import { scenarios } from './scenarios/index.mjs';

const options = readArguments({
  only: Object.keys(scenarios),
  case: '',
  quick: false,
  rounds: 0,
  patience: 10,
  out: fileURLToPath(new URL('results/latest.json', import.meta.url)),
});
const rounds = options.rounds || (options.quick ? 3 : 5);

setPatience(options.patience * 1e3);
requireBuild();
if (nats.length === 0) console.error('There is no nats-server on the PATH: it is left out.');
for (const name of options.only) await runScenario(name);
process.exit(0);

function requireBuild() {
  const entry = fileURLToPath(import.meta.resolve('fenceline'));
  if (existsSync(entry)) return;
  console.error(`${entry} is missing: npm run build comes first.`);
  process.exit(1);
}

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
