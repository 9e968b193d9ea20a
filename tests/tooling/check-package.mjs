// The package as a user gets it: packed, checked by publint and attw, installed into an empty project, every sub-path
// loaded from ESM and from CommonJS.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { entries, manifest, root } from './entries.mjs';

const run = promisify(execFile);
/** The strictest project, which checks the declarations of its packages too. */
const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022', types: ['node'] };
const modern = { ...strict, module: 'nodenext', lib: ['es2022'] };
/** The oldest that is supported: from 5.2 on, `Symbol.asyncDispose` has a type. */
const minimumTypescript = '5.2.2';
const folder = await mkdtemp(join(tmpdir(), 'fenceline-package-'));
try {
  const tarball = await pack();
  await Promise.all([
    run(join(root, 'node_modules/.bin/publint'), ['run', tarball, '--strict'], { cwd: root }),
    run(join(root, 'node_modules/.bin/attw'), [tarball, '--profile', 'node16'], { cwd: root }),
    install(tarball),
  ]);
  await load();
  await compile();
} catch (error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function pack() {
  // The build was a step of its own.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const answer = JSON.parse(stdout);
  const [{ filename, files }] = Array.isArray(answer) ? answer : Object.values(answer);
  const stray = files.map(({ path }) => path).filter((path) => !/^(dist\/|[A-Z]+(\.md)?$|package\.json$)/.test(path));
  if (stray.length > 0) throw new Error(`The package holds files that users do not need: ${stray.join(', ')}`);
  return join(folder, filename);
}

async function install(tarball) {
  await writeFile(join(folder, 'package.json'), '{"name":"user","private":true}');
  // The hooks are nothing without React: the one peer that is there.
  const packages = [tarball, `typescript@${minimumTypescript}`, `react@${manifest.devDependencies.react}`];
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', ...packages], {
    cwd: folder,
  });
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

/**
 * The published types in both module systems; the client's and the hooks' alone, without Node's types, as for a
 * browser; by `typesVersions`.
 */
async function compile() {
  await symlink(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  const imports = entries.map(({ specifier }, at) => `export * as m${at} from '${specifier}';`).join('\n');
  await Promise.all(['all.mts', 'all.cts', 'all.ts'].map((file) => writeFile(join(folder, file), imports)));
  await writeFile(join(folder, 'browser.mts'), "export * from 'fenceline/client'; export * from 'fenceline/react';");
  const oldest = join(folder, 'node_modules/typescript/bin/tsc');
  for (const compiler of [oldest, join(root, 'node_modules/typescript/bin/tsc')]) {
    await tsc(compiler, modern, ['all.mts', 'all.cts']);
    await tsc(compiler, { ...modern, lib: ['es2022', 'dom', 'dom.iterable'], types: [] }, ['browser.mts']);
  }
  // Gone in TypeScript 7; it knows nothing of `exports`.
  const old = { module: 'commonjs', moduleResolution: 'node10', lib: ['es2022'] };
  await tsc(oldest, { ...strict, ...old }, ['all.ts']);
}

async function tsc(compiler, compilerOptions, files) {
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await run(process.execPath, [compiler], { cwd: folder });
}
