// `npm run test:types`: the packed package's types with every version of TypeScript that is supported, in every way to
// resolve an import, in ES modules and in CommonJS; a line for each version. `-- --only 5.4,7.0` takes some of them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compile, install, writeConsumer } from './consumer.mjs';
import { pack } from './packed.mjs';
import { typescriptVersions } from './entries.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const named = values.only?.split(',');
const versions = typescriptVersions.filter((version) => named?.includes(minorOf(version)) ?? true);
requireKnown();

const folder = await mkdtemp(join(tmpdir(), 'fenceline-types-'));
try {
  const tarball = await pack(folder);
  const compilers = versions.map((version) => `${aliasOf(version)}@npm:typescript@${version}`);
  await install(folder, [tarball, ...compilers]);
  await writeConsumer(folder);
  for (const version of versions) await check(version);
} catch (error) {
  fail(error);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function check(version) {
  try {
    const resolutions = await compile(folder, packageOf(version), version, ['all', 'uses']);
    console.log(`typescript ${version}  ok  ${resolutions.join(', ')}`);
  } catch (error) {
    console.log(`typescript ${version}  FAIL`);
    fail(error);
  }
}

function requireKnown() {
  const known = typescriptVersions.map(minorOf);
  const unknown = named?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length === 0) return;
  console.error(`Unknown version ${unknown.join(', ')}; known: ${known.join(', ')}.`);
  process.exit(2);
}

function minorOf(version) {
  return version.replace(/\.\d+$/, '');
}

function aliasOf(version) {
  return `typescript-${minorOf(version)}`;
}

function packageOf(version) {
  return join(folder, 'node_modules', aliasOf(version));
}

function fail(error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
}
