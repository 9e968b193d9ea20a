import fc from 'fast-check';
import type { Grant } from './acl-truth.ts';

export const namespaces = ['default', 'prod'] as const;
export const tokenNames = ['t0', 't1'] as const;
export const policyNames = ['p0', 'p1'] as const;
export const roleIds = ['r0'] as const;

/** How the store answers from now on. */
export type StoreMode = 'healthy' | 'held' | 'held-stale' | 'failing' | 'slow' | 'slow-stale';

/** One thing that happens. */
export type Step =
  | { readonly do: 'publish'; readonly namespaces: readonly string[] }
  | { readonly do: 'policy'; readonly name: string; readonly grant: Grant | undefined; readonly isEvent: boolean }
  | { readonly do: 'role'; readonly policies: readonly string[] | undefined; readonly isEvent: boolean }
  | {
      readonly do: 'token';
      readonly who: string;
      readonly token:
        | {
            readonly policies: readonly string[];
            readonly roles: readonly string[];
            readonly expiresInMs: number | undefined;
          }
        | undefined;
      readonly isEvent: boolean;
    }
  | { readonly do: 'store'; readonly mode: StoreMode }
  | { readonly do: 'release'; readonly count: number }
  | {
      readonly do: 'subscribe';
      readonly who: string;
      readonly namespace: string;
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

const weighted: readonly [number, fc.Arbitrary<Step>][] = [
  [
    8,
    fc.record({
      do: fc.constant('publish'),
      namespaces: fc.array(fc.constantFrom(...namespaces), { minLength: 1, maxLength: 3 }),
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
  [1, fc.record({ do: fc.constant('role'), policies: maybe(fc.subarray([...policyNames])), isEvent: fc.boolean() })],
  [
    2,
    fc.record({
      do: fc.constant('token'),
      who: fc.constantFrom(...tokenNames),
      token: maybe(
        fc.record({ policies: fc.subarray([...policyNames]), roles: fc.subarray([...roleIds]), expiresInMs }),
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
      namespace: fc.constantFrom('default', 'default', '*'),
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
] as unknown as readonly [number, fc.Arbitrary<Step>][];

const step: fc.Arbitrary<Step> = fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** A history: how large the buffer is, and what happens. */
export interface FenceHistory {
  readonly maxBatches: number;
  readonly steps: readonly Step[];
}

export const fenceHistory: fc.Arbitrary<FenceHistory> = fc.record({
  maxBatches: fc.constantFrom(2, 5, 100),
  steps: fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
});
