// `npm run test:nodes`: the fast tests on every version of Node that is supported, one line for each. The binaries come
// from npm and stay outside of the project. `-- --only 24,26` runs some of them.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { parseClosingLine } from './closing-line.mjs';
import { RunningStep } from './run-step.mjs';

const run = promisify(execFile);
const { values } = parseArgs({ options: { only: { type: 'string', default: '20,22,24,26' } } });
const folder = await mkdtemp(join(tmpdir(), 'fenceline-nodes-'));
let running;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
process.once('exit', () => running?.kill());

try {
  for (const version of values.only.split(',')) await check(version);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function check(version) {
  const node = await fetchNode(version);
  if (node === undefined) return;
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'tests/tooling/vitest.fast.config.mjs',
    '--root',
    '.',
  ];
  running = new RunningStep({ name: version, command: node, args }, (line) => console.log(line));
  const { code, output, seconds } = await running.ended;
  const { passed = 0, failed = 0 } = parseClosingLine(output) ?? {};
  const { stdout } = await run(node, ['--version']);
  const detail = `${stdout.trim()}, ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s`;
  console.log(`node ${version} ${detail}: ${code === 0 ? 'ok' : 'FAIL'}`);
  if (code === 0) return;
  console.log(output);
  process.exitCode = 1;
}

/** The path of the binary; undefined where npm does not have it, which is a failure in CI alone. */
async function fetchNode(version) {
  const prefix = join(folder, version);
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', prefix, `node@${version}`], { cwd: folder });
    return join(prefix, 'node_modules', 'node', 'bin', 'node');
  } catch (error) {
    const isCi = process.env['CI'] === 'true';
    console.log(
      `node ${version} cannot be had from npm: ${isCi ? 'FAIL' : 'skipped'}\n${error.stderr ?? error.message}`,
    );
    if (isCi) process.exitCode = 1;
    return undefined;
  }
}
