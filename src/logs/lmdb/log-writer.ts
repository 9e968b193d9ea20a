import type { Clock, ClockTimer } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type { AppendResult, LogState, Retention } from '../../core/log/event-log.ts';
import { AppendQueue } from '../append-queue.ts';
import type { AppendRequest } from '../append-request.ts';
import { turnOfLoop } from '../record-source.ts';
import { AppendGroup } from './append-group.ts';
import type { LogChange, LogPosition, LogStore } from './log-store.ts';
import { removedBy } from './pin-group.ts';
import { Trimming } from './trimming.ts';

/** Age is looked at this often at most. */
const SHORTEST_AGE_CHECK_MS = 1000;

export interface LogWriterOptions {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly retention: Retention;
  readonly dedupeWindowMs: number;
  /** Called after every commit, before its appends are acknowledged. */
  readonly onCommit: () => void;
}

/**
 * The only writer of a store: appends that come while a commit is under way make up the next one (group commit). One
 * commit at a time, so the head that an append is given, or compared with, is the head of the store; a commit that
 * fails fails all of its appends, and the next one starts from what the store then holds.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #trimming: Trimming;
  readonly #epoch: string;
  #position: LogPosition;
  /** `stale` after a commit that failed, until the position was read again. */
  #positionIs: 'current' | 'stale' = 'current';
  readonly #queue = new AppendQueue();
  #isTrimDue: boolean;
  #ageCheck: ClockTimer | undefined;
  #state: 'open' | 'closed' = 'open';
  #running: Promise<void> | undefined;

  constructor(options: LogWriterOptions) {
    const { epoch, first, head, bytes } = options.store.state();
    this.#options = options;
    this.#trimming = new Trimming(options);
    this.#epoch = epoch;
    this.#position = { first, head, bytes };
    this.#isTrimDue = this.#trimming.isDueIn(this.#position);
    if (this.#isTrimDue) this.#run();
    else this.#scheduleAgeCheck();
  }

  /** Where the log stands as far as it is acknowledged. */
  state(): LogState {
    const { first, head } = this.#position;
    return { epoch: this.#epoch, first, head };
  }

  /** @throws BrokerError `at_capacity` */
  append(request: AppendRequest): Promise<AppendResult> {
    const appended = this.#queue.add(request);
    this.#run();
    return appended;
  }

  /** Resolves when nothing is left that `retention` does not keep. */
  trim(retention: Retention): Promise<void> {
    const trimmed = this.#trimming.ask(retention);
    this.#run();
    return trimmed;
  }

  /** Writes what was appended before, then ends. Trimming that is not done goes on when the log is opened again. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#ageCheck?.cancel();
    await this.#running;
    this.#trimming.fail(new BrokerError('closed', 'The log was closed before it was trimmed.'));
  }

  #run(): void {
    this.#running ??= this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    // The appends of one turn of the event loop, and those that the last acknowledgements brought about, go together.
    do {
      await turnOfLoop();
      await this.#commitSome();
    } while (this.#hasWork());
    // In the same turn as the question above: an append in between would find nobody running.
    this.#running = undefined;
    this.#scheduleAgeCheck();
  }

  #hasWork(): boolean {
    if (this.#queue.size > 0) return true;
    if (this.#state === 'closed' || this.#positionIs === 'stale') return false;
    return this.#isTrimDue || this.#trimming.hasPending;
  }

  async #commitSome(): Promise<void> {
    const group = new AppendGroup(this.#options);
    try {
      if (this.#positionIs === 'stale') this.#readPosition();
      this.#fill(group);
      await this.#commit(this.#changeOf(group));
      group.settle();
    } catch (error) {
      this.#positionIs = 'stale';
      this.#fail(
        group,
        BrokerError.is(error)
          ? error
          : new BrokerError('log_unavailable', 'The event log could not be read.', { cause: error }),
      );
    }
  }

  async #commit(change: LogChange): Promise<void> {
    if (this.#isChange(change)) await this.#options.store.commit(change);
    this.#position = change.position;
    this.#trimming.settle(this.#position);
    this.#isTrimDue = this.#trimming.isDueIn(this.#position);
    this.#options.onCommit();
  }

  #fill(group: AppendGroup): void {
    group.begin(this.#position.head);
    this.#queue.take(
      () => !group.isFull,
      (append) => group.add(append),
    );
  }

  #changeOf(group: AppendGroup): LogChange {
    const { first, bytes } = this.#position;
    const trimmed = this.#state === 'open' ? this.#trimming.dueIn(this.#position) : { records: 0, bytes: 0 };
    const nextFirst = first + trimmed.records;
    const { store } = this.#options;
    const pins = group.pins.changeIn(store);
    return {
      records: group.records,
      removed: removedBy(pins, store, first, nextFirst),
      ids: group.ids,
      expiredIds: group.expiredIds(),
      pins,
      position: { first: nextFirst, head: group.head, bytes: bytes + group.bytes - trimmed.bytes },
    };
  }

  #isChange({ records, expiredIds, position }: LogChange): boolean {
    return records.length > 0 || expiredIds.length > 0 || position.first > this.#position.first;
  }

  /** A store that does not answer fails all who wait: what comes later asks it anew. */
  #fail(group: AppendGroup, error: BrokerError): void {
    group.fail(error);
    this.#trimming.fail(error);
    this.#queue.fail(error);
  }

  /** What reached the store is asked of the store: a commit may fail after it was made. */
  #readPosition(): void {
    this.#options.store.refresh();
    const { first, head, bytes } = this.#options.store.state();
    this.#position = { first, head, bytes };
    this.#positionIs = 'current';
    this.#options.onCommit();
  }

  #scheduleAgeCheck(): void {
    this.#ageCheck?.cancel();
    if (this.#state === 'closed' || this.#positionIs === 'stale') return;
    const dueInMs = this.#trimming.nextDueInMs(this.#position);
    if (dueInMs === undefined) return;
    this.#ageCheck = this.#options.clock.after(Math.max(dueInMs, SHORTEST_AGE_CHECK_MS), () => this.#run());
  }
}
