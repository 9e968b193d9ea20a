// Builds dist/esm and dist/cjs from src: the types are checked by both compilations, and every published file that
// package.json names must exist afterwards.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { pageAssets } from '../../src/explorer/bundle-page.mjs';
import { entries, root } from './entries.mjs';

const run = promisify(execFile);
const dist = join(root, 'dist');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const variants = {
  esm: [],
  // `bundler` reads the packages' import types; the emitted code is plain require() either way.
  cjs: ['--module', 'commonjs', '--moduleResolution', 'bundler', '--verbatimModuleSyntax', 'false'],
};

/**
 * Of a module of Node's, `require`, as in the rest of this build; by a computed name, which bundlers do not follow.
 * What they make of it has none, and imports.
 */
const commonJsImport = `const method = 'require';
exports.importPackage = async (name) =>
  typeof module[method] === 'function' ? module[method](name) : import(/* webpackIgnore: true */ name);
`;

await main();

async function main() {
  requireFiles(entries.map(({ source }) => source));
  await rm(dist, { recursive: true, force: true });
  await Promise.all(Object.entries(variants).map(([name, flags]) => buildVariant(name, flags)));
  requireFiles(entries.flatMap(({ targets }) => targets));
}

async function buildVariant(name, flags) {
  const outDir = join(dist, name);
  await compile(outDir, flags);
  await rewriteDeclarations(outDir);
  await writePageAssets(outDir, name);
  await writeImport(outDir, name);
  // The nearest package.json decides a file's module system, and bundlers read sideEffects from it.
  const type = name === 'cjs' ? 'commonjs' : 'module';
  await writeFile(join(outDir, 'package.json'), `${JSON.stringify({ type, sideEffects: false }, null, 2)}\n`);
}

async function compile(outDir, flags) {
  const project = join(root, 'tsconfig.build.json');
  try {
    await run(process.execPath, [tsc, '-p', project, '--outDir', outDir, ...flags], { cwd: root });
  } catch (error) {
    fail(`tsc ${flags.join(' ')}\n${error.stdout}${error.stderr}`);
  }
}

/** The explorer's page: bundled here, data in the package. */
async function writePageAssets(outDir, name) {
  const exported = name === 'cjs' ? 'exports.pageAssets =' : 'export const pageAssets =';
  await writeFile(join(outDir, 'explorer', 'page-assets.js'), `${exported} ${JSON.stringify(pageAssets)};\n`);
}

async function writeImport(outDir, name) {
  const esm = await readFile(join(root, 'src', 'model', 'import-package.js'), 'utf8');
  await writeFile(join(outDir, 'model', 'import-package.js'), name === 'cjs' ? commonJsImport : esm);
}

/** tsc rewrites `./x.ts` to `./x.js` in the code alone; published declarations need it too. */
async function rewriteDeclarations(folder) {
  const files = await readdir(folder, { recursive: true });
  await Promise.all(
    files.filter((file) => file.endsWith('.d.ts')).map((file) => rewriteDeclaration(join(folder, file))),
  );
}

async function rewriteDeclaration(file) {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(/((?:from|import) ?\(?['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2'));
}

function requireFiles(files) {
  const missing = files.filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) fail(`package.json's exports name files that do not exist:\n  ${missing.join('\n  ')}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
