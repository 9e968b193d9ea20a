import type { AppendResult } from '../../core/log/event-log.ts';
import { AppendQueue } from '../append-queue.ts';
import type { PendingAppend } from '../append-queue.ts';
import type { AppendRequest } from '../append-request.ts';
import { turnOfLoop } from '../record-source.ts';
import { resultOf } from './append-statement.ts';
import type { AppendOutcome, AppendStatement } from './append-statement.ts';
import { PreparedStatements } from './prepared.ts';
import { PoolFailure, unavailable } from './pool-access.ts';
import type { PoolAccess } from './pool-access.ts';

/** One commit appends at most so many records … */
const GROUP_RECORDS = 512;
/** … and about so many bytes, so that putting them together does not hold the event loop. */
const GROUP_BYTES = 4 * 1024 * 1024;
/** So much longer than the server waits for other writers do we wait for the server. */
const COMMIT_MS = 2_000;
/** PostgreSQL's code for a server, or a session, that only reads. */
const READ_ONLY = '25006';
/** PostgreSQL's code for a lock that was not to be had in time. */
const LOCK_NOT_AVAILABLE = '55P03';

export interface GroupWriterOptions {
  readonly pool: PoolAccess;
  readonly statement: AppendStatement;
  readonly dedupeWindowMs: number;
  readonly appendTimeoutMs: number;
  /** Called after every commit, before its appends are acknowledged, with what became of each. */
  readonly onCommit: (outcomes: readonly AppendOutcome[], requests: readonly AppendRequest[]) => void;
}

/**
 * Appends on connections of the pool: those that come while a commit is under way make up the next one (group commit).
 * One commit at a time: writers queue for the head row anyhow, and two of one process would only keep their order by
 * chance.
 */
export class GroupWriter {
  readonly #options: GroupWriterOptions;
  readonly #prepared = new PreparedStatements();
  readonly #queue = new AppendQueue();
  #running: Promise<void> | undefined;

  constructor(options: GroupWriterOptions) {
    this.#options = options;
  }

  /** @throws BrokerError `at_capacity`, and what an append fails with */
  async append(request: AppendRequest): Promise<AppendResult> {
    const appended = this.#queue.add(request);
    this.#running ??= this.#writeAll();
    return appended;
  }

  /** Resolves when everything that was appended before is written, or failed. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #writeAll(): Promise<void> {
    // The appends of one turn of the event loop, and those that the last acknowledgements brought about, go together.
    do {
      await turnOfLoop();
      const group = this.#taken();
      if (group.length > 0) await this.#write(group);
    } while (this.#queue.size > 0);
    this.#running = undefined;
  }

  #taken(): readonly PendingAppend[] {
    const group: PendingAppend[] = [];
    let bytes = 0;
    this.#queue.take(
      () => group.length < GROUP_RECORDS && bytes < GROUP_BYTES,
      (append) => {
        const { signal, bytes: own } = append.request;
        bytes += own;
        if (signal?.aborted) append.reject(signal.reason);
        else group.push(append);
      },
    );
    return group;
  }

  async #write(group: readonly PendingAppend[]): Promise<void> {
    const requests = group.map(({ request }) => request);
    try {
      const outcomes = await this.#run(requests);
      this.#options.onCommit(outcomes, requests);
      group.forEach((append, at) => settle(append, outcomes[at] as AppendOutcome));
    } catch (failure) {
      const error = this.#failed(failure);
      for (const { reject } of group) reject(error);
    }
  }

  #run(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    const { pool, statement, dedupeWindowMs, appendTimeoutMs: waitMs } = this.#options;
    return pool.run(waitMs + COMMIT_MS, (client) => {
      const query = (text: string, values: unknown[]) => this.#prepared.run(client, text, values);
      return statement.run(query, requests, { dedupeWindowMs, waitMs });
    });
  }

  #failed(failure: unknown): unknown {
    if (!(failure instanceof PoolFailure)) return failure;
    const { outcome, code } = failure;
    const { appendTimeoutMs } = this.#options;
    if (code === LOCK_NOT_AVAILABLE) {
      const holder = `Another writer, or a transaction of the host, held the log for ${appendTimeoutMs} ms`;
      return unavailable(`${holder}; nothing was appended.`, failure);
    }
    if (code === READ_ONLY)
      return unavailable(
        'The server is read-only, as a replica is until it is promoted; nothing was appended.',
        failure,
      );
    if (outcome !== 'unknown') return unavailable('The log did not take the record; nothing was appended.', failure);
    return unavailable('The log did not acknowledge the record; it is not known whether it was stored.', failure);
  }
}

function settle({ request, resolve, reject }: PendingAppend, outcome: AppendOutcome): void {
  try {
    resolve(resultOf(outcome, request));
  } catch (conflict) {
    reject(conflict);
  }
}
