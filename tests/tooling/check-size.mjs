// What a browser downloads: bundled, minified and compressed (brotli, as servers send it), against a bound. The core
// runs on servers: its size is said and not bounded, since a bound makes messages short.
import { brotliCompressSync } from 'node:zlib';

import { build } from 'esbuild';

import { root } from './entries.mjs';
import { clientSizes } from './size-bounds.mjs';

const core = "export { EventBroker, Subscription, TopicFilter, defineTopics } from './src/index.ts';";
const bounds = [
  ...clientSizes.map(({ use, code, bytes }) => ({ name: `fenceline/client, ${use}`, code, maxBytes: bytes })),
  { name: 'the core, with ACLs and packages', code: core, maxBytes: Infinity },
];

for (const { name, code, maxBytes } of bounds) {
  const bytes = await sizeOf(code);
  const bound = maxBytes === Infinity ? '' : `; allowed ${maxBytes}`;
  console.log(`note: ${name}: ${bytes} bytes, minified and compressed${bound}`);
  if (bytes > maxBytes) process.exitCode = 1;
}

async function sizeOf(code) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*'],
    target: 'es2022',
  });
  // The import lines of what is left out are no part of what is measured.
  return brotliCompressSync(outputFiles[0].text.replaceAll(/\bimport\s?[^;]*?"[^"]+";/g, '')).length;
}
