import type { TailHandler } from '../../core/log/event-log.ts';
import { FollowedTail } from '../followed-tail.ts';
import { SLICE_BYTES } from '../read-request.ts';
import { turnOfLoop } from '../record-source.ts';
import { backoffMs, pause } from '../wait.ts';
import { failureOf } from './failure.ts';
import type { LogStore, StoredState } from './log-store.ts';
import { chainAfter, groupsOf } from './record-format.ts';
import type { RecordChain, RecordGroup } from './record-format.ts';
import type { StreamFollower } from './stream-follower.ts';

/** How long the client's own word that it is connected is waited for, before it is asked without. */
const RECONNECT_PATIENCE_MS = 30_000;

/** Where a tail begins. */
export interface TailStart {
  readonly position: number;
  readonly epoch: string;
  /** Check value of the record at the position, where it is known. */
  readonly seen: string | undefined;
}

/**
 * A tail: a position, and the check value of the record there. It looks at the log, tells what follows, and at the head
 * waits with the {@link StreamFollower}; whatever does not follow on what it told is looked at again. One loop makes
 * every call of the handler, so calls cannot overlap, and nothing is read that the handler is not ready for.
 *
 * A handler that throws ends its tail, which says so once (`down`, with what was thrown).
 */
export class RedisTail extends FollowedTail {
  readonly #store: LogStore;
  readonly #follower: StreamFollower;
  readonly #onEnd: (tail: RedisTail) => void;
  #epoch: string;
  #position: number;
  #seen: string | undefined;

  constructor(
    store: LogStore,
    follower: StreamFollower,
    { position, epoch, seen }: TailStart,
    handler: TailHandler,
    onEnd: (tail: RedisTail) => void,
  ) {
    super(handler);
    this.#store = store;
    this.#follower = follower;
    this.#position = position;
    this.#epoch = epoch;
    this.#seen = seen;
    this.#onEnd = onEnd;
  }

  /** From one trouble to the next. The server may be another one after it. */
  protected override async follow(): Promise<void> {
    if (this.failures > 0) await this.#store.meet(await this.#store.askServer());
    while (this.isOpen) {
      await this.#step();
      await turnOfLoop();
    }
  }

  async #step(): Promise<void> {
    const { state, groups } = await this.#store.read(this.#position + 1, Infinity, SLICE_BYTES);
    if (!this.isOpen) return;
    if (state.epoch !== this.#epoch) return this.#reset(state);
    if (this.#lacksEnd(state, groups)) return this.#store.endEpoch(state.epoch);
    if (this.#position === state.head) return this.#wait(state);
    this.handler.status(this.handler.lastStatus === 'up' ? 'up' : 'catching-up');
    if (this.#position + 1 < state.first) return this.#skipTo(state.first);
    const chain = chainAfter(this.#position, this.#seen, groups);
    if (chain.records.length > 0) return this.#deliver(chain);
    this.#skipTo(groups[0]?.first ?? state.head + 1);
  }

  /** What was told is not there any more, or something else is: the log goes on without it. */
  #lacksEnd({ head, check }: StoredState, [next]: readonly RecordGroup[]): boolean {
    if (head < this.#position) return true;
    if (this.#seen === undefined) return false;
    if (head === this.#position) return check !== this.#seen;
    return next !== undefined && next.first <= this.#position + 1 && next.before !== this.#seen;
  }

  /**
   * In step. Goes on until something comes that does not follow, or nothing for a second. What others put into the
   * stream has no place among the records until it is given one.
   */
  async #wait({ check }: StoredState): Promise<void> {
    this.#seen = check;
    this.handler.status('up');
    while (this.isOpen) {
      const entries = await this.#follower.next(this.#position, this.stopped);
      this.failures = 0;
      const groups = groupsOf(entries);
      const chain = chainAfter(this.#position, this.#seen, groups);
      if (chain.records.length === 0) return groups.length < entries.length ? this.#store.trim({}) : undefined;
      await this.#deliver(chain);
    }
  }

  async #deliver({ records, last, check }: RecordChain): Promise<void> {
    if (!this.isOpen) return;
    this.#position = last;
    this.#seen = check;
    await this.handler.records(records);
  }

  #reset(state: StoredState): void {
    this.#epoch = state.epoch;
    this.#position = state.head;
    this.#seen = state.check;
    this.handler.reset(state);
  }

  #skipTo(first: number): void {
    const after = this.#position;
    this.#position = first - 1;
    this.#seen = undefined;
    this.handler.gap(after, first);
  }

  /** A connection that broke alone is not told: `down` is, where the next question fails too. */
  protected override async recover(error: unknown): Promise<void> {
    const { connection, settings } = this.#store;
    if (this.failures === 1 && !connection.isDown) return;
    this.handler.status('down', failureOf(error, settings.stream));
    if (connection.isDown) await connection.untilBack(RECONNECT_PATIENCE_MS, this.stopped);
    else await pause(backoffMs(this.failures + 1), this.stopped);
  }

  protected override onEnd(): void {
    this.#onEnd(this);
  }
}
