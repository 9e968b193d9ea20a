import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const [out] = process.argv.slice(2);
const run = promisify(execFile);

async function bun(...args) {
  const { stdout, stderr } = await run('node_modules/.bin/bun', args);
  process.stderr.write(stderr);
  return stdout;
}

// Its own script of installation, which `--ignore-scripts` left out: it puts the binary in its place.
await run(process.execPath, ['node_modules/bun/install.js']);
await bun('build', 'server.mjs', '--target=node', '--format=esm', `--outfile=${out}/server.mjs`);
await bun('build', 'server.cjs', '--target=node', '--format=cjs', `--outfile=${out}/server.cjs`);
await bun('build', 'browser.mjs', '--target=browser', '--format=iife', `--outfile=${out}/browser.js`);
process.stdout.write(await bun('--version'));
