import type { StreamPart } from './stream-features.ts';
import type { WakeUps } from './stream-parts.ts';
import type { WatchWakeUps } from './wait.ts';

/** As much of a page, or of a worker, as tells that the connection may be back. */
interface Page extends Partial<Listened> {
  readonly document?: Partial<Listened> & { readonly visibilityState?: string };
}

interface Listened {
  addEventListener(name: string, listener: () => void): void;
  removeEventListener(name: string, listener: () => void): void;
}

/** Calls when the browser is back online or the page is shown again. */
export const watchWakeUps: WatchWakeUps = (call) => {
  const page = globalThis as Page;
  const { document } = page;
  const shown = (): void => {
    if (document?.visibilityState === 'visible') call();
  };
  page.addEventListener?.('online', call);
  document?.addEventListener?.('visibilitychange', shown);
  return () => {
    page.removeEventListener?.('online', call);
    document?.removeEventListener?.('visibilitychange', shown);
  };
};

const support: WakeUps = { part: 'wakeUps', watch: watchWakeUps };

/** Asks at once when the browser is back online or the page is shown again. See {@link StreamFeatures}. */
export const wakeUps: StreamPart<'wakeUps'> = support;
