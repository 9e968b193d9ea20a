// Turbopack builds the app in `app/`; then Next serves it: a stream, a page that reads it, and all entries.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const next = ['node_modules/next/dist/bin/next'];
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };

const { stdout, stderr } = await promisify(execFile)(process.execPath, [...next, 'build'], { env });
for (const line of `${stdout}${stderr}`.split('\n').filter((text) => /warn|⚠|critical/i.test(text)))
  console.error(line);

const server = spawn(process.execPath, [...next, 'start', '--port', '0', '--hostname', '127.0.0.1'], { env });
try {
  const url = await whenReady(server);
  assert.equal(await (await fetch(`${url}/try-out`)).text(), 'ran');
  assert.match(await (await fetch(url)).text(), /nothing yet/);
  const { body } = await fetch(`${url}/stream`);
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) if ((text += chunk).includes('"o1"')) break;
} finally {
  server.kill();
}
const { version } = JSON.parse(await readFile('node_modules/next/package.json', 'utf8'));
console.log(`${version} (Turbopack)`);

/** Where it listens. */
async function whenReady({ stdout: output, stderr: errors }) {
  let printed = '';
  errors.on('data', (text) => (printed += text));
  for await (const text of output) {
    printed += text;
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
    if (url && /Ready/.test(printed)) return url;
  }
  throw new Error(`next start ended:\n${printed}`);
}
