// One measurement is a fresh server process on one core and a fresh client process on another.
import { setTimeout as pause } from 'node:timers/promises';
import os from 'node:os';
import { busySeconds } from './machine.mjs';
import { whenCalm } from './calm.mjs';
import { Child } from './processes.mjs';

const cores = os.cpus().length > 1 ? { server: 0, client: 1 } : {};

/** Threads that collect garbage would fight over the one core with the thread that they hold up. */
const onOneCore = cores.server === undefined ? [] : ['--single-threaded-gc'];

/**
 * Runs a load of loads.mjs on an HTTP contender. @returns its figures, with `noise`: the share of the machine that
 * others took
 */
export async function measureHttp(contender, load, params) {
  const host = startHost(params);
  const client = startClient();
  try {
    return await runLoad(host, client, contender, load, params);
  } finally {
    await Promise.all([client.end(), host.end()]);
  }
}

export const startHost = ({ execArgv = [] }) =>
  new Child(import.meta.resolve('./host.mjs'), {
    core: cores.server,
    execArgv: ['--expose-gc', ...onOneCore, ...execArgv],
  });

export const startClient = () => new Child(import.meta.resolve('./client.mjs'), { core: cores.client });

async function runLoad(host, client, contender, load, params) {
  const { clients, isSelective = false, heartbeatMs = 0, stalled = 0, isWhole = false, isGzip = false } = params;
  const options = { clients, isSelective, heartbeatMs, ...contender.options };
  const address = await host.ask({ setup: { module: contender.module, options } });
  const connect = () =>
    client.ask({ ...address, clients, isKeyed: isSelective, isStamped: load === 'steady', stalled, isWhole, isGzip });
  if (load === 'replay') return runReplay(host, connect, params);
  const empty = await host.ask({ load: 'memory' });
  await connect();
  await pause(150);
  const figures = await withNoise(() => host.ask({ load, params }));
  return { ...figures, emptyBytes: empty.residentBytes };
}

/** The backlog flows while the clients connect: the clock starts before they do. */
async function runReplay(host, connect, params) {
  await host.ask({ load: 'publishBefore', params });
  const [figures] = await Promise.all([host.ask({ load: 'replay', params }), connect()]);
  return figures;
}

async function withNoise(run) {
  const busy = busySeconds();
  const start = performance.now();
  const figures = await run();
  const seconds = (performance.now() - start) / 1e3;
  const others =
    busySeconds() - busy - ((figures.cpuSeconds + figures.clientCpuSeconds) * seconds) / figures.wallSeconds;
  return { ...figures, noise: Math.max(0, others / seconds / os.cpus().length) };
}

/** Runs a module of ../workers in a process of its own, which has the whole machine. */
export async function measureWorker(name, params) {
  const worker = new Child(import.meta.resolve('./worker.mjs'), { execArgv: ['--expose-gc'] });
  try {
    return await worker.ask({ module: import.meta.resolve(`../workers/${name}.mjs`), params }, 600_000);
  } finally {
    await worker.end();
  }
}

/**
 * The subjects take turns, backwards in every other round. @returns for each the list of its figures by round; a
 * failure is told and leaves NaN
 */
export async function alternate(subjects, rounds, measure, say) {
  const figures = new Map(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      figures
        .get(subject)
        .push(await attempt(() => whenCalm(() => measure(subject)), `${subject.name}, round ${round + 1}`, say));
    }
  }
  return figures;
}

async function attempt(measure, what, say) {
  try {
    return await measure();
  } catch (error) {
    say(`failed: ${what}: ${error.message.split('\n').slice(0, 3).join(' | ')}`);
    return {};
  }
}

/** The rows of a case: one for each subject, with the values of each measure by round. */
export function rowsOf(name, figures, measures) {
  return [...figures].map(([subject, rounds]) => ({
    case: name,
    contender: subject.name,
    measures: Object.fromEntries(
      Object.entries(measures).map(([measure, of]) => [measure, rounds.map((round) => of(round))]),
    ),
  }));
}
