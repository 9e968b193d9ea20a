import { build, version } from 'esbuild';

const [out] = process.argv.slice(2);
const common = { bundle: true, logLevel: 'silent' };
const builds = await Promise.all([
  build({ ...common, entryPoints: ['server.mjs'], platform: 'node', format: 'esm', outfile: `${out}/server.mjs` }),
  build({ ...common, entryPoints: ['server.cjs'], platform: 'node', format: 'cjs', outfile: `${out}/server.cjs` }),
  build({ ...common, entryPoints: ['browser.mjs'], platform: 'browser', outfile: `${out}/browser.js` }),
]);
for (const { text } of builds.flatMap(({ warnings }) => warnings)) console.error(text);
console.log(version);
