// What a page or a server downloads: each entry bundled by itself, minified and compressed, against its bound.
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { root } from './entries.mjs';

const bounds = [
  { name: 'fenceline/client', source: 'src/client/index.ts', maxBytes: 4 * 1024 },
  {
    name: 'fenceline',
    source: 'src/index.ts',
    maxBytes: 12 * 1024,
    code: "export { EventBroker, Subscription, TopicFilter, defineTopics } from './src/index.ts';",
  },
];

for (const { name, source, maxBytes, code } of bounds) {
  const { outputFiles } = await build({
    ...(code ? { stdin: { contents: code, resolveDir: root, loader: 'ts' } } : { entryPoints: [source] }),
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*', '@cdktn/hcl2json', 'lmdb'],
    target: 'es2022',
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`${name}: ${bytes} bytes, minified and compressed; allowed ${maxBytes}`);
  if (bytes > maxBytes) process.exitCode = 1;
}
