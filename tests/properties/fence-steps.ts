import fc from 'fast-check';
import type { Grant } from './acl-truth.ts';

export const namespaces = ['default', 'prod'] as const;
export const tokenNames = ['t0', 't1'] as const;
export const policyNames = ['p0', 'p1'] as const;
export const roleIds = ['r0'] as const;

/** What happens to one process on its way to the log. */
export type LogFault =
  | 'down'
  | 'up'
  /** Appends take a while to reach the log, from now on. */
  | 'slow'
  /** The process hears of nothing that is appended, until `catch-up`. */
  | 'lag'
  | 'catch-up'
  /** The next append, or its acknowledgement, waits for `release-appends`; what comes after it overtakes it. */
  | 'hold-append'
  | 'hold-acknowledgement'
  | 'release-appends'
  /** The next append fails, and its record is not in the log, or is. */
  | 'refuse-append'
  | 'lose-acknowledgement';

/** How the store answers from now on. */
export type StoreMode = 'healthy' | 'held' | 'held-stale' | 'failing' | 'slow' | 'slow-stale';

/** By what a subscription's rights are asked for: a token, a function of its own, or one of all of its accessor's. */
export type Credentials = 'token' | 'function' | 'accessor';

/** One thing that happens, in one of the world's processes. */
export type Step = StepKind & { readonly process: number };

export type SubscribeStep = Extract<Step, { do: 'subscribe' }>;

type StepKind =
  | { readonly do: 'publish'; readonly namespaces: readonly string[]; readonly level: number }
  | { readonly do: 'policy'; readonly name: string; readonly grant: Grant | undefined; readonly isEvent: boolean }
  | { readonly do: 'home'; readonly who: string; readonly namespace: string; readonly isEvent: boolean }
  | { readonly do: 'role'; readonly policies: readonly string[] | undefined; readonly isEvent: boolean }
  | {
      readonly do: 'token';
      readonly who: string;
      readonly token:
        | {
            readonly policies: readonly string[];
            readonly roles: readonly string[];
            readonly expiresInMs: number | undefined;
            readonly level: number;
          }
        | undefined;
      readonly isEvent: boolean;
    }
  | { readonly do: 'log'; readonly fault: LogFault }
  | { readonly do: 'trim'; readonly maxRecords: number }
  | { readonly do: 'store'; readonly mode: StoreMode }
  | { readonly do: 'release'; readonly count: number }
  | {
      readonly do: 'subscribe';
      readonly who: string;
      readonly namespace: string;
      readonly scope: 'all' | 'allowed';
      readonly by: Credentials;
      /** The scope, and the namespace of whoever it is, are pinned, and not asked for. */
      readonly isPinned: boolean;
      readonly index: number | 'latest';
      readonly isBlocked: boolean;
    }
  | { readonly do: 'read'; readonly reader: number; readonly count: number }
  | { readonly do: 'block'; readonly reader: number }
  | { readonly do: 'close'; readonly reader: number }
  | { readonly do: 'microtasks'; readonly count: number }
  | { readonly do: 'settle' }
  | { readonly do: 'advance'; readonly ms: number };

const grant = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<Grant>({ default: 'read' }, { '*': 'read' }, { default: 'read', prod: 'read' }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Grant>({}, { default: 'deny' }, { '*': 'read', prod: 'deny' }, { prod: 'read' }),
  },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 4 });
const expiresInMs = fc.option(fc.constantFrom(-1, 0, 500, 3000, 2 ** 33), { nil: undefined, freq: 1 });

type Weighted = readonly (readonly [number, fc.Arbitrary<StepKind>])[];

const weighted = [
  [
    8,
    fc.record({
      do: fc.constant('publish'),
      namespaces: fc.array(fc.constantFrom(...namespaces), { minLength: 1, maxLength: 3 }),
      level: fc.nat(1),
    }),
  ],
  [
    4,
    fc.record({
      do: fc.constant('policy'),
      name: fc.constantFrom(...policyNames),
      grant: maybe(grant),
      isEvent: fc.boolean(),
    }),
  ],
  [
    2,
    fc.record({
      do: fc.constant('home'),
      who: fc.constantFrom(...tokenNames),
      namespace: fc.constantFrom('default', 'prod', '*'),
      isEvent: fc.boolean(),
    }),
  ],
  [1, fc.record({ do: fc.constant('role'), policies: maybe(fc.subarray([...policyNames])), isEvent: fc.boolean() })],
  [
    2,
    fc.record({
      do: fc.constant('token'),
      who: fc.constantFrom(...tokenNames),
      token: maybe(
        fc.record({
          policies: fc.subarray([...policyNames]),
          roles: fc.subarray([...roleIds]),
          expiresInMs,
          level: fc.nat(1),
        }),
      ),
      isEvent: fc.boolean(),
    }),
  ],
  [
    3,
    fc.record({
      do: fc.constant('store'),
      mode: fc.constantFrom<StoreMode>('healthy', 'held', 'held-stale', 'failing', 'slow', 'slow-stale'),
    }),
  ],
  [2, fc.record({ do: fc.constant('release'), count: fc.integer({ min: 1, max: 3 }) })],
  [
    5,
    fc.record({
      do: fc.constant('subscribe'),
      who: fc.constantFrom(...tokenNames),
      namespace: fc.constantFrom('default', 'default', '*', '*'),
      scope: fc.constantFrom('all', 'allowed'),
      by: fc.constantFrom<Credentials>('token', 'function', 'accessor'),
      isPinned: fc.boolean(),
      index: fc.oneof(fc.constantFrom<'latest' | 0>('latest', 0), fc.integer({ min: 1, max: 12 })),
      isBlocked: fc.boolean(),
    }),
  ],
  [4, fc.record({ do: fc.constant('read'), reader: fc.nat(5), count: fc.integer({ min: 1, max: 5 }) })],
  [1, fc.record({ do: fc.constant('block'), reader: fc.nat(5) })],
  [1, fc.record({ do: fc.constant('close'), reader: fc.nat(5) })],
  [4, fc.record({ do: fc.constant('microtasks'), count: fc.integer({ min: 1, max: 12 }) })],
  [3, fc.record({ do: fc.constant('settle') })],
  [2, fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(1, 499, 1000, 3000, 6000) })],
] as unknown as Weighted;

const logFaults: readonly LogFault[] = [
  'down',
  'up',
  'slow',
  'lag',
  'catch-up',
  'hold-append',
  'hold-acknowledgement',
  'release-appends',
  'refuse-append',
  'lose-acknowledgement',
];
const weightedWithLog = [
  ...weighted,
  [8, fc.record({ do: fc.constant('log'), fault: fc.constantFrom(...logFaults) })],
  [3, fc.record({ do: fc.constant('trim'), maxRecords: fc.nat(2) })],
] as unknown as Weighted;

/** Where the brokers of a history stand on a log that they share. */
export interface HistoryLog {
  readonly processes: number;
  readonly maxRecords: number;
  readonly publishWhenDown: 'fail' | 'wait';
}

/** A history: how large the buffer is, and what happens. */
export interface FenceHistory {
  readonly maxBatches: number;
  readonly steps: readonly Step[];
  readonly log?: HistoryLog;
}

const maxBatches = fc.constantFrom(2, 5, 100);

export const fenceHistory: fc.Arbitrary<FenceHistory> = fc.record({ maxBatches, steps: stepsOf(weighted) });

export const fenceHistoryWithLog: fc.Arbitrary<FenceHistory> = fc.record({
  maxBatches,
  steps: stepsOf(weightedWithLog),
  log: fc.record({
    processes: fc.integer({ min: 1, max: 2 }),
    maxRecords: fc.constantFrom(1000, 4),
    publishWhenDown: fc.constantFrom('fail', 'wait'),
  }),
});

function stepsOf(weights: Weighted): fc.Arbitrary<readonly Step[]> {
  const kind = fc.oneof(...weights.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  const step = fc.tuple(kind, fc.nat(1)).map(([rest, process]): Step => ({ ...rest, process }));
  return fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
}
