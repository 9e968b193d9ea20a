// `npm run test:runtimes`: the packed package on Bun, Deno and Workers, one line for each. Runtimes and peers are those
// that tests/runtimes pins, installed into a temporary folder; the servers of the logs are started where they are
// installed. `-- --only bun,deno` runs some.
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { NatsServer } from '../servers/nats-server.ts';
import { PostgresServer } from '../servers/postgres-server.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { root } from './entries.mjs';
import { installLocked, pack } from './packed.mjs';

const run = promisify(execFile);
const programs = join(root, 'tests', 'runtimes');
const bin = (name) => `node_modules/.bin/${name}`;

/** How each is started, and what names its version. */
const runtimes = {
  bun: { package: 'bun', command: [bin('bun'), 'smoke.mjs'], setUp: 'node_modules/bun/install.js' },
  deno: { package: 'deno', command: [bin('deno'), 'run', '-A', '--node-modules-dir=manual', 'smoke.mjs'] },
  workers: { package: 'workerd', command: [process.execPath, 'workers.mjs'] },
};
const { values } = parseArgs({ options: { only: { type: 'string', default: Object.keys(runtimes).join(',') } } });
const names = values.only.split(',');
const unknown = names.filter((name) => !(name in runtimes));
if (unknown.length > 0)
  throw new Error(`Unknown runtime ${unknown.join(', ')}; known: ${Object.keys(runtimes).join(', ')}.`);

const folder = await mkdtemp(join(tmpdir(), 'fenceline-runtimes-'));
const servers = [];
try {
  const tarball = await pack(folder);
  const files = await readdir(programs);
  for (const file of files.filter((name) => name.endsWith('.mjs')))
    await copyFile(join(programs, file), join(folder, file));
  await installLocked(programs, folder, tarball);
  const env = { ...process.env, ...(await startServers()) };
  for (const name of names) await check(name, env);
} catch (error) {
  fail(error);
} finally {
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
}

/** One that is not installed is left out, with a note; in CI that fails. */
async function startServers() {
  const ports = {};
  for (const [name, kind] of [
    ['POSTGRES_PORT', PostgresServer],
    ['REDIS_PORT', RedisServer],
    ['NATS_PORT', NatsServer],
  ]) {
    try {
      const server = await kind.start();
      servers.push(server);
      ports[name] = String(server.port);
    } catch (error) {
      if (process.env['CI'] === 'true') throw error;
      console.log(`note: ${error.message}: its log is not tried`);
    }
  }
  return ports;
}

async function check(name, env) {
  const { package: from, command, setUp } = runtimes[name];
  try {
    // Its own script of installation, which `--ignore-scripts` left out: it puts the binary in its place.
    if (setUp) await run(process.execPath, [setUp], { cwd: folder });
    const [program, ...args] = command;
    const { stdout } = await run(program, args, { cwd: folder, env });
    const { version } = JSON.parse(await readFile(join(folder, 'node_modules', from, 'package.json'), 'utf8'));
    console.log(`${name} ${version}  ok  ${stdout.trim().split('\n').at(-1)}`);
  } catch (error) {
    console.log(`${name}  FAIL`);
    fail(error);
  }
}

function fail(error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
}
