import type { AclRef } from '../../model/acl-ref.ts';
import { EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import { BrokerError } from '../../model/errors.ts';
import type { NewEvent } from '../../model/event.ts';
import type { LogCapabilities } from '../log/event-log.ts';
import type { LogFeed } from '../log/log-feed.ts';
import { changedRefs, checkEvents, checkIndex, type PublishOptions } from './publish-request.ts';
import type { Topics } from '../../model/topics.ts';

export interface PublisherOptions {
  readonly topics: Topics;
  /** Where batches go first; undefined where this process alone gives the indexes. */
  readonly feed: LogFeed | undefined;
  readonly capabilities: LogCapabilities | undefined;
  /** Newest published index. */
  readonly head: () => number;
  readonly accept: (batch: EncodedBatch, refs: readonly AclRef[]) => void;
  /** Resolves when nothing is under way that must not be disturbed; undefined when nothing is. */
  readonly atRest: () => Promise<void> | undefined;
  /** @throws BrokerError `closed` */
  readonly requireOpen: () => void;
}

/** Step one of a batch: checks it, copies it, and gets it its index. What fails leaves everything as it was. */
export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Synchronous up to `accept` where there is no log and nothing to commit. */
  publish(events: NewEvent | readonly NewEvent[], options: PublishOptions): number | Promise<number> {
    const checked = checkEvents(events, this.#options.topics);
    // After the payloads were read, which may run the host's code.
    this.#options.requireOpen();
    this.#checkOptions(options);
    if (options.commit !== undefined) return this.#after(options.commit(), checked, options);
    return this.#assign(checked, options);
  }

  async #after(step: unknown, events: readonly EncodedEvent[], options: PublishOptions): Promise<number> {
    await step;
    this.#options.requireOpen();
    return this.#assign(events, options);
  }

  #assign(events: readonly EncodedEvent[], options: PublishOptions): number | Promise<number> {
    const { feed, topics } = this.#options;
    const refs = changedRefs(events, topics);
    if (feed) {
      const { id, expectedIndex, signal } = options;
      return feed.append(events, refs, { id, expectedHead: expectedIndex, signal });
    }
    const rest = this.#options.atRest();
    if (rest) return this.#after(rest, events, options);
    const batch = new EncodedBatch(this.#nextIndex(options), events);
    this.#options.accept(batch, refs);
    return batch.index;
  }

  #nextIndex({ index, expectedIndex }: PublishOptions): number {
    const head = this.#options.head();
    if (expectedIndex !== undefined && expectedIndex !== head) {
      throw new BrokerError('index_conflict', `expectedIndex is ${expectedIndex}; the newest index is ${head}.`);
    }
    const next = index ?? head + 1;
    if (next > Number.MAX_SAFE_INTEGER) throw new BrokerError('index_conflict', `There is no index above ${head}.`);
    if (next > head) return next;
    throw new BrokerError('index_conflict', `index must be above the newest index, ${head}; got ${next}.`);
  }

  #checkOptions({ index, id, expectedIndex }: PublishOptions): void {
    const { capabilities } = this.#options;
    if (index !== undefined) {
      checkIndex(index, 'index', 1);
      if (capabilities) throw unsupported('index', 'no log: a log gives the indexes itself');
    }
    if (id !== undefined && !(capabilities && capabilities.dedupeWindowMs > 0))
      throw unsupported('id', 'a log with dedupeWindowMs above 0');
    if (expectedIndex !== undefined) {
      checkIndex(expectedIndex, 'expectedIndex', 0);
      if (capabilities && !capabilities.compareAndAppend)
        throw unsupported('expectedIndex', 'a log with compareAndAppend');
    }
  }
}

const unsupported = (option: string, need: string) =>
  new BrokerError('not_supported', `Publishing with ${option} needs ${need}; nothing was published.`);
