import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { rollup, VERSION } from 'rollup';

const [out] = process.argv.slice(2);
const onLog = (_level, { message }) => console.error(message);

async function bundle(input, resolution, output) {
  const built = await rollup({ input, onLog, plugins: [nodeResolve(resolution), commonjs()] });
  await built.write({ inlineDynamicImports: true, ...output });
}

await bundle(
  'server.mjs',
  { exportConditions: ['node'], preferBuiltins: true },
  { format: 'es', file: `${out}/server.mjs` },
);
await bundle('browser.mjs', { browser: true }, { format: 'iife', file: `${out}/browser.js` });
console.log(VERSION);
