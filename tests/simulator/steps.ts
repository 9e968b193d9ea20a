import type { LogFault } from '../properties/fence-steps.ts';
import type { Mount } from './network.ts';
import { Random } from './random.ts';
import type { StoreMode } from './rights-store.ts';

/** How a world is set up. */
export interface Setting {
  /** Without a log there is one process, and what it published ends with it. */
  readonly hasLog: boolean;
  readonly processes: number;
  readonly maxBatches: number;
  readonly maxRemovals: number;
  /** What the log keeps. */
  readonly maxRecords: number;
  readonly publishWhenDown: 'fail' | 'wait';
}

export interface NewSimEvent {
  readonly topic: 'Order' | 'Job' | 'Beacon';
  readonly namespace: string;
  readonly key: string;
  /** A further key by which it can be asked for. */
  readonly tag: string;
  readonly level: number;
  readonly isGone: boolean;
  /** It is as large as this, in letters. */
  readonly size: number;
}

/** A token: what it is allowed, and when it ends. */
export interface TokenValue {
  readonly policies: readonly string[];
  readonly level: number;
  readonly expiresAt?: number | undefined;
}

/** A policy names the namespaces that may be read; `*` for all. */
export type PolicyValue = readonly string[];

/** Who reads, what, and by which way. */
export interface ReaderWish {
  readonly kind: 'client' | 'loop' | 'poll';
  readonly mount: Mount;
  readonly isSse: boolean;
  readonly who: string;
  readonly by: 'token' | 'function';
  readonly topics: readonly string[];
  readonly namespace: string;
  readonly scope: 'all' | 'allowed';
  readonly index: number | 'latest';
  readonly isState: boolean;
  /** It is told of gaps at once, by a function, and not with the next batch. */
  readonly hearsGaps: boolean;
  readonly process: number;
  readonly credit: number;
  readonly seed: number;
}

export type Step =
  | { readonly do: 'publish'; readonly process: number; readonly events: readonly NewSimEvent[] }
  /** The same objects over and over: what a slow reader falls behind of. */
  | { readonly do: 'burst'; readonly process: number; readonly event: NewSimEvent; readonly count: number }
  /** @param by its news: a topic's event, `aclChanged`, or a record that nobody can read */
  | ({ readonly do: 'token'; readonly process: number; readonly who: string; readonly by: NewsBy } & {
      readonly token: (Omit<TokenValue, 'expiresAt'> & { readonly expiresInMs?: number | undefined }) | undefined;
    })
  | ({ readonly do: 'policy'; readonly process: number; readonly name: string; readonly by: NewsBy } & {
      readonly policy: PolicyValue | undefined;
    })
  | { readonly do: 'store'; readonly mode: StoreMode }
  | { readonly do: 'release'; readonly count: number }
  | { readonly do: 'log'; readonly process: number; readonly fault: LogFault }
  | { readonly do: 'trim'; readonly keep: number }
  | { readonly do: 'poison' }
  /** The log is another one from here on: empty, its indexes begin anew. */
  | { readonly do: 'replace' }
  | { readonly do: 'end'; readonly process: number; readonly isGraceful: boolean }
  | { readonly do: 'start'; readonly process: number }
  | { readonly do: 'jump'; readonly process: number; readonly ms: number }
  | { readonly do: 'open'; readonly wish: ReaderWish }
  | { readonly do: 'read'; readonly reader: number; readonly count: number }
  | { readonly do: 'pause'; readonly reader: number }
  | { readonly do: 'cut'; readonly reader: number; readonly bytes: number }
  | { readonly do: 'freeze' | 'thaw'; readonly reader: number }
  /** The program that reads ends, and begins again where it was. */
  | { readonly do: 'leave'; readonly reader: number }
  | { readonly do: 'microtasks'; readonly count: number }
  | { readonly do: 'settle' }
  | { readonly do: 'advance'; readonly ms: number }
  /** All faults end; when all is quiet, everybody must have everything. */
  | { readonly do: 'check' };

export type NewsBy = 'event' | 'call' | 'poison';

export interface History {
  readonly seed: number;
  readonly setting: Setting;
  readonly steps: readonly Step[];
}

/** More batches than there are. */
export const ALL = 1_000_000;

export const users = ['t0', 't1'] as const;
export const policies = ['p0', 'p1'] as const;
const namespaces = ['a', 'b'] as const;

/** The history that a seed stands for. */
export function historyOf(seed: number): History {
  const random = new Random(seed);
  const hasLog = random.chance(0.7);
  const setting: Setting = {
    hasLog,
    processes: hasLog ? random.between(1, 3) : 1,
    maxBatches: random.pick([2, 5, 50, 50]),
    maxRemovals: random.pick([1, 2, 1000]),
    maxRecords: random.pick([6, 20, 1000, 1000]),
    publishWhenDown: random.pick(['fail', 'wait']),
  };
  const wish = wishOf(random);
  const steps: Step[] = [{ do: 'open', wish }];
  // Readers that ask for the same share what they are sent, whoever they are.
  if (random.chance(0.5)) steps.push({ do: 'open', wish: { ...wish, who: random.pick(users), seed: random.seed() } });
  const count = random.between(10, 60);
  // Not every history meets every kind of trouble: in the calm ones nothing may be told to be missing.
  const kinds = stepKinds.filter(([, , isTrouble]) => !isTrouble || random.chance(0.6));
  while (steps.length < count)
    steps.push(random.weighted(kinds.map(([weight, make]) => [weight, make]))(random, setting));
  return { seed, setting, steps: [...steps, { do: 'check' }] };
}

type MakeStep = (random: Random, setting: Setting) => Step;

const stepKinds: readonly (readonly [weight: number, make: MakeStep, isTrouble?: boolean])[] = [
  [14, (random, setting) => ({ do: 'publish', process: processOf(random, setting), events: eventsOf(random) })],
  [2, (random, setting) => burstOf(random, setting)],
  [4, (random) => ({ do: 'open', wish: wishOf(random) })],
  [6, (random) => ({ do: 'read', reader: random.below(5), count: random.between(1, 6) })],
  [3, (random) => ({ do: 'microtasks', count: random.between(1, 12) })],
  [4, () => ({ do: 'settle' })],
  [6, (random) => ({ do: 'advance', ms: random.pick([1, 60, 499, 1000, 3001, 6001, 13_000, 13_000]) })],
  [1, () => ({ do: 'check' })],
  [3, (random) => ({ do: 'pause', reader: random.below(5) }), true],
  [2, (random) => ({ do: 'leave', reader: random.below(5) }), true],
  [
    4,
    (random) => ({
      do: 'cut',
      reader: random.below(5),
      bytes: random.pick([0, 1, random.below(60), random.below(2000)]),
    }),
    true,
  ],
  [3, (random) => ({ do: random.pick(['freeze', 'freeze', 'thaw']), reader: random.below(5) }), true],
  [4, (random, setting) => tokenOf(random, setting), true],
  [4, (random, setting) => policyOf(random, setting), true],
  [
    3,
    (random) => ({
      do: 'store',
      mode: random.pick(['healthy', 'held', 'held-stale', 'failing', 'slow', 'slow-stale', 'nonsense']),
    }),
    true,
  ],
  [2, (random) => ({ do: 'release', count: random.between(1, 3) }), true],
  [2, (random, setting) => ({ do: 'end', process: processOf(random, setting), isGraceful: random.chance(0.5) }), true],
  [1, (random, setting) => ({ do: 'start', process: processOf(random, setting) }), true],
  [
    1,
    (random, setting) => ({
      do: 'jump',
      process: processOf(random, setting),
      ms: random.pick([-6000, -400, 400, 6000]),
    }),
    true,
  ],
  [6, (random, setting) => ({ do: 'log', process: processOf(random, setting), fault: random.pick(logFaults) }), true],
  [1, (random) => ({ do: 'trim', keep: random.below(4) }), true],
  [1, () => ({ do: 'poison' }), true],
  [0.3, () => ({ do: 'replace' }), true],
];

const logFaults = [
  'down',
  'down',
  'up',
  'slow',
  'lag',
  'lag',
  'catch-up',
  'hold-append',
  'hold-acknowledgement',
  'release-appends',
  'refuse-append',
  'lose-acknowledgement',
] as const;

const processOf = (random: Random, { processes }: Setting): number => random.below(processes);

const eventsOf = (random: Random): NewSimEvent[] =>
  Array.from({ length: random.pick([1, 1, 2, 3]) }, () => eventOf(random));

function burstOf(random: Random, setting: Setting): Step {
  return { do: 'burst', process: processOf(random, setting), event: eventOf(random), count: random.between(3, 12) };
}

function eventOf(random: Random): NewSimEvent {
  return {
    topic: random.pick(['Order', 'Order', 'Job']),
    namespace: random.pick(namespaces),
    key: random.pick(['1', '2', '3', '4']),
    tag: random.pick(['x', 'y']),
    level: random.pick([0, 0, 1]),
    isGone: random.chance(0.3),
    size: random.weighted([
      [10, 0],
      [3, 200],
      [2, 3000],
      [1, 30_000],
    ]),
  };
}

function tokenOf(random: Random, setting: Setting): Step {
  const token = random.chance(0.8)
    ? {
        policies: random.some(policies),
        level: random.below(2),
        expiresInMs: random.pick([undefined, undefined, -1, 500, 3000, 20_000, 2 ** 33]),
      }
    : undefined;
  return {
    do: 'token',
    process: processOf(random, setting),
    who: random.pick(users),
    by: newsOf(random, setting),
    token,
  };
}

function policyOf(random: Random, setting: Setting): Step {
  const policy = random.chance(0.8) ? random.some(['a', 'b', '*']) : undefined;
  return {
    do: 'policy',
    process: processOf(random, setting),
    name: random.pick(policies),
    by: newsOf(random, setting),
    policy,
  };
}

const newsOf = (random: Random, { hasLog }: Setting): NewsBy =>
  random.pick(hasLog ? ['event', 'call', 'event', 'call', 'poison'] : ['event', 'call']);

function wishOf(random: Random): ReaderWish {
  const isState = random.chance(0.4);
  const hearsGaps = random.chance(0.3);
  const kind = random.pick(['client', 'client', 'client', 'loop', 'poll']);
  const asked = random.pick([
    ['Order'],
    ['Job'],
    ['Order', 'Job'],
    ['Order:1', 'Job:x'],
    ['Order:y'],
    ['Order', 'Job:2'],
  ]);
  return {
    kind,
    mount: random.pick(['node', 'node', 'response', 'fetch']),
    isSse: !isState && random.chance(0.2),
    who: random.pick(users),
    by: random.pick(['token', 'token', 'function']),
    topics: kind === 'client' && hearsGaps ? asked : [...asked, 'Beacon'],
    namespace: random.pick(['a', 'a', '*', '*']),
    scope: random.pick(['all', 'allowed', 'allowed']),
    index: isState ? 0 : random.pick([0, 0, 'latest', random.between(1, 12)]),
    isState,
    hearsGaps: kind === 'client' && hearsGaps,
    process: random.below(3),
    credit: random.pick([0, 2, ALL, ALL]),
    seed: random.seed(),
  };
}
