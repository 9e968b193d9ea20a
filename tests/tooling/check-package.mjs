// The package as a user gets it: packed, checked by publint and attw, installed into an empty project, every sub-path
// loaded from ESM and from CommonJS.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { compile, install, requireNodeTypesAsStated, writeConsumer } from './consumer.mjs';
import { entries, manifest, root, typescriptVersions } from './entries.mjs';
import { pack } from './packed.mjs';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'fenceline-package-'));
try {
  const tarball = await pack(folder);
  await Promise.all([
    run(join(root, 'node_modules/.bin/publint'), ['run', tarball, '--strict'], { cwd: root }),
    run(join(root, 'node_modules/.bin/attw'), [tarball, '--profile', 'node16'], { cwd: root }),
    install(folder, [tarball, `typescript@${typescriptVersions[0]}`]),
  ]);
  await load();
  await compileWithBoth();
} catch (error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * No peer but React is installed there: each sub-path must load without, and both module systems must get the same
 * classes.
 */
async function load() {
  const specifiers = entries.map(({ specifier }) => specifier);
  const script = `
    import assert from 'node:assert/strict';
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    for (const specifier of ${JSON.stringify(specifiers)}) {
      const [esm, cjs] = [await import(specifier), require(specifier)];
      const named = Object.keys(cjs).filter((name) => name !== '__esModule');
      assert.deepEqual(named.sort(), Object.keys(esm).sort(), specifier);
      assert.notEqual(Object.keys(esm).length, 0, specifier);
    }
    assert.equal(require('fenceline').EventBroker, (await import('fenceline')).EventBroker);
    const { EventBroker } = require('fenceline');
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    broker.publish({ topic: 'A', type: 'B', key: 'c', payload: 1 });
    assert.equal(subscription.poll().events[0].payload, 1);
  `;
  await writeFile(join(folder, 'load.mjs'), script);
  await run(process.execPath, ['load.mjs'], { cwd: folder });
  const plain = `
    for (const specifier of ${JSON.stringify(specifiers)}) {
      if (!require.resolve(specifier).includes('/dist/cjs/')) throw new Error(specifier + ' is not CommonJS');
      require(specifier);
    }
  `;
  await writeFile(join(folder, 'load.cjs'), plain);
  // As an older Node or a bundler does it: without require(esm) there is no `module-sync`, and the CommonJS build is
  // taken.
  await run(process.execPath, ['--no-experimental-require-module', 'load.cjs'], { cwd: folder });
}

/** The oldest TypeScript that is supported, and ours; `npm run test:types` takes those between too. */
async function compileWithBoth() {
  await writeConsumer(folder);
  await compile(folder, join(folder, 'node_modules/typescript'), typescriptVersions[0], ['all', 'uses']);
  const ours = join(root, 'node_modules/typescript');
  await compile(folder, ours, manifest.devDependencies.typescript, ['all', 'uses']);
  await requireNodeTypesAsStated(folder, ours);
}
