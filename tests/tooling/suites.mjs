// Which test files belong to the fast lane, and which to the whole suite alone. No list of files: what a test file
// imports, or the folder it stands in, decides. So a new test finds its lane by itself.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { root } from './entries.mjs';

/** What these start or write is an engine, a browser, another process or a disk. */
const engines = new Set(['node:child_process', 'node:worker_threads', 'playwright-core', 'lmdb', 'fenceline/lmdb']);

/** Long random runs. */
const isLongRun = (file) => /^tests\/(?:properties|faults|simulator)\/|\/chaos\.test\.ts$/.test(file);

const files = readdirSync(join(root, 'tests'), { recursive: true })
  .map((file) => `tests/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.ts'));

/** Paths from the root, for vitest's `exclude`. */
export const slowTests = files.filter((file) => file.endsWith('.test.ts') && isSlow(file)).toSorted();

function isSlow(file) {
  return isLongRun(file) || usesEngine(file, new Set());
}

/**
 * Whether the file or what it imports of the tests (and of src/logs/lmdb) does. A type is erased and starts nothing.
 */
function usesEngine(file, seen) {
  if (seen.has(file)) return false;
  seen.add(file);
  return importsOf(file).some((name) => {
    if (!name.startsWith('.')) return engines.has(name);
    const path = relative(root, join(root, dirname(file), name)).replaceAll('\\', '/');
    return path.startsWith('src/logs/lmdb/') || (path.startsWith('tests/') && usesEngine(path, seen));
  });
}

function importsOf(file) {
  if (!file.endsWith('.ts')) return [];
  const text = readFileSync(join(root, file), 'utf8');
  const named = text.matchAll(/^(?:import|export)\b(?! type\b)[^;'"]*?['"]([^'"]+)['"]/gm);
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...named, ...dynamic].map(([, name]) => name);
}
