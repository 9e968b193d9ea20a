import { systemClock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';
import type { AppendResult } from '../../core/log/event-log.ts';
import { AppendBounds } from '../append-bounds.ts';
import { indexConflict } from '../append-request.ts';
import type { AppendRequest } from '../append-request.ts';
import { untilAborted } from '../wait.ts';
import { failureOf, isRefusal } from './failure.ts';
import type { LogStore, Outcome, Writer } from './log-store.ts';

/**
 * One call appends at most so many records: its own cost is next to nothing then, and with more in flight the server
 * works at one call while this process reads the answer of another …
 */
const GROUP_RECORDS = 32;
/** … and about so many bytes, unless one is larger: a group is read as a whole, whatever is wanted of it. */
const GROUP_BYTES = 64 * 1024;
/** So many calls are under way at once. */
const LANES = 8;

interface PendingAppend {
  readonly request: AppendRequest;
  /** When it is given up unless it was sent. */
  readonly deadline: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends, in groups, each of which the server does in one step. A call goes over a lane, one at a time: the server can
 * tell by its number alone that it did it already. What comes while all lanes are taken makes up the next groups. They
 * are sent in the order of the appends, over one connection, which keeps it.
 *
 * What was not sent waits for its turn and for the connection, `appendTimeoutMs` long; what was sent fails with its
 * connection, since nobody knows whether it was stored. Within {@link AppendBounds}.
 */
export class RecordAppender {
  readonly #store: LogStore;
  readonly #closed: AbortSignal;
  readonly #bounds = new AppendBounds();
  readonly #pending: PendingAppend[] = [];
  readonly #lanes: Writer[];
  #isGathering = false;

  constructor(store: LogStore, closed: AbortSignal) {
    this.#store = store;
    this.#closed = closed;
    this.#lanes = Array.from({ length: LANES }, () => store.newWriter());
  }

  /** @throws BrokerError `at_capacity`, and what an append fails with */
  append(request: AppendRequest): Promise<AppendResult> {
    this.#bounds.take(request.body.byteLength);
    const deadline = performance.now() + this.#store.settings.appendTimeoutMs;
    const work = new Promise<AppendResult>((resolve, reject) => {
      this.#pending.push({ request, deadline, resolve, reject });
      this.#gather();
    });
    return untilAborted(work, request.signal);
  }

  /** Sends what waits, where there is a lane for it. */
  #gather(): void {
    if (this.#isGathering || this.#pending.length === 0) return;
    const lane = this.#lanes.shift();
    if (lane === undefined) return;
    this.#isGathering = true;
    // When nothing is left to do in this turn of the event loop: what is appended together, or brought about by the
    // last answers, is there by then. Not a turn later: the client waits one by itself, and two are felt each time.
    process.nextTick(() => void this.#serve(lane));
  }

  async #serve(lane: Writer): Promise<void> {
    if (this.#store.connection.isDown) await this.#untilConnected();
    const group = this.#take();
    this.#isGathering = false;
    const sending = this.#send(lane, group);
    this.#gather();
    await sending;
    // The one that was used last goes first: the head holds a line for each that was ever used.
    this.#lanes.unshift(lane);
    this.#gather();
  }

  /** While there is no connection, what is sent would be sent much later, or be thrown away. */
  async #untilConnected(): Promise<void> {
    const [oldest] = this.#pending;
    if (oldest) await this.#store.connection.untilBack(oldest.deadline - performance.now(), this.#closed);
  }

  #take(): PendingAppend[] {
    const group: PendingAppend[] = [];
    let taken = 0;
    for (let bytes = 0; taken < this.#pending.length && group.length < GROUP_RECORDS; taken++) {
      const append = this.#pending[taken] as PendingAppend;
      bytes += append.request.body.byteLength;
      if (group.length > 0 && bytes > GROUP_BYTES) break;
      if (this.#mayBeSent(append)) group.push(append);
    }
    this.#pending.splice(0, taken);
    return group;
  }

  #mayBeSent(append: PendingAppend): boolean {
    const { signal } = append.request;
    if (signal?.aborted) this.#reject(append, signal.reason);
    else if (this.#closed.aborted) this.#reject(append, closedError());
    else if (this.#store.connection.isDown) this.#reject(append, unavailable('nothing was stored'));
    else return true;
    return false;
  }

  async #send(lane: Writer, group: readonly PendingAppend[]): Promise<void> {
    if (group.length === 0) return;
    try {
      const outcomes = await this.#answer(lane, group);
      group.forEach((append, at) => this.#settle(append, outcomes[at]));
    } catch (error) {
      const failure = this.#failure(error);
      for (const append of group) this.#reject(append, failure);
    }
  }

  #answer(lane: Writer, group: readonly PendingAppend[]): Promise<readonly (Outcome | undefined)[]> {
    const work = this.#store.append(
      lane,
      group.map(({ request }) => request),
    );
    return withDeadline(systemClock, this.#store.settings.appendTimeoutMs, work, () => unavailable(unknown));
  }

  #settle(append: PendingAppend, outcome: Outcome | undefined): void {
    if (outcome === undefined) return this.#reject(append, unavailable(unknown));
    const { kind, index } = outcome;
    const { expectedHead = index } = append.request;
    if (kind === 'conflict') return this.#reject(append, indexConflict(expectedHead, index));
    this.#bounds.release(append.request.body.byteLength);
    append.resolve({ index, duplicate: kind === 'duplicate' });
  }

  #reject({ request, reject }: PendingAppend, error: unknown): void {
    this.#bounds.release(request.body.byteLength);
    reject(error);
  }

  #failure(thrown: unknown): BrokerError {
    const { code, message, cause } = failureOf(thrown, this.#store.settings.stream);
    if (isRefusal(thrown) || BrokerError.is(thrown)) return new BrokerError(code, message, { cause });
    return new BrokerError('log_unavailable', `The connection of the log broke; ${unknown}.`, { cause });
  }
}

const unknown = 'it is not known whether it was stored';

const closedError = (): BrokerError => new BrokerError('closed', 'The log was closed; nothing was stored.');

const unavailable = (outcome: string): BrokerError =>
  new BrokerError('log_unavailable', `The log did not acknowledge the record in time; ${outcome}.`);
