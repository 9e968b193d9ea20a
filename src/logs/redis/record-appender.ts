import { systemClock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';
import type { AppendResult } from '../../core/log/event-log.ts';
import { AppendBounds } from '../append-bounds.ts';
import { indexConflict } from '../append-request.ts';
import type { AppendRequest } from '../append-request.ts';
import { turnOfLoop } from '../record-source.ts';
import { untilAborted } from '../wait.ts';
import { failureOf, isRefusal } from './failure.ts';
import type { LogStore, Outcome } from './log-store.ts';

/** One call appends at most so many records … */
const GROUP_RECORDS = 512;
/** … and about so many bytes: while it runs, the server answers nobody else. */
const GROUP_BYTES = 1024 * 1024;

interface PendingAppend {
  readonly request: AppendRequest;
  /** When it is given up unless it was sent. */
  readonly deadline: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends, in groups: what comes while a call is under way makes up the next one, which the server does in one step. One
 * call at a time, so the server can tell by its number alone that it did it already.
 *
 * What was not sent waits for its turn and for the connection, `appendTimeoutMs` long; what was sent fails with its
 * connection, since nobody knows whether it was stored. Within {@link AppendBounds}.
 */
export class RecordAppender {
  readonly #store: LogStore;
  readonly #closed: AbortSignal;
  readonly #bounds = new AppendBounds();
  #pending: PendingAppend[] = [];
  #running: Promise<void> | undefined;

  constructor(store: LogStore, closed: AbortSignal) {
    this.#store = store;
    this.#closed = closed;
  }

  /** @throws BrokerError `at_capacity`, and what an append fails with */
  async append(request: AppendRequest): Promise<AppendResult> {
    const { body, signal } = request;
    this.#bounds.take(body.byteLength);
    const deadline = performance.now() + this.#store.settings.appendTimeoutMs;
    const work = new Promise<AppendResult>((resolve, reject) => {
      this.#pending.push({ request, deadline, resolve, reject });
      this.#running ??= this.#run();
    });
    return untilAborted(
      work.finally(() => this.#bounds.release(body.byteLength)),
      signal,
    );
  }

  async #run(): Promise<void> {
    do {
      // The appends of one turn of the event loop, and those that the last answers brought about, go together.
      await turnOfLoop();
      await this.#untilConnected();
      await this.#send(this.#take());
    } while (this.#pending.length > 0);
    // In the same turn as the question above: an append in between would find nobody running.
    this.#running = undefined;
  }

  /** While there is no connection, what is sent would be sent much later, or be thrown away. */
  async #untilConnected(): Promise<void> {
    const [oldest] = this.#pending;
    const { connection } = this.#store;
    if (oldest) await connection.untilBack(oldest.deadline - performance.now(), this.#closed);
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

  #mayBeSent({ request: { signal }, deadline, reject }: PendingAppend): boolean {
    if (signal?.aborted) reject(signal.reason);
    else if (this.#closed.aborted) reject(new BrokerError('closed', 'The log was closed; nothing was stored.'));
    else if (this.#store.connection.isDown && performance.now() >= deadline) reject(unavailable('nothing was stored'));
    else return true;
    return false;
  }

  async #send(group: readonly PendingAppend[]): Promise<void> {
    if (group.length === 0) return;
    // Not yet connected again, and not too late for all: they take the next turn.
    if (this.#store.connection.isDown) return void this.#pending.unshift(...group);
    try {
      const outcomes = await this.#answer(group);
      group.forEach((append, at) => settle(append, outcomes[at]));
    } catch (error) {
      const failure = this.#failure(error);
      for (const { reject } of group) reject(failure);
    }
  }

  #answer(group: readonly PendingAppend[]): Promise<readonly Outcome[]> {
    const work = this.#store.append(group.map(({ request }) => request));
    return withDeadline(systemClock, this.#store.settings.appendTimeoutMs, work, () => unavailable(unknown));
  }

  #failure(thrown: unknown): BrokerError {
    const { code, message, cause } = failureOf(thrown, this.#store.settings.stream);
    if (isRefusal(thrown) || BrokerError.is(thrown)) return new BrokerError(code, message, { cause });
    return new BrokerError('log_unavailable', `The connection of the log broke; ${unknown}.`, { cause });
  }
}

const unknown = 'it is not known whether it was stored';

const unavailable = (outcome: string): BrokerError =>
  new BrokerError('log_unavailable', `The log did not acknowledge the record in time; ${outcome}.`);

function settle({ request, resolve, reject }: PendingAppend, outcome: Outcome | undefined): void {
  if (outcome === undefined) return reject(unavailable(unknown));
  const { kind, index } = outcome;
  if (kind === 'conflict') reject(indexConflict(request.expectedHead ?? index, index));
  else resolve({ index, duplicate: kind === 'duplicate' });
}
