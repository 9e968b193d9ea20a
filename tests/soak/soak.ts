// `npm run soak -- [--minutes N] [--out folder] [--log postgres|redis|jetstream] [--rate N] [--seed N] [--note text]`
//
// Two servers with every mount over one log, a publisher of its own, readers of every kind with what can happen to
// each, and peers that mean no good. Writes result.json, soak.md and soak.svg into the folder (default: one in the
// system's temporary folder). Exit code 1 when a reader lost, doubled or saw what it must not, when anything is left,
// or when memory grew past its bound.
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failuresOf, renderMarkdown, renderSoakChart } from './report.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    out: { type: 'string', default: join(os.tmpdir(), 'fenceline-soak') },
    log: { type: 'string', default: 'postgres' },
    rate: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    note: { type: 'string', default: '' },
  },
});
const number = (name: 'minutes' | 'rate' | 'seed'): number => {
  const value = Number(values[name]);
  if (value > 0) return value;
  throw new TypeError(`--${name} must be a number above 0; got ${values[name]}.`);
};
const [minutes, rate, seed] = [number('minutes'), number('rate'), number('seed')];

const world = await World.start({ engine: values.log, rate, seed, minutes });
const found = await world.run();
const machine = {
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.cpus().length,
  node: process.version,
  os: `${os.type()} ${os.release()}`,
};
const at = new Date().toISOString();
const result = { at, seed, wantedMinutes: minutes, engine: values.log, machine, note: values.note, ...found };
mkdirSync(values.out, { recursive: true });
const write = (name: string, text: string): void => writeFileSync(join(values.out, name), text);
write('result.json', `${JSON.stringify(result, undefined, 1)}\n`);
write('soak.svg', renderSoakChart(result));
write('soak.md', `${renderMarkdown(result, 'soak.svg')}\n`);
console.log(renderMarkdown(result, 'soak.svg'));
const failures = failuresOf(result);
const verdict = failures.length === 0 ? 'nothing was wrong' : failures.join(', ');
console.log(`soak: seed ${seed}, ${minutes} min, written to ${values.out}: ${verdict}`);
process.exit(failures.length > 0 ? 1 : 0);
