/** As much of the Web Locks API as is used here; the types of Node 20 have none of it. */
export interface Locks {
  request(
    name: string,
    options: { readonly signal: AbortSignal } | { readonly steal: true },
    work: () => Promise<void>,
  ): Promise<void>;
}

/** As much of a `BroadcastChannel` as is used here. */
export interface Channel {
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: unknown): void;
  close(): void;
}

/** What tabs find and hear each other by. */
export interface Browser {
  readonly locks: Locks;
  readonly openChannel: (name: string) => Channel;
}

/**
 * Undefined where there is no such thing: in pages without HTTPS, and on servers, of which some have all but the
 * location.
 */
export function browserHere(): Browser | undefined {
  const {
    location,
    navigator,
    BroadcastChannel: Channel,
  } = globalThis as {
    readonly location?: unknown;
    readonly navigator?: { readonly locks?: Locks };
    readonly BroadcastChannel?: new (name: string) => unknown;
  };
  if (!location || !navigator?.locks || !Channel) return undefined;
  return { locks: navigator.locks, openChannel: (name) => new Channel(name) as Channel };
}
