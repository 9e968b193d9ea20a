import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { transform } from 'esbuild';

import { sourceBySpecifier } from './entries.mjs';

export async function resolve(specifier, context, nextResolve) {
  const source = sourceBySpecifier.get(specifier);
  return nextResolve(source === undefined ? specifier : pathToFileURL(source).href, context);
}

export async function load(url, context, nextLoad) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !pathname.endsWith('.ts')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code } = await transform(await readFile(path, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcefile: path,
    sourcemap: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
