// A step of `npm test`: the programs of the documents as a reader runs them, with the package as it is published and
// the packages that the documents say to install, in an empty folder. Its build was a step before.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { pack } from '../tooling/packed.mjs';
import { documents, packagesOf, programsOf, read } from './documents.ts';
import { runProgram } from './run-program.ts';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'fenceline-guides-'));
const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };

try {
  await install();
  for (const program of documents.flatMap((document) => programsOf(document))) {
    const { shown, seen } = await runProgram(program, join(folder, basename(program.document, '.md')), []);
    if (seen === shown) continue;
    console.error(`failed: ${program.document}: ${program.file} shows\n${shown}\nand does\n${seen}`);
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function install(): Promise<void> {
  const tarball = await pack(folder);
  // In the versions that the tests have; `redis` and the like need a server, and no program has them.
  const named = new Set(documents.flatMap(packagesOf).filter((name) => name !== 'fenceline'));
  const others = [...named].map((name) => `${name}@${devDependencies[name] ?? 'latest'}`);
  await writeFile(join(folder, 'package.json'), '{"name":"reader","private":true}');
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...others], { cwd: folder });
}
