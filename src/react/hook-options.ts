import type { Event, Gap, StreamOptions, StreamState } from '../client/index.ts';
import { describe } from '../model/describe.ts';
import type { OptionNames } from '../model/options.ts';
import type { Topics } from '../model/topics.ts';

/** What a page was rendered with: the answer of `broker.state` is one. Plain JSON. */
export interface InitialEvents<E extends Event = Event> {
  readonly events: readonly E[];
  /** The newest index that `events` take into account: the stream goes on after it. */
  readonly index: number;
  /** What `index` belongs to. */
  readonly epoch?: string | undefined;
}

/**
 * The options of `streamEvents` that both hooks take. Left out are those that a hook has other means for: `signal`
 * (`enabled`, and leaving the page), `onState` (`status`, `error`) and `onGap` with a function (`gap`).
 *
 * Written inline they are other objects with each render, so they are compared by what they hold. The URL, `topics`,
 * `namespace`, `headers`, a `token` that is a string and the numbers say what is read: when one of them changes, the
 * hook begins anew. Functions may change with each render, and the latest is called. Where to begin (`index`, `epoch`,
 * `initial`, …) counts when the hook begins.
 */
export interface HookOptions<S extends Topics = Topics, V = unknown> extends Omit<
  StreamOptions<S, V>,
  'signal' | 'onState' | 'onGap' | 'state'
> {
  /** `false`: nothing is read, and what was read before stays. `true` again goes on where it was. Default `true`. */
  readonly enabled?: boolean | undefined;
  /** `'fail'`: a gap ends the stream with an `error`. Default `'continue'`: the result has the `gap`. */
  readonly onGap?: 'continue' | 'fail' | undefined;
}

/** What the connection does: as in `EventStream.state`; `idle` while `enabled` is false. */
export type ConnectionStatus = 'idle' | StreamState['name'];

/** What both hooks tell beside the events. */
export interface ConnectionResult {
  /** `connecting` on the server, too, where nothing is read. `closed`: it ended, for the reason `error`. */
  readonly status: ConnectionStatus;
  /**
   * Why the stream was interrupted (`waiting`: it comes back by itself) or has ended (`closed`): a StreamError, or what
   * `onBatch` threw. Undefined as soon as it is `live` again.
   */
  readonly error: unknown;
  /** What may be missing: the last gap that was told. */
  readonly gap: Gap | undefined;
}

/** The names of the options that both hooks take. */
export const hookOptions: OptionNames<Omit<HookOptions, 'snapshot'>> = {
  topics: true,
  namespace: true,
  index: true,
  epoch: true,
  seen: true,
  appended: true,
  mark: true,
  token: true,
  minDelayMs: true,
  maxDelayMs: true,
  heartbeatMs: true,
  maxLineBytes: true,
  headers: true,
  credentials: true,
  retryStatuses: true,
  parse: true,
  fetch: true,
  random: true,
  clock: true,
  enabled: true,
  onGap: true,
};

/** What {@link checkHook} looks at, in a program without types too. */
interface CheckedOptions {
  readonly initial?: InitialEvents | undefined;
  readonly index?: unknown;
  readonly onGap?: unknown;
  readonly enabled?: unknown;
}

/**
 * Checks what only the hooks know; the rest is checked when the stream is opened.
 * @throws TypeError that names the hook, what is wrong and what is allowed
 */
export function checkHook(options: CheckedOptions, hook: string): void {
  const { initial, index, onGap = 'continue', enabled = true } = options;
  if (typeof enabled !== 'boolean')
    throw new TypeError(`${hook}: enabled must be true or false; got ${describe(enabled)}.`);
  if (onGap !== 'continue' && onGap !== 'fail')
    throw new TypeError(`${hook}: onGap must be 'continue' or 'fail'; got ${describe(onGap)}. The result has the gap.`);
  if (initial === undefined) return;
  if (!Array.isArray(initial?.events) || !Number.isSafeInteger(initial.index) || initial.index < 0)
    throw new TypeError(`${hook}: initial must be { events, index, epoch }, such as broker.state() answers.`);
  if (index !== undefined)
    throw new TypeError(`${hook}: initial and index exclude each other: both say where the stream begins.`);
}
