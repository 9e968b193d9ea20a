import type { ClockTimer } from '../model/clock.ts';
import type { StreamPart } from './stream-features.ts';
import type { ExtendedStream, ExtendingPart } from './stream-parts.ts';
import type { StreamClock } from './wait.ts';

/** As much of a page, or of a worker, as tells that the connection may be back. */
interface Page extends Partial<Listened> {
  readonly document?: Partial<Listened> & { readonly visibilityState?: string };
}

interface Listened {
  addEventListener(name: string, listener: () => void): void;
  removeEventListener(name: string, listener: () => void): void;
}

/** How often the clock is looked at. A look that comes this much too late shows that the machine slept. */
const LOOK_MS = 10_000;

/**
 * Calls when the machine has slept, the browser is back online or the page is shown again.
 * @returns what ends that
 */
export function watchWakeUps(clock: StreamClock, call: () => void): () => void {
  const page = globalThis as Page;
  const { document } = page;
  const shown = (): void => {
    if (document?.visibilityState === 'visible') call();
  };
  const endLooking = watchSleep(clock, call);
  page.addEventListener?.('online', call);
  document?.addEventListener?.('visibilitychange', shown);
  return () => {
    endLooking();
    page.removeEventListener?.('online', call);
    document?.removeEventListener?.('visibilitychange', shown);
  };
}

function watchSleep(clock: StreamClock, call: () => void): () => void {
  let timer: ClockTimer;
  const look = (): void => {
    const dueAt = clock.now() + LOOK_MS;
    timer = clock.after(LOOK_MS, () => {
      look();
      if (clock.now() - dueAt > LOOK_MS) call();
    });
  };
  look();
  return () => timer.cancel();
}

/**
 * A clock with whose timers something is watched.
 * @param begin a timer of `limitMs` was started: returns what is called when it is cancelled, also after it has fired
 */
export const watchedClock = (clock: StreamClock, begin: (limitMs: number) => () => void): StreamClock => ({
  now: () => clock.now(),
  after(limitMs, call) {
    const timer = clock.after(limitMs, call);
    const end = begin(limitMs);
    return {
      cancel() {
        timer.cancel();
        end();
      },
    };
  },
});

const part: ExtendingPart<'wakeUps'> = {
  part: 'wakeUps',
  extend(settings, stream) {
    const { clock } = settings;
    settings.clock = watchedClock(clock, (limitMs) => watch(stream, clock, limitMs));
  },
};

function watch(stream: ExtendedStream, clock: StreamClock, limitMs: number): () => void {
  const halfAt = clock.now() + limitMs / 2;
  return watchWakeUps(clock, () => {
    const { state } = stream;
    // The server may be back, unless it asked to be left alone; or the connection is dead, unless it is quite new.
    const isDue = state.name === 'waiting' ? !state.reason.retryAfterMs : clock.now() >= halfAt;
    if (isDue) stream.reconnect();
  });
}

/** Asks at once when the machine wakes, is back online, or the page is shown again. See {@link StreamFeatures}. */
export const wakeUps: StreamPart<'wakeUps'> = part;
