/** A message, as far as the log looks at one. */
export interface NatsMessageLike {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  readonly headers?: { readonly code: number } | undefined;
}

/** News of a connection: `disconnect`, `reconnect`, `close` and others. */
export type NatsStatusLike = AsyncIterable<{ readonly type: string }> & { stop?(): void };

/**
 * What the log needs of a connection to NATS; a `NatsConnection` of `@nats-io/transport-node` is one. Said in our own
 * words, so that no declaration of the NATS client has to compile under its user's compiler options.
 */
export interface NatsConnectionLike {
  readonly info?: { readonly max_payload: number } | undefined;
  isClosed(): boolean;
  status(): NatsStatusLike;
  publish(subject: string, payload?: string, options?: { readonly reply?: string }): void;
  subscribe(
    subject: string,
    options?: { readonly callback?: (error: Error | null, message: NatsMessageLike) => void },
  ): { unsubscribe(): void };
}
