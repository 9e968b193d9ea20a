import type { RedisClientLike, RedisCommand } from './redis-client.ts';
import { RedisConnection } from './redis-client.ts';

/** A client that is not back after so long may never be. */
const PATIENCE_MS = 5_000;

/**
 * The host's connection; while its client is away for long, one of our own beside it. Both clients reconnect by
 * themselves, but node-redis before 6.2 does not always (its issue 3346), and then the log would be down until its
 * process ends.
 */
export class LiveConnection {
  readonly #host: RedisConnection;
  #own: RedisConnection | undefined;
  #giveUpAt: number | undefined;

  constructor(client: RedisClientLike) {
    this.#host = new RedisConnection(client);
  }

  get isDown(): boolean {
    return this.#current.isDown;
  }

  send(command: RedisCommand): Promise<unknown> {
    return this.#current.send(command);
  }

  /** Another connection to the same server, which is the caller's to destroy. */
  duplicate(): RedisConnection {
    return this.#host.duplicate();
  }

  /** Resolves when there is a connection; after `longestMs`, or when `signal` is aborted, anyway. */
  async untilBack(longestMs: number, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + longestMs;
    const mayWait = (): boolean => this.isDown && performance.now() < end && signal?.aborted !== true;
    while (mayWait()) {
      this.#giveUpAt ??= performance.now() + PATIENCE_MS;
      const waitMs = Math.max(0, Math.min(end, this.#giveUpAt) - performance.now());
      const ours = this.#own ? [this.#own] : [];
      await Promise.race([this.#host, ...ours].map((one) => one.untilBack(waitMs, signal)));
      if (this.isDown && performance.now() >= this.#giveUpAt) this.#replace();
    }
    if (!this.isDown) this.#giveUpAt = undefined;
  }

  /** Ends what is ours and leaves the host's client as it was. */
  release(): void {
    this.#host.release();
    this.#own?.destroy();
    this.#own = undefined;
  }

  get #current(): RedisConnection {
    return this.#own && this.#host.isDown ? this.#own : this.#host;
  }

  #replace(): void {
    this.#own?.destroy();
    this.#own = this.#host.duplicate();
    this.#giveUpAt = undefined;
  }
}
