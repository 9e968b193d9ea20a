import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { RunningStep } from './run-step.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const failing = `
  it('adds', () => expect(1 + 1).toBe(3));
  it('breaks', () => { throw new Error('no answer', { cause: new TypeError('no name') }); });
  it('passes', () => undefined);
`;

it('every failing test is printed with its error, then named once more above the closing line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fenceline-failures-'));
  await writeFile(join(folder, 'sums.test.js'), failing);
  await writeFile(join(folder, 'lost.test.js'), "import './nowhere.js';");
  const reporter = join(root, 'tests/tooling/failure-reporter.mjs');
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--globals', '--root', folder];
  const run = promisify(execFile)(process.execPath, [...args, '--reporter', reporter], { cwd: folder });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  await rm(folder, { recursive: true });
  expect(stdout).toMatch(/^FAILED sums\.test\.js > adds\n {2}\| AssertionError: expected 2 to be 3/m);
  expect(stdout).toMatch(/^ {2}\| +at .*sums\.test\.js:2:/m);
  expect(stdout).toMatch(
    /^FAILED sums\.test\.js > breaks\n {2}\| Error: no answer\n(?: .*\n)* {2}\| caused by TypeError: no name/m,
  );
  expect(stdout).toMatch(/^FAILED lost\.test\.js\n {2}\| Error: .*nowhere\.js/m);
  expect(stdout).toMatch(/^failed: sums\.test\.js > adds: expected 2 to be 3/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('tests: 1 passed, 3 failed, 0 skipped');
});

it('a step hands on a failure as it happens, and keeps what it printed when it is ended', async () => {
  const script = `console.log('ok a\\nFAILED b\\n  | why'); setInterval(() => {}, 1000);`;
  const lines: string[] = [];
  const step = new RunningStep({ name: 'one', command: process.execPath, args: ['-e', script] }, (line) => {
    lines.push(line);
    if (lines.length === 2) step.kill();
  });
  expect(await step.ended).toMatchObject({ name: 'one', code: 1, output: 'ok a\nFAILED b\n  | why\n' });
  expect(lines).toEqual(['FAILED b', '  | why']);
});
