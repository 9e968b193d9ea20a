import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { transformSync } from 'esbuild';

import { sourceBySpecifier } from './entries.mjs';

/** A package that is not to be found, as where a user did not install a peer. */
const { WITHOUT_PACKAGE: withoutPackage } = process.env;

export function resolve(specifier, context, nextResolve) {
  if (specifier === withoutPackage) throw new Error(`${specifier} is not to be found here`);
  const source = sourceBySpecifier.get(specifier);
  return nextResolve(source === undefined ? specifier : pathToFileURL(source).href, context);
}

export function load(url, context, nextLoad) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !pathname.endsWith('.ts')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcefile: path,
    sourcemap: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
