// Bundlers build every entry of the packed package, without its optional peers and without a warning, and what they
// made runs where no package is installed. One line for each bundler. `--lane quick` is a step of `npm test`, `npm run
// test:bundlers` builds with all; `-- --only next,bun` with some.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { entries, root } from './entries.mjs';
import { installLocked, pack } from './packed.mjs';

const run = promisify(execFile);
const lanes = { quick: ['esbuild', 'rollup', 'vite'], long: ['webpack', 'next', 'bun'] };
const known = Object.values(lanes).flat();
const { values } = parseArgs({ options: { lane: { type: 'string' }, only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? lanes[values.lane] ?? known;
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`Unknown bundler ${unknown.join(', ')}; known: ${known.join(', ')}.`);

const programs = join(root, 'tests', 'bundlers');
const folder = await mkdtemp(join(tmpdir(), 'fenceline-bundlers-'));
try {
  const tarball = await pack(folder);
  for (const [lane, names] of Object.entries(lanes)) {
    const chosen = names.filter((name) => wanted.includes(name));
    if (chosen.length === 0) continue;
    const project = await prepare(lane, tarball);
    for (const name of chosen) await check(name, project);
  }
} catch (error) {
  fail(error);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A project with the bundlers of a lane, the package, and what is to be built. */
async function prepare(lane, tarball) {
  const project = join(folder, lane);
  await cp(join(programs, lane), project, { recursive: true });
  await cp(join(programs, 'try-out.mjs'), join(project, 'try-out.mjs'));
  // The hooks are nothing without React, and what they are built into has it: `npm run test:frameworks`.
  const alone = entries.filter(({ subpath }) => subpath !== './react');
  const named = alone.map(({ subpath, specifier }) => [subpath.slice(2) || 'main', specifier]);
  const modules = named.map(([name, specifier]) => `export * as ${name} from '${specifier}';\n`);
  await writeFile(join(project, 'server.mjs'), modules.join(''));
  const required = named.map(([name, specifier]) => `exports.${name} = require('${specifier}');\n`);
  await writeFile(join(project, 'server.cjs'), required.join(''));
  const browser = "import { streamEvents } from 'fenceline/client';\nglobalThis.streamEvents = streamEvents;\n";
  await writeFile(join(project, 'browser.mjs'), browser);
  await installLocked(join(programs, lane), project, tarball);
  return project;
}

async function check(name, project) {
  try {
    const out = join(folder, 'out', name);
    await mkdir(out, { recursive: true });
    // Where CI is set, Next warns that it has no cache of an earlier build.
    const { CI: _, ...env } = process.env;
    const { stdout, stderr } = await run(process.execPath, [`${name}.mjs`, out], { cwd: project, env });
    if (stderr.trim() !== '') throw new Error(`It warns:\n${stderr}`);
    const bundles = await runAll(out);
    console.log(`${name} ${stdout.trim()}  ok  ${bundles.join(', ')}`);
  } catch (error) {
    console.log(`${name}  FAIL`);
    fail(error);
  }
}

/** Next has run what it built by itself: it leaves nothing. */
async function runAll(out) {
  const files = await readdir(out, { recursive: true });
  const bundles = files.filter((file) => /\.m?js$|\.cjs$/.test(file)).toSorted();
  for (const file of bundles) {
    const program = basename(file) === 'browser.js' ? 'run-browser.mjs' : 'run-server.mjs';
    await run(process.execPath, [join(programs, program), join(out, file)], { cwd: out });
  }
  return bundles.length > 0 ? bundles : ['server and page'];
}

function fail(error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
}
