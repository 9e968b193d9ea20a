import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { transform, transformSync } from 'esbuild';

import { sourceBySpecifier } from './entries.mjs';

/** A package that is not to be found, as where a user did not install a peer. */
const { WITHOUT_PACKAGE: withoutPackage } = process.env;

export function resolve(specifier, context, nextResolve) {
  if (specifier === withoutPackage) throw new Error(`${specifier} is not to be found here`);
  const source = sourceBySpecifier.get(specifier);
  return nextResolve(source === undefined ? specifier : pathToFileURL(source).href, context);
}

/** For `register()`: keeps one esbuild process, where each `transformSync` starts one. */
export async function load(url, context, nextLoad) {
  const path = typescriptPath(url);
  if (path === undefined) return nextLoad(url, context);
  return asModule(await transform(readFileSync(path, 'utf8'), optionsFor(path)));
}

/** For `registerHooks()`, which takes no promise. */
export function loadSync(url, context, nextLoad) {
  const path = typescriptPath(url);
  if (path === undefined) return nextLoad(url, context);
  return asModule(transformSync(readFileSync(path, 'utf8'), optionsFor(path)));
}

function typescriptPath(url) {
  const { protocol, pathname } = new URL(url);
  return protocol === 'file:' && pathname.endsWith('.ts') ? fileURLToPath(url) : undefined;
}

function optionsFor(path) {
  return { loader: 'ts', format: 'esm', target: 'node20', sourcefile: path, sourcemap: 'inline' };
}

function asModule({ code }) {
  return { format: 'module', source: code, shortCircuit: true };
}
