import type { EventBuffer } from '../backlog/event-buffer.ts';
import { AppendedBatch, EncodedBatch } from '../batch/encoded-batch.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import type { LogCapabilities } from '../log/event-log.ts';
import type { LogFeed } from '../log/log-feed.ts';
import { BrokerError } from '../../model/errors.ts';
import type { NewEvent } from '../../model/event.ts';
import type { Topics } from '../../model/topics.ts';
import type { BatchIntake } from './batch-intake.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { PublishMessage } from './diagnostics-messages.ts';
import type { Lifetime } from './lifetime.ts';
import type { CheckedLimits } from './limits.ts';
import { changedRefs, checkEvents, checkIndex, checkPublish, type PublishOptions } from './publish-request.ts';
import type { ReentryGate } from './reentry-gate.ts';
import type { Refusals } from './refusals.ts';

export interface PublisherParts {
  readonly topics: Topics;
  /** Where batches go first; undefined where this process alone gives the indexes. */
  readonly feed: LogFeed | undefined;
  readonly capabilities: LogCapabilities | undefined;
  readonly buffer: EventBuffer;
  readonly intake: BatchIntake;
  readonly gate: ReentryGate;
  readonly lifetime: Lifetime;
  readonly diagnostics: Diagnostics;
  readonly limits: CheckedLimits;
  readonly refusals: Refusals;
}

/** Step one of a batch: checks it, copies it, and gets it its index. What fails leaves everything as it was. */
export class Publisher {
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Synchronous up to the intake where there is no log and nothing to commit. */
  publish(events: NewEvent | readonly NewEvent[], options: PublishOptions): number | Promise<number> {
    const { diagnostics } = this.#parts;
    // A closure for each publish would be seen in what it costs.
    if (!diagnostics.isPublishTraced) return this.#publish(events, options);
    return diagnostics.publish((message) => this.#publish(events, options, message));
  }

  #publish(
    events: NewEvent | readonly NewEvent[],
    options: PublishOptions,
    message?: PublishMessage,
  ): number | Promise<number> {
    checkPublish(options);
    const checked = this.#checked(events);
    if (message) tell(message, checked);
    // After the payloads were read, which may run the host's code.
    this.#parts.lifetime.requireOpen();
    this.#checkSupport(options);
    return options.commit === undefined
      ? this.#assign(checked, options)
      : this.#commit(options.commit, checked, options);
  }

  #checked(events: NewEvent | readonly NewEvent[]): readonly EncodedEvent[] {
    try {
      return checkEvents(events, this.#parts);
    } catch (error) {
      this.#parts.refusals.note(error, { accessorId: undefined, topics: '', namespaces: [] });
      throw error;
    }
  }

  /**
   * What can be known is checked before the host commits. What fails afterwards leaves the host's change without its
   * event: that is said as what it is, and what the change took away is held here all the same.
   */
  async #commit(commit: () => unknown, events: readonly EncodedEvent[], options: PublishOptions): Promise<number> {
    const { feed, lifetime, intake, topics } = this.#parts;
    if (feed) await feed.up(options.signal);
    else this.#nextIndex(options);
    await commit();
    try {
      lifetime.requireOpen();
      return await this.#assign(events, options);
    } catch (cause) {
      const refs = changedRefs(events, topics);
      if (refs.length > 0) intake.changeAcls(refs);
      throw new BrokerError(
        'unpublished',
        'The commit is done, but its events were not published: publish them again, without commit.',
        { cause },
      );
    }
  }

  #assign(events: readonly EncodedEvent[], options: PublishOptions): number | Promise<number> {
    const { feed, topics, gate } = this.#parts;
    if (feed) {
      const { id, expectedIndex, transaction, signal } = options;
      const how = { id, expectedHead: expectedIndex, transaction, signal };
      return feed.append(events, changedRefs(events, topics), how);
    }
    const idle = gate.whenIdle();
    return idle ? this.#assignWhen(idle, events, options) : this.#accept(events, options);
  }

  async #assignWhen(idle: Promise<void>, events: readonly EncodedEvent[], options: PublishOptions): Promise<number> {
    await idle;
    this.#parts.lifetime.requireOpen();
    return this.#assign(events, options);
  }

  #accept(events: readonly EncodedEvent[], options: PublishOptions): number {
    const { head, latestIndex, appended } = this.#parts.buffer;
    const index = this.#nextIndex(options);
    // One that is appended stands behind the newest in the order, and moves what comes after it by one.
    const batch =
      index > latestIndex
        ? new EncodedBatch(index, events, head + index - latestIndex)
        : new AppendedBatch(index, events, head + 1, appended + 1);
    this.#parts.intake.accept(batch, changedRefs(events, this.#parts.topics));
    return index;
  }

  /** @throws BrokerError `index_conflict` */
  #nextIndex({ index, append = false, expectedIndex }: PublishOptions): number {
    const { head, latestIndex } = this.#parts.buffer;
    if (expectedIndex !== undefined && expectedIndex !== latestIndex)
      throw conflict(`expectedIndex is ${expectedIndex}; the newest index is ${latestIndex}.`);
    const next = index ?? latestIndex + 1;
    if (next + head - latestIndex > MAX_POSITION) throw conflict(`There is no index above ${latestIndex}.`);
    if (next > latestIndex || (append && next === latestIndex)) return next;
    const rule = append ? `the newest index, ${latestIndex}, or above it` : `above the newest index, ${latestIndex}`;
    throw conflict(`index must be ${rule}; got ${next}.`);
  }

  #checkSupport({ index, append = false, id, expectedIndex, transaction }: PublishOptions): void {
    const { capabilities } = this.#parts;
    if (index !== undefined) {
      checkIndex(index, 'index', 1);
      if (capabilities) throw unsupported('index', 'no log: a log gives the indexes itself');
    }
    if (append && index === undefined) throw new TypeError('append needs the index that the events are appended to.');
    if (id !== undefined && !(capabilities && capabilities.dedupeWindowMs > 0))
      throw unsupported('id', 'a log with dedupeWindowMs above 0');
    if (transaction !== undefined && !capabilities?.transactional)
      throw unsupported('transaction', 'a log that is transactional');
    if (expectedIndex !== undefined) {
      checkIndex(expectedIndex, 'expectedIndex', 0);
      if (capabilities && !capabilities.compareAndAppend)
        throw unsupported('expectedIndex', 'a log with compareAndAppend');
    }
  }
}

/** Each batch that was appended moves the positions after it by one: they reach the end of what is exact first. */
const MAX_POSITION = Number.MAX_SAFE_INTEGER;

function tell(message: PublishMessage, events: readonly EncodedEvent[]): void {
  message.events = events.length;
  message.topics = [...new Set(events.map(({ topic }) => topic))];
}

const conflict = (message: string) => new BrokerError('index_conflict', message);

const unsupported = (option: string, need: string) =>
  new BrokerError('not_supported', `Publishing with ${option} needs ${need}; nothing was published.`);
