// What is tried on workerd, the runtime of Cloudflare's Workers: `node workers.mjs`.
import assert from 'node:assert/strict';

import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

import { check, runChecks } from './checks.mjs';
import { Lines } from './orders.mjs';

const { outputFiles, warnings } = await build({
  entryPoints: ['room.mjs'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker'],
  external: ['node:*', 'cloudflare:*'],
});
assert.deepEqual(warnings, []);
const worker = new Miniflare({
  modules: [{ type: 'ESModule', path: 'room.mjs', contents: outputFiles[0].text }],
  compatibilityDate: '2026-07-01',
  // The last two tell a Durable Object that a client has left.
  compatibilityFlags: ['nodejs_compat', 'enable_request_signal', 'request_signal_passthrough'],
  durableObjects: { ROOM: 'Room' },
});
const origin = String(await worker.ready);
const ask = async (path) => (await fetch(origin + path)).json();
const stream = `${origin}stream?topic=Order`;
/** Without it Miniflare compresses JSON, and holds back what is short. */
const alice = { 'X-User': 'alice', 'Accept-Encoding': 'identity' };

check('a broker is made in a module', async () => {
  assert.match(await ask('module'), /^[\da-f-]{36}$/);
});

check('Durable Object: what there is, then what comes, heartbeats, and a resume', async () => {
  await ask('publish?n=1');
  const lines = await Lines.open(stream, alice);
  const epoch = lines.response.headers.get('X-Fenceline-Epoch');
  assert.equal((await lines.json()).Index, 1);
  await ask('publish?n=2');
  assert.equal((await lines.json()).Events[0].Key, 'o2');
  for (let beats = 0; beats < 2; beats++) await lines.heartbeat();
  lines.leave();
  const resumed = await Lines.open(`${stream}&index=2&epoch=${epoch}`, alice);
  assert.equal((await resumed.json()).Index, 2);
  resumed.leave();
});

check('Durable Object: server-sent events, under compression too', async () => {
  const lines = await Lines.open(stream, { 'X-User': 'alice', Accept: 'text/event-stream' });
  let line = await lines.next();
  while (!line.startsWith('data:')) line = await lines.next();
  assert.match(line, /"Index":1/);
  lines.leave();
});

check('Durable Object: a client that leaves frees its subscription', async () => {
  while ((await ask('subscriptions')) > 0) await new Promise((resolve) => setImmediate(resolve));
});

check('Durable Object: 403 without rights, and the end of a stream whose right is taken away', async () => {
  assert.equal((await fetch(stream)).status, 403);
  const lines = await Lines.open(`${stream}&index=latest`, alice);
  await ask('publish?n=3');
  assert.equal((await lines.json()).Index, 3);
  await ask('revoke');
  await ask('publish?n=4');
  const { Error: end } = await lines.json();
  assert.equal(end.Code, 'acl_revoked');
  assert.equal(await lines.next(), undefined);
});

check('a log that needs files says so', async () => {
  assert.equal(await ask('lmdb'), 'not_supported');
});

await runChecks();
