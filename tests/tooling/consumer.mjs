// A project that uses the packed package, as strict as TypeScript can be: it checks the declarations of its packages
// too. None of the optional peers but React is in it, so that no entry can
// need their types.
import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { entries, entriesWithNodeTypes, manifest, root } from './entries.mjs';

const run = promisify(execFile);

/** Longer than the slowest of them on a busy machine. */
const options = { timeout: 10 * 60_000, maxBuffer: 64 * 1024 * 1024 };

/** The strictest project. */
const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022', types: ['node'] };

/** The ways to resolve an import, each with the compiler's options for it and the files of both module systems. */
const resolutions = {
  nodenext: { compilerOptions: { module: 'nodenext' }, extensions: ['mts', 'cts'] },
  bundler: { compilerOptions: { module: 'esnext', moduleResolution: 'bundler' }, extensions: ['mts', 'cts'] },
  // It knows nothing of `exports`: `typesVersions` is for it.
  node10: { compilerOptions: { module: 'commonjs', moduleResolution: 'node10' }, extensions: ['ts'] },
};

/** TypeScript 6 has it with a warning alone, TypeScript 7 not at all. */
const hasNode10 = (major) => major < 7;

/** The hooks are nothing without React: the one peer that is there. */
const always = ['react', '@types/react', '@types/node'].map((name) => `${name}@${manifest.devDependencies[name]}`);

/** A project in `folder` with these packages, and no others but what it always has. */
export async function install(folder, packages) {
  await writeFile(join(folder, 'package.json'), '{"name":"user","private":true}');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...flags, ...always, ...packages], { ...options, cwd: folder });
}

/** `all`: every entry, everything that it exports. `uses`: what a host writes. */
export async function writeConsumer(folder) {
  const all = entries.map(({ specifier }, at) => `export * as m${at} from '${specifier}';`).join('\n');
  for (const extension of ['mts', 'cts', 'ts']) {
    await writeFile(join(folder, `all.${extension}`), all);
    await copyFile(join(root, 'tests/types/consumer.ts'), join(folder, `uses.${extension}`));
  }
  await writeFile(join(folder, 'browser.mts'), "export * from 'fenceline/client'; export * from 'fenceline/react';");
}

/**
 * Compiles files of the consumer in every resolution that this TypeScript has, and the client's entry as for a browser,
 * without Node's types.
 * @param typescript the folder of its package
 * @returns the names of the resolutions
 * @throws with what the compiler said
 */
export async function compile(folder, typescript, version, names) {
  const major = Number.parseInt(version, 10);
  const tried = Object.keys(resolutions).filter((name) => name !== 'node10' || hasNode10(major));
  for (const name of tried) {
    const { compilerOptions, extensions } = resolutions[name];
    const files = names.flatMap((file) => extensions.map((extension) => `${file}.${extension}`));
    const old = name === 'node10' && major === 6 ? { ignoreDeprecations: '6.0' } : {};
    await tsc(folder, typescript, { ...strict, lib: ['es2022'], ...compilerOptions, ...old }, files);
  }
  const browser = { ...strict, module: 'nodenext', lib: ['es2022', 'dom', 'dom.iterable'], types: [] };
  await tsc(folder, typescript, browser, ['browser.mts']);
  return tried;
}

/**
 * The guide says which entries need `@types/node`, those that do not compile without: those, and no others.
 * @param typescript the folder of its package
 */
export async function requireNodeTypesAsStated(folder, typescript) {
  const found = [];
  for (const { subpath, specifier } of entries) {
    const file = `without-node${found.length}.mts`;
    await writeFile(join(folder, file), `export * from '${specifier}';`);
    const compilerOptions = { ...strict, module: 'nodenext', lib: ['es2022', 'dom', 'dom.iterable'], types: [] };
    await tsc(folder, typescript, compilerOptions, [file]).catch(() => found.push(subpath));
  }
  const [needed, stated] = [found, entriesWithNodeTypes].map((list) => list.toSorted().join(', '));
  if (needed === stated) return;
  throw new Error(`@types/node: ${needed} need it; tests/tooling/entries.mjs says that these do: ${stated}`);
}

async function tsc(folder, typescript, compilerOptions, files) {
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await run(process.execPath, [join(typescript, 'bin/tsc')], { ...options, cwd: folder });
}
