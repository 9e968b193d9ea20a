import type { Subscription } from 'fenceline';

export { ndjsonFormat } from 'fenceline/ndjson';
export type { ByteSink } from 'fenceline';
export declare const subscription: Subscription;
export declare const socket: {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array): void;
  close(): void;
  on(event: 'drain' | 'close', listener: () => void): void;
};
