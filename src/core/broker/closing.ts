import type { FlushQueue } from '../delivery/flush-queue.ts';
import type { LogFeed } from '../log/log-feed.ts';
import type { Clock } from '../../model/clock.ts';
import { closed } from '../../model/errors.ts';
import type { PendingWork } from '../../model/pending-work.ts';
import { Drain } from './drain.ts';
import type { Lifetime } from './lifetime.ts';
import type { ReentryGate } from './reentry-gate.ts';
import type { SubscriptionRegistry } from './subscription-registry.ts';

export interface ClosingParts {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly gate: ReentryGate;
  readonly lifetime: Lifetime;
  readonly queue: FlushQueue;
  readonly registry: SubscriptionRegistry;
  readonly feed: LogFeed | undefined;
  /** Last bytes that transports still hold. */
  readonly endings: PendingWork;
  /** What has timers, or listens to something. */
  readonly stop: readonly { stop(): void }[];
  /** Tells the host that it is over. */
  readonly tell: () => void;
}

/** How a broker ends: at once, or with the goodbyes to its streams spread over a time. It ends once. */
export class Closing {
  readonly #parts: ClosingParts;
  #ending: Promise<void> | undefined;

  constructor(parts: ClosingParts) {
    this.#parts = parts;
  }

  /** @param drainMs 0: at once */
  close(drainMs: number): Promise<void> {
    return (this.#ending ??= drainMs > 0 ? this.#drain(drainMs) : this.#atOnce());
  }

  async #atOnce(): Promise<void> {
    const { feed, tell } = this.#parts;
    await this.#endAll();
    await feed?.close();
    tell();
  }

  async #drain(drainMs: number): Promise<void> {
    const { clock, random, lifetime, gate, registry, endings, feed, tell } = this.#parts;
    lifetime.drain();
    const drain = new Drain({ clock, random, drainMs });
    try {
      await gate.whenIdle();
      await drain.goodbyes(registry.streams());
      await this.#endAll();
      // Nothing is added any more: what is under way was handed over before.
      await drain.within(Promise.all([endings.done(), feed?.appended()]));
      await drain.within(Promise.resolve(feed?.close()));
    } finally {
      drain.release();
    }
    tell();
  }

  /** All that is still there ends now, what is read in process after what was published before. */
  async #endAll(): Promise<void> {
    const { lifetime, gate, queue, registry, stop } = this.#parts;
    lifetime.end();
    const idle = gate.whenIdle();
    if (idle) await idle;
    queue.flush();
    for (const reader of registry.all()) reader.fail(closed());
    queue.stop(closed());
    for (const one of stop) one.stop();
  }
}
