import type { NatsConnectionLike, NatsStatusLike } from './nats-connection.ts';
import { pause } from './wait.ts';

/** The connection broke while an answer was waited for. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken';
}

/**
 * Whether the connection stands. It only makes things faster: a consumer is given up the moment its connection breaks,
 * and made anew the moment there is one again. Where a connection tells nothing, the server's silence does, a second or
 * two later.
 */
export class ConnectionWatch {
  readonly #statuses: NatsStatusLike;
  readonly #breakCalls = new Set<() => void>();
  #isDown = false;
  #return = new AbortController();

  constructor(connection: NatsConnectionLike) {
    this.#statuses = connection.status();
    // An end of the statuses, of whatever kind, is the end of the watch; the connection itself tells its users why.
    this.#run().catch(() => undefined);
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** Calls whenever the connection breaks, until the returned function is called. */
  onBreak(call: () => void): () => void {
    this.#breakCalls.add(call);
    return () => this.#breakCalls.delete(call);
  }

  /**
   * Resolves when the connection is back; at once when it stands; after `longestMs`, or when `signal` is aborted,
   * anyway.
   */
  async untilBack(longestMs: number, signal?: AbortSignal): Promise<void> {
    const back = this.#return.signal;
    if (this.#isDown) await pause(longestMs, signal ? AbortSignal.any([signal, back]) : back);
  }

  /**
   * What `work` comes to, unless the connection breaks before: an answer that was on its way does not arrive then.
   * @throws ConnectionBroken
   */
  async unlessBroken<T>(work: Promise<T>): Promise<T> {
    let unwatch: (() => void) | undefined;
    const broken = new Promise<never>((_, reject) => {
      unwatch = this.onBreak(() => reject(new ConnectionBroken('The connection broke before the answer came.')));
    });
    return Promise.race([work, broken]).finally(unwatch);
  }

  close(): void {
    this.#statuses.stop?.();
  }

  async #run(): Promise<void> {
    for await (const { type } of this.#statuses) {
      if (type === 'disconnect' || type === 'close') this.#break();
      // A connection that was closed does not come back: there is nothing to wait for.
      if (type === 'reconnect' || type === 'close') this.#mend();
    }
  }

  #break(): void {
    this.#isDown = true;
    for (const call of this.#breakCalls) call();
  }

  #mend(): void {
    this.#isDown = false;
    this.#return.abort();
    this.#return = new AbortController();
  }
}
