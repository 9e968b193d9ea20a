// The package's entry points, read from package.json's exports, which is the only place that lists them.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Sub-paths that load a peer which the user has to install; the others must load without any. */
export const peersBySubpath = {
  './lmdb': ['lmdb'],
  './react': ['react'],
  './jetstream': ['@nats-io/jetstream'],
};

/** Sub-paths whose types need `@types/node`. The others do without: in a browser, a worker, or on another runtime. */
export const entriesWithNodeTypes = [
  './ndjson',
  './http',
  './sse',
  './fastify',
  './koa',
  './lmdb',
  './redis',
  './explorer',
];

/** The newest of each version of TypeScript that is supported, the oldest first: `npm run test:types`. */
export const typescriptVersions = ['5.4.5', '5.5.4', '5.6.3', '5.7.3', '5.8.3', '5.9.3', '6.0.3', '7.0.2'];

/** One row per code entry: its sub-path, the specifier a user imports, its source, and the files that are published. */
export const entries = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([subpath, conditions]) => ({
    subpath,
    specifier: manifest.name + subpath.slice(1),
    source: conditions.import.default.replace('./dist/esm/', 'src/').replace(/\.js$/, '.ts'),
    targets: [...new Set(Object.values(conditions).flatMap((files) => Object.values(files)))],
    peers: peersBySubpath[subpath] ?? [],
  }));

/** The absolute source of each specifier, for tools that run the sources instead of the build. */
export const sourceBySpecifier = new Map(entries.map(({ specifier, source }) => [specifier, join(root, source)]));
