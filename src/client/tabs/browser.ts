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
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** What tabs find and hear each other by. */
export interface Browser {
  readonly locks: Locks;
  readonly openChannel: (name: string) => Channel;
}

/** Undefined where there is no such thing: on servers, and in pages without HTTPS. */
export function browserHere(): Browser | undefined {
  const { navigator, BroadcastChannel: Channel } = globalThis as {
    readonly navigator?: { readonly locks?: Locks };
    readonly BroadcastChannel?: new (name: string) => unknown;
  };
  if (!navigator?.locks || !Channel) return undefined;
  return { locks: navigator.locks, openChannel: (name) => new Channel(name) as Channel };
}
