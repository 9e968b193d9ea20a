// The gate on coverage, over what the unit tests have left in coverage/: of all statements and all branches, and of
// each file's statements, so that a new file without tests does not hide behind the others. Files of which less can be
// reached stand in uncovered.mjs with the reason. A folder whose tests were skipped, since its engine is not installed
// here, is left out and named; with CI=true none is.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { root } from './entries.mjs';
import { uncovered, unreachable } from './uncovered.mjs';

const LEAST = { statements: 95, branches: 95 };
const LEAST_OF_A_FILE = 80;

/** Folders whose tests need an engine, and the least of their statements that these tests execute. */
const engines = ['src/logs/redis/', 'src/logs/jetstream/', 'src/logs/postgres/'];
const LEAST_WHERE_RUN = 60;

const path = join(root, 'coverage/coverage-final.json');
if (!existsSync(path)) {
  console.error('There is no coverage: the unit tests write it when all of them pass.');
  process.exit(1);
}
const report = JSON.parse(readFileSync(path, 'utf8'));
/** Entries of the list that stand for something. */
const used = new Set();
const all = Object.values(report).map(countsOf);
const skipped = process.env.CI === 'true' ? [] : engines.filter((folder) => !wasRun(folder));
for (const folder of skipped) console.log(`note: coverage without ${folder}, whose tests were skipped`);
const files = all.filter(({ name }) => skipped.every((folder) => !name.startsWith(folder)));
const faults = [...faultsOfAll(), ...files.flatMap(faultsOfFile), ...faultsOfList()];
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

function countsOf(file) {
  const name = relative(root, file.path).replaceAll('\\', '/');
  const listed = unreachable.filter((one) => `src/${one.file}` === name);
  const lines = listed.length > 0 ? readFileSync(file.path, 'utf8').split('\n') : [];
  const branches = Object.entries(file.b).flatMap(([id, counts]) =>
    counts.filter((count, i) => count > 0 || !isListed(lineOf(file.branchMap[id], i), lines, listed)),
  );
  return { name, statements: hits(Object.values(file.s)), branches: hits(branches) };
}

function lineOf({ locations, loc }, i) {
  return locations[i]?.start?.line ?? loc.start.line;
}

function isListed(line, lines, listed) {
  const found = listed.filter((one) => lines[line - 1]?.includes(one.line));
  for (const one of found) used.add(one);
  return found.length > 0;
}

function hits(counts) {
  return { all: counts.length, covered: counts.filter((count) => count > 0).length };
}

function percent({ all, covered }) {
  return all === 0 ? 100 : (100 * covered) / all;
}

function sumOf(kind, list) {
  const sum = { all: 0, covered: 0 };
  for (const { [kind]: counts } of list) {
    sum.all += counts.all;
    sum.covered += counts.covered;
  }
  return sum;
}

function wasRun(folder) {
  const own = all.filter(({ name }) => name.startsWith(folder));
  return percent(sumOf('statements', own)) >= LEAST_WHERE_RUN;
}

function faultsOfAll() {
  return Object.entries(LEAST).flatMap(([kind, least]) => {
    const sum = sumOf(kind, files);
    console.log(`note: coverage of ${kind}: ${percent(sum).toFixed(1)} % (${sum.covered} of ${sum.all})`);
    return percent(sum) < least
      ? [`Of the ${kind}, ${percent(sum).toFixed(2)} % are covered; at least ${least} % must be.`]
      : [];
  });
}

function faultsOfFile({ name, statements }) {
  if (name in uncovered || percent(statements) >= LEAST_OF_A_FILE) return [];
  const part = percent(statements).toFixed(1);
  return [`${name}: ${part} % of its statements are covered; test it, or say in tests/tooling/uncovered.mjs why not.`];
}

/** What is listed needs to be. */
function faultsOfList() {
  const list = 'tests/tooling/uncovered.mjs';
  const covered = files.filter(({ name, statements }) => name in uncovered && percent(statements) >= LEAST_OF_A_FILE);
  const unused = unreachable.filter((one) => !used.has(one) && files.some(({ name }) => name === `src/${one.file}`));
  return [
    ...covered.map(({ name }) => `${name} is covered: take it out of ${list}.`),
    ...unused.map(
      ({ file, line }) => `src/${file}: "${line}" has no branch that is not covered: take it out of ${list}.`,
    ),
  ];
}
