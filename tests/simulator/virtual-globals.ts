import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Random } from './random.ts';

/** What code finds in the global object that would make one run differ from the next. */
interface Replaced {
  setTimeout: unknown;
  clearTimeout: (timer: unknown) => void;
  setImmediate: unknown;
}

/**
 * Runs `body` in a world of its own: timers are the virtual clock's, turns of the event loop are counted by it, the
 * date is its date, and random numbers come from the seed. What is left of Node's own (promises, `nextTick`) runs in an
 * order that nothing outside can change.
 */
export async function withVirtualGlobals<R>(clock: VirtualClock, seed: number, body: () => Promise<R>): Promise<R> {
  const random = new Random(seed);
  const globals = globalThis as unknown as Replaced;
  const { setTimeout, clearTimeout, setImmediate } = globals;
  const { random: mathRandom } = Math;
  const { now } = Date;
  const uuid = Object.getOwnPropertyDescriptor(crypto, 'randomUUID');
  globals.setTimeout = (call: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
    new VirtualTimeout(clock, delayMs, () => call(...args));
  globals.clearTimeout = (timer) => (timer as VirtualTimeout | undefined)?.cancel();
  globals.setImmediate = (call: (...args: unknown[]) => void, ...args: unknown[]) => clock.soon(() => call(...args));
  Math.random = () => random.next();
  Date.now = () => clock.now();
  let uuids = 0;
  const randomUUID = () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`;
  Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
  try {
    return await body();
  } finally {
    Object.assign(globals, { setTimeout, clearTimeout, setImmediate });
    Math.random = mathRandom;
    Date.now = now;
    if (uuid) Object.defineProperty(crypto, 'randomUUID', uuid);
    else delete (crypto as { randomUUID?: unknown }).randomUUID;
  }
}

/** As much of Node's `Timeout` as the sources use. */
class VirtualTimeout {
  readonly cancel: () => void;

  constructor(clock: VirtualClock, delayMs: number, call: () => void) {
    const timer = clock.after(delayMs, call);
    this.cancel = () => timer.cancel();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
