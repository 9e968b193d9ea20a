// `npm run test:frameworks`: the apps of tests/frameworks as their users have them. Packs fenceline, installs it beside
// the frameworks in a temporary folder, builds and starts each app, and drives it from outside: one line for each.
// `-- --only next,h3` runs some. `-- --in folder` installs there if it is empty, and keeps it.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';

import { root } from './entries.mjs';
import { pack } from './packed.mjs';

const run = promisify(execFile);
const source = join(root, 'tests/frameworks');
/** A machine that is busy takes long to build; what takes longer hangs. */
const buildLimitMs = 30 * 60_000;
const startLimitMs = 60_000;

const { values } = parseArgs({ options: { only: { type: 'string' }, in: { type: 'string' } } });
const folder = values.in === undefined ? await mkdtemp(join(tmpdir(), 'fenceline-frameworks-')) : resolve(values.in);
process.env.JWT_SECRET = 'for this check alone, and for no server of yours';
let app;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
process.once('exit', () => endGroup(app));

try {
  await install();
  const { frameworks } = await import(pathToFileURL(join(folder, 'frameworks.mjs')).href);
  const names = values.only?.split(',') ?? frameworks.map(({ name }) => name);
  const unknown = names.filter((name) => !frameworks.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(`Unknown: ${unknown.join(', ')}; known: ${frameworks.map(({ name }) => name).join(', ')}.`);
  for (const one of frameworks) if (names.includes(one.name)) await check(one);
} catch (error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
} finally {
  if (values.in === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
}

async function install() {
  await mkdir(folder, { recursive: true });
  const isInstalled = (await readdir(folder)).includes('node_modules');
  await cp(source, folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
  const npm = (...args) => run('npm', [...args, '--no-audit', '--no-fund'], { cwd: folder, maxBuffer: 2 ** 26 });
  if (!isInstalled) await npm('ci');
  await npm('install', '--no-save', '--ignore-scripts', await pack(folder));
}

async function check(framework) {
  const { name } = framework;
  const start = performance.now();
  const version = JSON.parse(await readFile(packageFile(framework), 'utf8')).version;
  const outcome = await attempt(framework);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${name.padEnd(13)} ${version.padEnd(9)} ${seconds.padStart(6)} s  ${outcome === undefined ? 'ok' : 'FAIL'}`,
  );
  if (outcome === undefined) return;
  console.log(outcome);
  process.exitCode = 1;
}

/** A workspace has its own copy where the versions differ. */
function packageFile({ folder: own = '', package: name }) {
  const [near, far] = [own, ''].map((place) => join(folder, place, 'node_modules', name, 'package.json'));
  return existsSync(near) ? near : far;
}

/** What went wrong, with what the app said; undefined where nothing did. */
async function attempt(framework) {
  let output = '';
  try {
    for (const command of framework.build) await build(framework, command);
    const port = await freePort();
    app = start(framework, port, (text) => (output += text));
    const ended = once(app, 'exit');
    await listening(port, app);
    const { drive } = await import(pathToFileURL(join(folder, 'drive.mjs')).href);
    const stop = async () => {
      app.kill('SIGTERM');
      const [code, signal] = await ended;
      return code ?? signal;
    };
    const { page, reloads } = framework;
    const reload = reloads && (() => touch(join(folder, reloads), () => output));
    await drive(`http://127.0.0.1:${port}`, { page, reload, stop });
    return undefined;
  } catch (error) {
    return `${error.stack}\n${error.stdout ?? ''}\n----- the app said -----\n${output}`;
  } finally {
    endGroup(app);
    app = undefined;
    if (framework.reloads) await cp(join(source, framework.reloads), join(folder, framework.reloads));
  }
}

/** An app is a process group of its own: the development server of Next leaves a process behind when it ends. */
function endGroup(child) {
  try {
    if (child) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Changes a file so that whoever loads it says so. Resolves with a function that tells whether that was said. */
async function touch(file, said) {
  const mark = `loaded again ${Date.now()}`;
  await appendFile(file, `\nconsole.log(${JSON.stringify(mark)});\n`);
  return () => said().includes(mark);
}

/** A build that names fenceline, or a package that fenceline can do without, has something to complain about. */
async function build(framework, command) {
  const [program, ...args] = command;
  const { stdout, stderr } = await run(executable(framework, program), args, {
    ...optionsOf(framework),
    timeout: buildLimitMs,
    maxBuffer: 2 ** 26,
  });
  const output = stdout + stderr;
  const complaints = output
    .split('\n')
    .filter((line) => /warn|error|resolve|external/i.test(line) && /fenceline|hcl2json|lmdb|nats|ioredis/.test(line));
  if (complaints.length > 0)
    throw new Error(`The build complains:\n${complaints.join('\n')}\n----- all of it -----\n${output}`);
}

function start(framework, port, take) {
  const [program, ...args] = framework.start;
  const { cwd, env } = optionsOf(framework);
  const own = {
    PORT: String(port),
    HOST: '127.0.0.1',
    HOSTNAME: '127.0.0.1',
    ORIGIN: `http://127.0.0.1:${port}`,
    NODE_ENV: framework.reloads ? 'development' : 'production',
    DRAIN_MS: '200',
  };
  const child = spawn(executable(framework, program), args, {
    cwd,
    env: { ...env, ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
  return child;
}

function optionsOf({ folder: own = '' }) {
  return {
    cwd: join(folder, own),
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CI: 'true', DO_NOT_TRACK: '1' },
  };
}

/** Some need a newer Node than the one that runs this. */
function executable({ newNode }, program) {
  if (program !== 'node') return join(folder, program);
  return newNode ? join(folder, 'node_modules/node/bin/node') : process.execPath;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when something listens; an app that ends before is a failure. */
async function listening(port, child) {
  for (const end = Date.now() + startLimitMs; Date.now() < end;) {
    if (child.exitCode !== null) throw new Error('The app ended at once.');
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => pause(50),
    );
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`The app does not listen after ${startLimitMs} ms.`);
}

/** False, a moment later. */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms, false));
}
