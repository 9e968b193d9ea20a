// `npm test`: everything that is checked, in two lanes for two processors. One line for each step, with the notes in its output (`note: …`: what was skipped, what
// was measured by the way); for those that fail, a line for each test and then the whole output; the counts of all tests as the last line. `npm test -- --only lint,unit` runs the steps whose names
// are given.
import { spawn } from 'node:child_process';
import { parseArgs, stripVTControlCharacters } from 'node:util';

import { closingLine, parseClosingLine } from './closing-line.mjs';
import { root } from './entries.mjs';

const bin = (name) => `node_modules/.bin/${name}`;
const node = process.execPath;
/** A step that takes longer hangs; it is ended, with all that it started. */
const maxStepMs = 300_000;

/** Steps of a lane run one after the other; the lanes run side by side. */
const lanes = [
  [step('unit', bin('vitest'), 'run')],
  [
    step('format', bin('oxfmt'), '--check'),
    step('lint', bin('oxlint'), '--type-aware'),
    step('types', bin('tsc'), '-p', 'tsconfig.json'),
    step('build', node, 'tests/tooling/build.mjs'),
    step('package', node, 'tests/tooling/check-package.mjs'),
    step('size', node, 'tests/tooling/check-size.mjs'),
    step('production', bin('vitest'), 'run', '--config', 'tests/tooling/vitest.production.config.mjs', '--root', '.'),
  ],
];
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const names = values.only?.split(',');
const all = lanes.flat();
const unknown = names?.filter((name) => !all.some((one) => one.name === name)) ?? [];
if (unknown.length > 0) {
  console.error(`Unknown step ${unknown.join(', ')}; known: ${all.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

// Ctrl-C ends the steps too: they lead process groups of their own.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const results = [];
await Promise.all(lanes.map(runLane));

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const result of results) count(result);
console.log(closingLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

function step(name, command, ...args) {
  return { name, command, args };
}

async function runLane(steps) {
  for (const one of steps) {
    if (names === undefined || names.includes(one.name)) report(await runStep(one));
  }
}

function runStep({ name, command, args }) {
  const start = performance.now();
  const env = { ...process.env, ...(name === 'production' ? { NODE_ENV: 'production' } : {}) };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const endGroup = () => process.kill(-Number(child.pid), 'SIGKILL');
    process.once('exit', endGroup);
    const timer = setTimeout(() => {
      output += `\nended after ${maxStepMs / 1000} s\n`;
      endGroup();
    }, maxStepMs);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const end = (code) => {
      clearTimeout(timer);
      process.off('exit', endGroup);
      resolve({ name, code, output, seconds: (performance.now() - start) / 1000 });
    };
    child.on('error', (error) => {
      output += error.message;
      end(1);
    });
    child.on('close', end);
  });
}

function report(result) {
  results.push(result);
  const { name, code, output, seconds } = result;
  const tests = parseClosingLine(output);
  const detail = tests ? `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : '';
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s  ${detail}`);
  for (const line of new Set(stripVTControlCharacters(output).match(/^(?:note|failed): .+$/gm)))
    console.log(`     ${line}`);
  if (code !== 0) console.log(`\n----- ${name} -----\n${output}\n-----\n`);
}

/** A step without tests of its own counts as one; so does one whose tests all passed and that failed all the same. */
function count({ code, output }) {
  const tests = parseClosingLine(output) ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 };
  counts.passed += tests.passed;
  counts.skipped += tests.skipped;
  counts.failed += Math.max(tests.failed, code === 0 ? 0 : 1);
}
