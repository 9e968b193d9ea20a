// `npm test`: everything that is checked, in two lanes for two processors; `npm run test:fast`: what needs no engines,
// browsers, other processes or build. A failing test is printed at once, with its error; then one line for each step,
// with the notes in its output (`note: …`: what was skipped, what was measured by the way), and for those that fail the
// whole output. The counts of all tests are the last line. `npm test -- --only lint,unit` runs the steps that are
// named.
import { parseArgs, stripVTControlCharacters } from 'node:util';

import { closingLine, parseClosingLine } from './closing-line.mjs';
import { RunningStep } from './run-step.mjs';

const bin = (name) => `node_modules/.bin/${name}`;
const node = process.execPath;
const vitest = ['node_modules/vitest/vitest.mjs', 'run'];
const fastConfig = ['--config', 'tests/tooling/vitest.fast.config.mjs', '--root', '.'];

const style = [
  step('format', bin('oxfmt'), '--check'),
  step('columns', node, 'tests/tooling/line-length.mjs'),
  step('lint', bin('oxlint'), '--type-aware'),
  step('types', bin('tsc'), '-p', 'tsconfig.json'),
];
/** Steps of a lane run one after the other; the lanes run side by side. */
const wholeLanes = [
  [step('unit', node, ...vitest)],
  [
    ...style,
    step('build', node, 'tests/tooling/build.mjs'),
    step('api', node, 'tests/tooling/check-api.mjs'),
    step('package', node, 'tests/tooling/check-package.mjs'),
    step('bundlers', node, 'tests/tooling/check-bundlers.mjs', '--lane', 'quick'),
    step('guides', node, '--import', './tests/tooling/typescript.mjs', 'tests/readme/check-guides.ts'),
    step('size', node, 'tests/tooling/check-size.mjs'),
    step('tarball', node, 'tests/tooling/check-tarball.mjs'),
    { ...step('production', node, ...vitest, ...fastConfig), env: { NODE_ENV: 'production' } },
  ],
];
const fastLanes = [[step('fast', node, ...vitest, ...fastConfig)], style];

const { values } = parseArgs({ options: { only: { type: 'string' }, fast: { type: 'boolean' } } });
const lanes = values.fast ? fastLanes : wholeLanes;
const names = values.only?.split(',');
refuseUnknownNames();

const running = new Set();
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => endEarly(signal));
process.once('exit', () => running.forEach((one) => one.kill()));

await Promise.all(lanes.map(runLane));
close();

function step(name, command, ...args) {
  return { name, command, args };
}

function refuseUnknownNames() {
  const known = lanes.flat().map(({ name }) => name);
  const unknown = names?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length === 0) return;
  console.error(`Unknown step ${unknown.join(', ')}; known: ${known.join(', ')}.`);
  process.exit(2);
}

async function runLane(steps) {
  for (const one of steps) {
    if (names === undefined || names.includes(one.name)) report(await run(one));
  }
}

async function run(one) {
  const started = new RunningStep(one, (line) => console.log(line));
  running.add(started);
  const result = await started.ended;
  running.delete(started);
  return result;
}

function report(result) {
  count(result);
  const { name, code, output, seconds } = result;
  const tests = parseClosingLine(output);
  const detail = tests ? `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : '';
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s  ${detail}`);
  for (const line of new Set(stripVTControlCharacters(output).match(/^(?:note|failed): .+$/gm)))
    console.log(`     ${line}`);
  if (code !== 0) show(name, output);
}

function show(name, output) {
  console.log(`\n----- ${name} -----\n${output}\n-----\n`);
}

/** A step without tests of its own counts as one; so does one whose tests all passed and that failed all the same. */
function count({ code, output }) {
  const tests = parseClosingLine(output) ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 };
  counts.passed += tests.passed;
  counts.skipped += tests.skipped;
  counts.failed += Math.max(tests.failed, code === 0 ? 0 : 1);
}

/**
 * Ctrl-C and its like: the steps lead process groups of their own, so they are ended here, and what they said is shown.
 */
function endEarly(signal) {
  for (const one of running) {
    one.kill();
    show(`${one.name}, ended by ${signal}`, one.output);
    counts.failed += 1;
  }
  close();
  process.exit();
}

function close() {
  console.log(closingLine(counts));
  process.exitCode = counts.failed > 0 ? 1 : 0;
}
