// node tests/bench/profile.mjs [--contender fenceline] [--clients 1000] [--bytes 250] [--burst 1] [--top 25]
//
// Where the server's time goes while it fans out: self time by function, sampled.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as contenders from './contenders/http/index.mjs';
import { readArguments } from './lib/arguments.mjs';
import { measureHttp } from './lib/measure.mjs';

const options = readArguments({
  contender: 'fenceline',
  clients: 1000,
  bytes: 250,
  burst: 1,
  spread: false,
  selective: false,
  seconds: 3,
  top: 25,
});
const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'));

try {
  const figures = await measureHttp(contenders[options.contender], 'pump', loadOf(options));
  const rate = Math.round(figures.deliveries / figures.wallSeconds / 1e3);
  const system = Math.round((figures.systemSeconds / figures.cpuSeconds) * 100);
  console.log(
    `${options.contender}: ${rate} k deliveries/s under the profiler; ${system} % of the CPU time is the kernel's`,
  );
  for (const [name, share] of selfTimes().slice(0, options.top))
    console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

function loadOf({ clients, bytes, burst, spread, selective, seconds }) {
  const window = selective ? 1024 : Math.max(4 * burst, 8, Math.min(2048, Math.floor(65_536 / clients)));
  const execArgv = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'];
  return {
    clients,
    bytes,
    burst,
    isSpread: spread,
    isSelective: selective,
    window,
    seconds,
    warmSeconds: 0.3,
    execArgv,
  };
}

function selfTimes() {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map();
  samples.forEach((id, i) => add(times, nameOf(frames.get(id)), timeDeltas[i]));
  times.delete('(idle)');
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times].map(([name, time]) => [name, time / all]).toSorted((a, b) => b[1] - a[1]);
}

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  return url ? `${name} ${url.replace(/^.*\/(dist|node_modules|bench)\//, '')}:${lineNumber + 1}` : name;
}

function add(times, name, time) {
  times.set(name, (times.get(name) ?? 0) + time);
}
