import type { Change } from './cluster.ts';
import { Cluster } from './cluster.ts';
import { Random } from './random.ts';

/** As much of an `EventBroker` as the cluster needs. */
export interface Publisher {
  publish(events: Change, options?: { readonly index?: number }): Promise<number>;
}

/** Time, as the cluster sees it; tests step it by hand. */
export interface ClusterClock {
  now(): number;
  after(delayMs: number, call: () => void): { cancel(): void };
}

export interface ClusterOptions {
  /** Another seed, another story. Default 1. */
  readonly seed?: number;
  /** Time between two batches. Default 600 ms. */
  readonly paceMs?: number;
  /** How many batches are published at once at the start, so that there is a backlog to read. Default 160. */
  readonly historyBatches?: number;
  readonly clock?: ClusterClock;
  /** Called once, when a batch cannot be published: the cluster has stopped then. Default: printed. */
  readonly onError?: (error: unknown) => void;
}

export interface RunningCluster {
  /** Settled when the history has been published. Never rejects. */
  readonly ready: Promise<void>;
  /** Publishes nothing more; may be called twice. */
  stop(): void;
}

/** The sample that the cluster begins with was streamed at this index. */
const FIRST_INDEX = 7;

const systemClock: ClusterClock = {
  now: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Feeds a broker from a small simulated cluster: nodes register, jobs are deployed, allocations come and go, in the
 * namespaces `default`, `prod` and `team-a`. It stops by itself when the broker is closed.
 *
 * At the default pace, 4096 batches of backlog hold the first registration for more than half an hour.
 */
export function startCluster(broker: Publisher, options: ClusterOptions = {}): RunningCluster {
  return new ClusterFeed(broker, options);
}

class ClusterFeed implements RunningCluster {
  readonly ready: Promise<void>;
  readonly #broker: Publisher;
  readonly #clock: ClusterClock;
  readonly #paceMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #life: Iterator<Change, void>;
  #timer: { cancel(): void } | undefined;
  #isStopped = false;

  constructor(broker: Publisher, options: ClusterOptions) {
    const { seed = 1, paceMs = 600, historyBatches = 160, clock = systemClock, onError = console.error } = options;
    this.#broker = broker;
    this.#clock = clock;
    this.#paceMs = paceMs;
    this.#onError = onError;
    this.#life = new Cluster(new Random(seed), () => clock.now()).life();
    this.ready = this.#begin(historyBatches);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #begin(historyBatches: number): Promise<void> {
    await this.#publishNext({ index: FIRST_INDEX });
    for (let published = 1; published < historyBatches; published++) await this.#publishNext();
    this.#wait();
  }

  #wait(): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.after(this.#paceMs, () => {
      void this.#publishNext().then(() => this.#wait());
    });
  }

  async #publishNext(options?: { readonly index: number }): Promise<void> {
    const change = this.#isStopped ? undefined : this.#life.next().value;
    if (change !== undefined) await this.#publish(change, options);
  }

  async #publish(change: Change, options?: { readonly index: number }): Promise<void> {
    try {
      await this.#broker.publish(change, options);
    } catch (error) {
      // A broker with a durable log takes no index: the log gives its own.
      if (options !== undefined && codeOf(error) === 'not_supported') return this.#publish(change);
      this.stop();
      if (codeOf(error) !== 'closed') this.#onError(error);
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
