// Mutants in what runs once, when a module is loaded: a table, a constant. They are switched on from the start, each in
// a process of its own, with the tests beside the code.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { slowTests } from '../tooling/suites.mjs';

const MAX_MS = 60_000;

/**
 * @param mutants those that no test executed once it was loaded
 * @param copy where all mutants are written into the sources
 * @returns those of them that are killed
 */
export async function killLoaded(mutants, copy) {
  const killed = [];
  const passing = new Map();
  for (const mutant of mutants) {
    const tests = testsFor(mutant.file, copy);
    if (!passing.has(tests)) passing.set(tests, (await outcome(tests, undefined, copy)) === 'passed');
    if (passing.get(tests) && (await outcome(tests, mutant.id, copy)) !== 'passed') killed.push(mutant);
  }
  return killed;
}

/** The tests with the name of the file; without such, all of the folder. */
function testsFor(file, copy) {
  const folder = dirname(file).replace(/^src/, 'tests');
  const own = `${folder}/${basename(file, '.ts')}.test.ts`;
  return existsSync(join(copy, own)) ? own : folder;
}

function outcome(tests, id, copy) {
  const active = id === undefined ? {} : { __STRYKER_ACTIVE_MUTANT__: id };
  const args = ['node_modules/vitest/vitest.mjs', 'run', tests, '--root', '.', '--bail', '1', '--maxWorkers', '1'];
  const excluded = slowTests.flatMap((file) => (file.startsWith(tests) ? ['--exclude', file] : []));
  const options = { cwd: copy, env: { ...process.env, ...active }, stdio: 'ignore', detached: true };
  const child = spawn(process.execPath, [...args, ...excluded], options);
  // Its group: what a test started would else go on for ever.
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), MAX_MS);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? 'passed' : 'failed');
    });
  });
}
