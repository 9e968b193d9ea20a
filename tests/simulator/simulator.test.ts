import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { shrink } from './simulation.ts';
import { historyOf, type Step } from './steps.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** As many seeds as fit into `npm test`, or very many with NIGHTLY=1. */
const [seeds, timeout] = process.env['NIGHTLY'] === '1' ? [100_000, 7_200_000] : [1000, 300_000];
const groups = Array.from({ length: 9 }, (_, i) => [1 + ((i + 1) * seeds) / 10, ((i + 2) * seeds) / 10] as const);

/** What the histories meet, so that no kind of trouble goes missing unseen. */
const mustBeMet: readonly (readonly [what: string, inTrace: RegExp])[] = [
  ['a gap of what was trimmed', /reader \d+ gap \d+-\d+ trimmed/],
  ['a gap of one that was slow', /reader \d+ gap \d+-\d+ slow/],
  ['a gap of a new run', /reader \d+ gap \d+-\d+ restarted/],
  ['a gap of indexes that are not there yet', /reader \d+ gap \d+-\d+ ahead/],
  ['a state that begins anew', /reader \d+ gap \d+-\d+ state/],
  ['a state that is current', /reader \d+ \d+ \[\] current/],
  ['rights that were taken away', /a process: revoked acl_revoked/],
  ['rights that expired', /a process: revoked acl_expired/],
  ['rights that could not be had', /a process: revoked acl_unavailable/],
  ['a reader that was denied', /reader \d+ ended permission_denied/],
  ['a transport that pushed back', /a process: lagging/],
  ['a transport that took nothing', /a process: unsubscribe slow/],
  ['a broker that was closed', /a process: unsubscribe closed/],
  ['an outage of the log', /a process: log down/],
];

describe('the whole system, in a simulator', () => {
  it('hands every reader what it asked for and may see: the first tenth of the seeds', { timeout }, () =>
    holdsFor(1, seeds / 10),
  );

  it.each(groups)('hands every reader what it asked for and may see: seeds %i to %i', { timeout }, holdsFor);

  it('meets every kind of trouble within the first seeds', { timeout }, async () => {
    const trace = await simulated('--from', '1', '--count', '300', '--trace');
    expect(mustBeMet.filter(([, inTrace]) => !inTrace.test(trace)).map(([what]) => what)).toEqual([]);
  });

  it('plays a seed the same way each time, whatever else the process does', { timeout }, async () => {
    expect(await simulated('--from', '1', '--count', '20', '--again')).toContain(': 0 failed');
  });

  it('finds the few steps of a history that make it fail', async () => {
    const { steps } = historyOf(7);
    const [cause, effect]: readonly Step[] = [{ do: 'poison' }, { do: 'replace' }];
    const planted = [...steps.slice(0, 9), cause, ...steps.slice(9), effect, ...steps.slice(0, 9)] as readonly Step[];
    const fails = async (fewer: readonly Step[]): Promise<boolean> =>
      fewer.includes(cause as Step) && fewer.indexOf(effect as Step) > fewer.indexOf(cause as Step);
    expect(await shrink(planted, fails)).toEqual([cause, effect]);
  });
});

async function holdsFor(first: number, last: number): Promise<void> {
  expect(await simulated('--from', `${first}`, '--count', `${last - first + 1}`)).toContain(': 0 failed');
}

/** In a process of its own: what other tests left behind in this one would set timers on the virtual clock. */
async function simulated(...args: readonly string[]): Promise<string> {
  const program = ['--import', './tests/tooling/typescript.mjs', 'tests/simulator/simulate.ts', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: root, maxBuffer: 1 << 28 });
  return stdout;
}
