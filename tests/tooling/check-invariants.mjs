// `npm run invariants [-- --only text]`: takes out, one at a time and in a copy, each line that a guarantee rests on,
// and sees the test fail that ARCHITECTURE.md names for it. A test that passes all the same proves nothing.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { invariants } from '../architecture/invariants.mjs';
import { closingLine, parseClosingLine } from './closing-line.mjs';
import { root } from './entries.mjs';

const run = promisify(execFile);
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const copy = await mkdtemp(join(tmpdir(), 'fenceline-invariants-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const part of ['src', 'tests', 'examples', 'package.json', 'tsconfig.json', 'vitest.config.mjs'])
    await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const invariant of invariants) if (invariant.guarantee.includes(values.only)) await check(invariant);
} finally {
  await rm(copy, { recursive: true, force: true });
}
console.log(closingLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

async function check({ guarantee, file, line, without, test, name }) {
  const path = join(copy, file);
  const text = await readFile(path, 'utf8');
  const whole = await outcome(test, name);
  await writeFile(
    path,
    text.replace(spaced(line), () => without),
  );
  const broken = await outcome(test, name);
  await writeFile(path, text);
  const isHeld = whole.failed === 0 && whole.passed > 0 && broken.failed > 0;
  counts[isHeld ? 'passed' : 'failed']++;
  const said = isHeld ? 'held  ' : `NOT HELD (with the line: ${counted(whole)}; without: ${counted(broken)})`;
  console.log(`${said} ${guarantee}: ${file}`);
}

/** White space counts once, so that formatting a file does not lose its line. */
function spaced(line) {
  const parts = line.split(/\s+/).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(parts.join(String.raw`\s+`));
}

async function outcome(test, name) {
  const pattern = name.replaceAll(/[$()*+.?[\\\]^{|}]/g, '.');
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', test, '-t', pattern, '--root', copy];
  const { stdout } = await run(process.execPath, args, { cwd: copy, maxBuffer: 2 ** 26 }).catch((error) => error);
  return parseClosingLine(String(stdout)) ?? { passed: 0, failed: 1 };
}

function counted({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
