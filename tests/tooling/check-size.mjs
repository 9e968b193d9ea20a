// What is downloaded: bundled, minified and compressed (brotli, as servers send it), against a bound. The core is
// measured by itself, and with all that it needs.
import { brotliCompressSync } from 'node:zlib';

import { build } from 'esbuild';

import { root } from './entries.mjs';

const core = "export { EventBroker, Subscription, TopicFilter, defineTopics } from './src/index.ts';";
const bounds = [
  { name: 'fenceline/client', code: "export * from './src/client/index.ts';", maxBytes: 4 * 1024 },
  {
    name: 'the core: src/core alone',
    code: core,
    without: /\/acl\/|^eventemitter3$|^tiny-invariant$/,
    maxBytes: 12 * 1024,
  },
  { name: 'the core, with ACLs and packages', code: core, maxBytes: 17 * 1024 },
];

for (const { name, code, without = /^$/, maxBytes } of bounds) {
  const bytes = await sizeOf(code, without);
  console.log(`${name}: ${bytes} bytes, minified and compressed; allowed ${maxBytes}`);
  if (bytes > maxBytes) process.exitCode = 1;
}

async function sizeOf(code, without) {
  const leaveOut = (build) => {
    build.onResolve({ filter: /./ }, ({ path }) => (without.test(path) ? { path, external: true } : undefined));
  };
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*', '@cdktn/hcl2json'],
    target: 'es2022',
    plugins: [{ name: 'leave-out', setup: leaveOut }],
  });
  // The import lines of what is left out are no part of what is measured.
  return brotliCompressSync(outputFiles[0].text.replaceAll(/\bimport\s?[^;]*?"[^"]+";/g, '')).length;
}
