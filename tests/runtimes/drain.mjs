// A server process that is told to end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { check } from './checks.mjs';
import { Lines } from './orders.mjs';

const file = fileURLToPath(new URL('draining-server.mjs', import.meta.url));
const args = globalThis.Deno ? ['run', '-A', '--node-modules-dir=manual', file] : [file];

check('SIGTERM: each stream is told that it ends and to resume, and the process ends by itself', async () => {
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed = createInterface(server.stdout)[Symbol.asyncIterator]();
  const { value: line } = await printed.next();
  const lines = await Lines.open(`http://127.0.0.1:${line.split(' ')[1]}/`);
  assert.equal((await lines.json()).Index, 1);
  server.kill('SIGTERM');
  const { Error: end } = await lines.json();
  assert.deepEqual([end.Code, end.Retry, end.Index], ['closed', 'resume', 1]);
  assert.equal(await lines.next(), undefined);
  // Its exit code is no witness: Deno tells the signal that was sent, whatever came of it.
  assert.equal((await printed.next()).value, 'exit 0');
});
