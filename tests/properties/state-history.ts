import fc from 'fast-check';
import type { ModelEvent, ModelRequest, ModelRights } from './state-model.ts';

export type Published = Omit<ModelEvent, 'index'>;

export type Step =
  | { readonly do: 'publish'; readonly events: readonly Published[] }
  /** The same keys over and over: what a slow reader is spared. */
  | { readonly do: 'burst'; readonly event: Published; readonly count: number }
  | { readonly do: 'change'; readonly rights: ModelRights }
  | { readonly do: 'settle' }
  | { readonly do: 'open'; readonly request: ModelRequest; readonly isBlocked: boolean }
  | { readonly do: 'read'; readonly reader: number; readonly count: number }
  | { readonly do: 'block'; readonly reader: number }
  /** Ends the reader; another goes on from its position, with what it holds. */
  | { readonly do: 'resume'; readonly reader: number }
  /** Its connection breaks after so many bytes more. */
  | { readonly do: 'cut'; readonly reader: number; readonly bytes: number }
  /** The process ends, and another begins: with a log, where it was. */
  | { readonly do: 'restart' }
  /** The log keeps so many records beside those that are pinned. */
  | { readonly do: 'trim'; readonly keep: number }
  /** The log does not answer for a while, and what is trimmed meanwhile was not seen. */
  | { readonly do: 'outage'; readonly keep: number };

export interface History {
  readonly maxBatches: number;
  readonly maxRemovals: number;
  readonly steps: readonly Step[];
}

const namespaces = ['a', 'b'];

const event: fc.Arbitrary<Published> = fc.record({
  topic: fc.constantFrom('Order', 'Order', 'Job', 'Job', 'Log'),
  namespace: fc.constantFrom(...namespaces),
  key: fc.constantFrom('1', '2', '3', '4'),
  level: fc.nat(2),
  tag: fc.constantFrom('t1', 't2'),
  isGone: fc.constantFrom(false, false, true),
});

const rights: fc.Arbitrary<ModelRights> = fc.record({ namespaces: fc.subarray(namespaces), level: fc.nat(2) });

export const request: fc.Arbitrary<ModelRequest> = fc.record({
  topics: fc.constantFrom(
    ['Job'],
    ['Order'],
    ['Order', 'Job'],
    ['Order:1', 'Job:t1'],
    ['Job:2'],
    ['*'],
    ['Job', 'Log'],
  ),
  namespaces: fc.constantFrom(['*'], ['a'], ['a', 'b']),
});

const reader = fc.nat(3);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('publish'), events: fc.array(event, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('burst'), event, count: fc.integer({ min: 2, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('change'), rights }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open'), request, isBlocked: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read'), reader, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('block'), reader }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume'), reader }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut'), reader, bytes: fc.nat(600) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim'), keep: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outage'), keep: fc.nat(9) }) },
) as fc.Arbitrary<Step>;

export const history: fc.Arbitrary<History> = fc.record({
  maxBatches: fc.constantFrom(1, 3, 100),
  maxRemovals: fc.constantFrom(1, 2, 1000, 1000),
  steps: fc.array(step, { minLength: 5, maxLength: 70, size: 'max' }),
});
