import { promisify } from 'node:util';

import webpack from 'webpack';

const [out] = process.argv.slice(2);

async function bundle(entry, target, filename, library) {
  const common = { mode: 'production', optimization: { minimize: target === 'web' } };
  const experiments = { outputModule: library === 'module' };
  const output = { path: out, filename, ...(library && { library: { type: library } }) };
  const stats = await promisify(webpack)({ ...common, entry, target, output, experiments });
  if (stats.hasWarnings() || stats.hasErrors())
    console.error(stats.toString({ all: false, errors: true, warnings: true }));
}

await bundle('./server.mjs', 'node20', 'server.mjs', 'module');
await bundle('./server.cjs', 'node20', 'server.cjs', 'commonjs2');
await bundle('./browser.mjs', 'web', 'browser.js');
console.log(webpack.version);
