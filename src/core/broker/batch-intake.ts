import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { RetainedState } from '../backlog/retained-state.ts';
import { partedEvents, statePartOf, type StateChange } from '../backlog/state-changes.ts';
import { EncodedBatch, UnreadableBatch, type BatchPart } from '../batch/encoded-batch.ts';
import type { FlushQueue } from '../delivery/flush-queue.ts';
import type { Reader } from '../delivery/reader.ts';
import type { LogFeedHost } from '../log/log-feed.ts';
import type { LogState, LogStatus } from '../log/event-log.ts';
import type { LoadProgress } from '../log/state-loading.ts';
import type { Interest } from '../matching/interest.ts';
import type { InterestIndex } from '../matching/interest-index.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { AclRef } from '../../model/acl-ref.ts';
import type { Notify } from './broker-notifications.ts';
import type { BrokerStats } from './broker-stats.ts';
import type { ReentryGate } from './reentry-gate.ts';
import type { SubscriptionRegistry } from './subscription-registry.ts';

export interface BatchIntakeParts {
  readonly gate: ReentryGate;
  readonly buffer: EventBuffer;
  readonly state: RetainedState;
  readonly interests: InterestIndex;
  readonly queue: FlushQueue;
  readonly revocation: Revocation;
  readonly registry: SubscriptionRegistry;
  readonly notify: Notify;
}

/**
 * The one way in for what is published, here or through the log, and for news that the log is another one. The order of
 * its steps is the fence: what a batch takes away is held before the batch can be found, and it can be found before
 * anyone is woken.
 */
export class BatchIntake implements LogFeedHost {
  readonly #parts: BatchIntakeParts;
  /** What the batch that is being offered has changed of the state. */
  #changes: readonly StateChange[] | undefined;
  #batches = 0;
  #events = 0;

  constructor(parts: BatchIntakeParts) {
    this.#parts = parts;
  }

  stats(): Pick<BrokerStats, 'publishedBatches' | 'publishedEvents'> {
    return { publishedBatches: this.#batches, publishedEvents: this.#events };
  }

  /** @param refs the ACL objects that the batch changes */
  accept(batch: EncodedBatch, refs: readonly AclRef[]): void {
    const { gate } = this.#parts;
    if (gate.isBusy) return gate.defer(() => this.accept(batch, refs));
    // Not `run`: a closure for each publish would be seen in what it costs.
    gate.enter();
    try {
      this.#accept(batch, refs);
    } finally {
      gate.leave();
    }
  }

  /** ACL objects changed, and no batch tells of it: their subscriptions are held at the newest index. */
  changeAcls(refs: readonly AclRef[]): void {
    this.accept(new EncodedBatch(this.#parts.buffer.head, []), refs);
  }

  /**
   * A record that nobody can read stands at this index: it is passed, and every reader is told so. It may have been
   * news of ACLs: everybody's rights are asked for again before anything after it is read.
   */
  unreadable(index: number): void {
    const { gate } = this.#parts;
    gate.defer(() => gate.run(() => this.#acceptUnreadable(new UnreadableBatch(index))));
  }

  epoch(): string {
    return this.#parts.buffer.epoch;
  }

  /** The log was opened, is another one, or came back shorter: the indexes go on after its head. */
  restart({ epoch, first, head }: LogState): void {
    const { gate, buffer } = this.#parts;
    gate.defer(() => {
      const isSame = epoch === buffer.epoch;
      this.#beginAnew(head, epoch, (reader) => {
        if (isSame) reader.moveTo(head + 1, 'ahead');
        else reader.moveTo(first, 'restarted', epoch);
      });
    });
  }

  /** What came before `first` and was not seen yet is gone: the log was trimmed faster than it was followed. */
  skipped(first: number): void {
    const { gate, buffer } = this.#parts;
    gate.defer(() => this.#beginAnew(first - 1, buffer.epoch, (reader) => reader.moveTo(first, 'trimmed')));
  }

  /** What a log holds of the state was read: who waits for it reads on. */
  loaded(older: RetainedState): void {
    const { gate, state, registry } = this.#parts;
    gate.defer(() => {
      state.load(older);
      for (const reader of registry.all()) reader.wake();
    });
  }

  status(status: LogStatus, cause: Error | undefined, progress?: LoadProgress): void {
    this.#parts.notify('log', { status, cause, ...(progress && { progress }) });
  }

  #accept(batch: EncodedBatch, refs: readonly AclRef[]): void {
    const { revocation, queue, buffer } = this.#parts;
    revocation.expireDue();
    queue.flushBefore(buffer.wouldTrimUpTo(batch.bytes));
    queue.count(batch.bytes);
    if (refs.length > 0) revocation.change(refs, batch.position);
    // News of ACLs alone has no index of its own without a log.
    if (batch.position > buffer.head) this.#append(batch);
  }

  #acceptUnreadable(batch: EncodedBatch): void {
    const { revocation, queue, buffer, state, interests, registry } = this.#parts;
    queue.flush();
    const readers = registry.all();
    // Before it is there: those in step stand before it then, and each tells the gap for itself.
    for (const reader of readers) reader.stepOut();
    revocation.changeAll(batch.position);
    buffer.append(batch);
    state.appendUnreadable(batch.position);
    interests.concernAll(batch.position);
    for (const reader of readers) reader.wake();
  }

  #append(batch: EncodedBatch): void {
    const { buffer, state, interests } = this.#parts;
    buffer.append(batch);
    this.#batches++;
    this.#events += batch.events.length;
    this.#changes = state.append(batch);
    interests.match(batch, this.#offer);
    if (this.#changes !== undefined) this.#offerParted(batch, this.#changes);
  }

  readonly #offer = (interest: Interest, batch: EncodedBatch): void => {
    const changes = interest.isState ? this.#changes : undefined;
    const part =
      changes === undefined ? batch.part(interest.hits) : statePartOf(interest, batch, interest.hits, changes);
    this.#gather(interest, part);
  };

  /** Readers of the state that saw what a key was before, and not what it is now, are told that it is not theirs. */
  #offerParted(batch: EncodedBatch, changes: readonly StateChange[]): void {
    const events = partedEvents(changes);
    if (events.length === 0) return;
    this.#parts.interests.match({ events }, (interest) => {
      // What matched the batch too has been told.
      if (!interest.isState || interest.newestMatch === batch.position) return;
      this.#gather(interest, statePartOf(interest, batch, [], changes));
    });
  }

  #gather(interest: Interest, part: BatchPart | undefined): void {
    if (part !== undefined && interest.gather(part)) this.#parts.queue.add(interest, part.position);
  }

  /**
   * The buffer begins anew after `head`. What was not seen may have changed ACLs: everybody's rights are asked for
   * again.
   */
  #beginAnew(head: number, epoch: string, move: (reader: Reader) => void): void {
    const { gate, buffer, state, interests, queue, revocation, registry } = this.#parts;
    gate.run(() => queue.flush());
    const readers = registry.all();
    for (const reader of readers) reader.stepOut();
    revocation.changeAll();
    buffer.restart(head, epoch);
    // What the log holds of it is read then.
    state.restart();
    interests.restart(head);
    for (const reader of readers) move(reader);
  }
}
