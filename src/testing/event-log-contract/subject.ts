import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setImmediate as turnOfLoop } from 'node:timers/promises';

import type { BrokerErrorCode } from '../../model/errors.ts';
import { BrokerError } from '../../model/errors.ts';
import type { AppendOptions, EventLog, LogRecord, PinnedRecord, ReadOptions } from '../../core/log/event-log.ts';
import { TailRecorder } from '../tail-recorder.ts';
import type { EventLogHarness } from './harness.ts';

/** Calls that must not come are looked for over so many turns of the event loop. */
const QUIET_TURNS = 50;

/** Registers one test of the suite. */
export type Law<Storage> = (name: string, test: (subject: Subject<Storage>) => Promise<void>) => void;

/** The log of one test, with short words for what tests do to it. */
export class Subject<Storage> {
  readonly #harness: EventLogHarness<Storage>;
  readonly #storage: Storage;
  readonly #opened: EventLog[] = [];
  #log: EventLog;

  private constructor(harness: EventLogHarness<Storage>, storage: Storage, log: EventLog) {
    this.#harness = harness;
    this.#storage = storage;
    this.#log = log;
    this.#opened.push(log);
  }

  /** Runs a test on new storage, and clears up after it whatever comes. */
  static async run<Storage>(
    harness: EventLogHarness<Storage>,
    test: (subject: Subject<Storage>) => Promise<void>,
  ): Promise<void> {
    const storage = await harness.prepare();
    try {
      await new Subject(harness, storage, await harness.open(storage)).#runAndClose(test);
    } finally {
      await harness.dispose(storage);
    }
  }

  get log(): EventLog {
    return this.#log;
  }

  async another(): Promise<EventLog> {
    const log = await this.#harness.open(this.#storage);
    this.#opened.push(log);
    return log;
  }

  async reopen(): Promise<EventLog> {
    await this.#log.close();
    this.#log = await this.another();
    return this.#log;
  }

  async kill(): Promise<void> {
    await this.#harness.kill?.(this.#storage);
  }

  async recreate(): Promise<void> {
    if (!this.#harness.survivesRecreation) await this.#log.close();
    await this.#harness.recreate?.(this.#storage);
    if (!this.#harness.survivesRecreation) this.#log = await this.another();
  }

  /** Appends `count` records one after another; their bodies tell their order. @returns the indexes */
  async append(count: number, options?: AppendOptions): Promise<number[]> {
    const indexes: number[] = [];
    for (let i = 0; i < count; i++) indexes.push((await this.#log.append(bodyOf(`record ${i}`), options)).index);
    return indexes;
  }

  async trimTo(first: number): Promise<void> {
    if (!this.#log.trim) return this.#harness.trimTo?.(this.#storage, first);
    const { head } = await this.#log.state();
    await this.#log.trim({ maxRecords: head - first + 1 });
  }

  recorder(): TailRecorder {
    return new TailRecorder(this.#harness.deadlineMs);
  }

  /** A tail from after `after`, with what it tells. */
  async tail(after: number, log: EventLog = this.#log): Promise<TailRecorder> {
    const recorder = this.recorder();
    await log.tail(after, recorder);
    return recorder;
  }

  async #runAndClose(test: (subject: Subject<Storage>) => Promise<void>): Promise<void> {
    try {
      await test(this);
    } finally {
      await Promise.all(this.#opened.map((log) => log.close()));
    }
  }
}

export const bodyOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (record: LogRecord): string => new TextDecoder().decode(record.body);
/**
 * What a record holds, in one short line. Bodies are compared by this and not as arrays of numbers: where two long
 * arrays differ, Node's assert from version 22 on works out the difference in time that grows by the square.
 */
export const holds = ({ kind, body }: Pick<LogRecord, 'kind' | 'body'>): string =>
  `${kind}, ${body.length} bytes, SHA-256 ${createHash('sha256').update(body).digest('hex')}`;
export const indexesOf = (records: readonly LogRecord[]): number[] => records.map(({ index }) => index);

export async function readAll(log: EventLog, from: number, to: number, options?: ReadOptions): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const chunk of log.read(from, to, options)) records.push(...chunk);
  return records;
}

/** All that `pinned` gives. */
export async function pinnedIn(log: EventLog, options?: ReadOptions): Promise<PinnedRecord[]> {
  const records: PinnedRecord[] = [];
  for await (const chunk of log.pinned?.(options) ?? []) records.push(...chunk);
  return records;
}

/** Appends the newest record of these keys. */
export const pin = <Storage>({ log }: Subject<Storage>, ...pins: readonly string[]) =>
  log.append(bodyOf('x'), { pins });
/** The indexes of all that `pinned` gives. */
export const pinned = async <Storage>({ log }: Subject<Storage>) => indexesOf(await pinnedIn(log));

export async function rejectsWith(code: BrokerErrorCode, act: () => Promise<unknown>, message?: RegExp): Promise<void> {
  await assert.rejects(act, (error: unknown) => {
    assert.ok(BrokerError.is(error), `expected a BrokerError ${code}; got ${String(error)}`);
    assert.equal(error.code, code);
    if (message) assert.match(error.message, message);
    return true;
  });
}

/** Time enough for a call that should not come. */
export async function quietTurns(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn++) await turnOfLoop();
}

/** Fails unless each record follows on the one before, or on a gap that was told. */
export function checkNothingMissing({ calls }: TailRecorder, after: number): void {
  let position = after;
  for (const call of calls) {
    if (call.type === 'gap') {
      assert.equal(call.after, position, 'a gap begins where the tail stands');
      assert.ok(call.first > position + 1, 'a gap has records in it');
      position = call.first - 1;
    }
    if (call.type !== 'records') continue;
    for (const { index } of call.batch) assert.equal(index, (position += 1), 'records come without a hole');
  }
}
