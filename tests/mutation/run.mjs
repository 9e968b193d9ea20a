// `npm run mutation [-- --only text]`: changes the code in one place at a time and sees a test fail, part by part, and
// keeps what came of it in results/. `--only core/log` takes the parts whose folder holds the text. At the end
// docs/mutation.md is written anew, from all results that are kept. `--quick` leaves the properties out, which take
// most of the time; `--table` writes the page alone. Of a result that is kept, `--again` tries what was not killed and
// has no reason to live, and `--loaded` what runs when modules are loaded: for new tests of code that has not changed
// since. `--anew` tries all of some files, for code that has changed. `--file drain,closing` takes the files whose path
// holds one of these texts; `--near` runs the tests beside the code alone, which is where new ones mostly stand.
//
// Stryker's instrumenter makes the mutants. They are run by mutant-runner.mjs and not by Stryker: that loads all tests
// anew for each mutant, which takes seconds; this takes about the time of one test.
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from '../tooling/entries.mjs';
import { instrument } from './instrument.mjs';
import { killLoaded } from './loaded.mjs';
import { MutantFiles } from './mutant-files.mjs';
import { parts } from './parts.mjs';
import { reasonFor } from './reasons.mjs';
import { summaryOf, withFiles, withFound } from './summary.mjs';
import { writeTable } from './table.mjs';

/** A mutant that runs for so long without giving the event loop a turn hangs: vitest cannot end it. */
const MAX_HANG_MS = 60_000;
const LOOK_MS = 5000;
/** A process that was ended leaves tests undone: they are done in the next round. */
const MAX_ROUNDS = 12;

const copied = ['src', 'tests', 'examples', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.mjs', 'README.md'];
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    table: { type: 'boolean' },
    quick: { type: 'boolean' },
    loaded: { type: 'boolean' },
    again: { type: 'boolean' },
    anew: { type: 'boolean' },
    near: { type: 'boolean' },
    file: { type: 'string', default: '' },
  },
});
const chosen = values.table ? [] : parts.filter(({ name }) => `src/${name}`.includes(values.only));
if (chosen.length === 0 && !values.table) {
  console.error(`No part is named by ${values.only}; known: ${parts.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const results = join(root, 'tests/mutation/results');
mkdirSync(results, { recursive: true });
const way = values.anew ? tryAnew : values.again || values.loaded ? tryAgain : mutate;
for (const part of chosen) await withMutants(part.name, (made) => way(part, made));
writeTable();

/** With a copy of the project into whose sources the mutants are written. */
async function withMutants(name, use) {
  const copy = mkdtempSync(join(tmpdir(), 'fenceline-mutants-'));
  try {
    for (const one of copied) cpSync(join(root, one), join(copy, one), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    shortenProperties(copy);
    await use({ copy, mutants: await instrument(copy, `src/${name}`) });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function mutate(part, { copy, mutants }) {
  const started = performance.now();
  const files = new MutantFiles(join(copy, 'mutants'));
  await tryOn(part, copy, mutants, files);
  const seconds = Math.round((performance.now() - started) / 1000);
  keep(summaryOf({ name: part.name, seconds, isQuick: values.quick === true }, mutants, files));
}

/** Those that are not killed yet, by the tests; what no test executes once it is loaded, from the start. */
async function tryOn({ name, tests }, copy, mutants, files) {
  const asked = values.near ? [`tests/${name}/**/*.test.ts`] : tests;
  const chosenTests = asked.filter((test) => !values.quick || !test.includes('/properties/'));
  if (!values.loaded) await tryAll(copy, join(copy, 'mutants'), { tests: chosenTests, nearest: `tests/${name}` });
  const untried = mutants.filter(({ id, isIgnored }) => !isIgnored && !files.isKilled(id) && files.tries(id) === 0);
  for (const { id } of await killLoaded(untried, copy)) files.kill(id, 'failed');
}

/** For a result that is kept: those that were not killed; with `--loaded`, those that no test executes. */
async function tryAgain(part, { copy, mutants }) {
  const summary = JSON.parse(readFileSync(pathOf(part.name), 'utf8'));
  const isAsked = (one) =>
    isOfFiles(one) && (values.loaded ? one.outcome === 'unreached' : reasonFor(one) === undefined);
  const left = new Set(summary.survivors.filter(isAsked).map(nameOf));
  const [asked, others] = [true, false].map((isLeft) =>
    mutants.filter((mutant) => left.has(nameOf(mutant)) === isLeft),
  );
  const files = await tryOnly(part, copy, asked, others);
  const killed = asked.filter(({ id }) => files.isKilled(id));
  const found = [
    ...killed.map((mutant) => [nameOf(mutant), files.isTimedOut(mutant.id) ? 'timedOut' : 'killed']),
    // What is ignored may have changed since.
    ...asked.filter(({ isIgnored }) => isIgnored).map((mutant) => [nameOf(mutant), 'ignored']),
  ];
  keep(withFound(summary, new Map(found), nameOf));
}

/** For a result that is kept: all mutants of some files. */
async function tryAnew(part, { copy, mutants }) {
  const summary = JSON.parse(readFileSync(pathOf(part.name), 'utf8'));
  const [asked, others] = [true, false].map((isAsked) => mutants.filter((one) => isOfFiles(one) === isAsked));
  const files = await tryOnly(part, copy, asked, others);
  keep(withFiles(summary, summaryOf({}, asked, files)));
}

function isOfFiles({ file }) {
  return values.file.split(',').some((text) => file.includes(text));
}

async function tryOnly(part, copy, asked, others) {
  const files = new MutantFiles(join(copy, 'mutants'));
  for (const { id } of others) files.kill(id, 'before');
  await tryOn(part, copy, asked, files);
  return files;
}

function nameOf({ file, line, column, to }) {
  return `${file}:${line}:${column} ${to}`;
}

function keep(summary) {
  writeFileSync(pathOf(summary.name), `${JSON.stringify(summary, undefined, 2)}\n`);
  console.log(`${summary.name}: ${JSON.stringify(summary.counts)}, ${summary.seconds} s`);
}

function pathOf(name) {
  return join(results, `${name.replaceAll('/', '-')}.json`);
}

/** A property is tried with few histories, since it is tried with each mutant. */
function shortenProperties(copy) {
  const text = 'export const histories = () => ({ numRuns: 5 });\nexport const patienceMs = 8000;\n';
  writeFileSync(join(copy, 'tests/properties/histories.ts'), text);
}

async function tryAll(copy, folder, plan) {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const before = readdirSync(join(folder, 'killed')).length;
    const hung = await runTests(copy, folder, plan);
    const killed = readdirSync(join(folder, 'killed')).length;
    console.log(`round ${round}: ${killed - before} killed, ${hung} of them since their process hung or ended`);
    if (hung === 0) return;
  }
}

async function runTests(copy, folder, plan) {
  const env = { ...process.env, MUTATION_PLAN: JSON.stringify(plan), MUTATION_FOLDER: folder };
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'tests/mutation/vitest.config.mjs', '--root', '.'];
  const child = spawn(process.execPath, args, { cwd: copy, env, stdio: 'ignore' });
  let hung = 0;
  let [lookedAt, awakeSince] = [Date.now(), 0];
  const watch = setInterval(() => {
    // After the machine slept, all seem to have hung.
    if (Date.now() - lookedAt > 4 * LOOK_MS) awakeSince = Date.now();
    lookedAt = Date.now();
    hung += endHung(folder, awakeSince);
  }, LOOK_MS);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  // A mutant that ended its process has left its file.
  return hung + endHung(folder, 0, true);
}

function endHung(folder, awakeSince, isOver = false) {
  let hung = 0;
  for (const pid of readdirSync(join(folder, 'trying'))) {
    const path = join(folder, 'trying', pid);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (since === undefined || (!isOver && Date.now() - Math.max(since, awakeSince) < MAX_HANG_MS)) continue;
    writeFileSync(join(folder, 'killed', readFileSync(path, 'utf8')), 'hung');
    rmSync(path, { force: true });
    if (!isOver) process.kill(Number(pid), 'SIGKILL');
    hung += 1;
  }
  return hung;
}
