import { ConnectionState } from '../connection-state.ts';
import type { NatsConnectionLike, NatsStatusLike } from './nats-connection.ts';

/**
 * Whether the connection stands, by its statuses. Where a connection tells nothing, the server's silence does, a second
 * or two later.
 */
export class ConnectionWatch extends ConnectionState {
  readonly #statuses: NatsStatusLike;

  constructor(connection: NatsConnectionLike) {
    super();
    this.#statuses = connection.status();
    // An end of the statuses, of whatever kind, is the end of the watch; the connection itself tells its users why.
    this.#run().catch(() => undefined);
  }

  close(): void {
    this.#statuses.stop?.();
  }

  async #run(): Promise<void> {
    for await (const { type } of this.#statuses) {
      if (type === 'disconnect' || type === 'close') this.break();
      // A connection that was closed does not come back: there is nothing to wait for.
      if (type === 'reconnect' || type === 'close') this.mend();
    }
  }
}
