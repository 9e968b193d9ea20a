import { randomUUID } from 'node:crypto';

import { systemClock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError } from '../../model/errors.ts';
import type { LogState, Retention } from '../../core/log/event-log.ts';
import { FairLimit } from '../../core/log/fair-limit.ts';
import type { AppendRequest } from '../append-request.ts';
import { SLICE_RECORDS } from '../record-source.ts';
import { failureOf, notQueued } from './failure.ts';
import type { LogSettings } from './options.ts';
import type { LiveConnection } from './live-connection.ts';
import { framesOf, groupsOf } from './record-format.ts';
import type { RecordGroup } from './record-format.ts';
import type { RedisCommand } from './redis-client.ts';
import { scripts } from './scripts.ts';
import type { Script } from './scripts.ts';
import { askServer } from './server-facts.ts';
import type { ServerRun } from './server-facts.ts';

/** So many chunks are asked for at once: appends go over the same connection, and wait for no more than those. */
const READS = 8;

/** Where the log stands, with the check value of its newest record. */
export interface StoredState extends LogState {
  readonly check: string;
}

/** Who appends: one call at a time, each with its number. */
export interface Writer {
  readonly name: string;
  calls: number;
}

/** What became of one append. */
export interface Outcome {
  readonly kind: 'appended' | 'duplicate' | 'conflict';
  /** Of the record; with a conflict the log's head. */
  readonly index: number;
}

const outcomes = { a: 'appended', d: 'duplicate', c: 'conflict' } as const;

/** The log within the server: its keys, and what is asked of them. */
export class LogStore {
  readonly settings: LogSettings;
  readonly connection: LiveConnection;
  readonly #trimmer = this.newWriter();
  readonly #keys: readonly string[];
  readonly #window: string;
  readonly #kept: string;
  readonly #reads = new FairLimit(READS);

  constructor(settings: LogSettings, connection: LiveConnection) {
    const { stream, retention, dedupeWindowMs } = settings;
    this.settings = settings;
    this.connection = connection;
    this.#keys = [stream, ...['head', 'ids', 'ids:before'].map((key) => `{${stream}}:${key}`)];
    // Without ids there is nothing to forget.
    this.#window = `${dedupeWindowMs || Infinity}`;
    this.#kept = keptBy(retention);
  }

  newWriter(): Writer {
    return { name: randomUUID(), calls: 0 };
  }

  /** @throws BrokerError `log_unavailable` */
  async state(): Promise<StoredState> {
    return stateOf(await this.#ask(scripts.read, ['1', '0', '0', '0']));
  }

  /**
   * The groups from the one that holds `from` on, as far as they are there: one at least, then no more than `maxBytes`
   * of bodies.
   * @throws BrokerError `log_unavailable`
   */
  async read(
    from: number,
    to: number,
    maxBytes: number,
  ): Promise<{ state: StoredState; groups: readonly RecordGroup[] }> {
    const last = Math.min(to, Number.MAX_SAFE_INTEGER);
    const args = [from, last, maxBytes, SLICE_RECORDS].map(String);
    const answer = await this.#reads.run(() => this.#ask(scripts.read, args));
    return { state: stateOf(answer), groups: groupsOf((answer as readonly unknown[])[4] as readonly unknown[]) };
  }

  /** @throws BrokerError when the server does not answer or may not be asked */
  askServer(): Promise<ServerRun> {
    return this.#answer(() => askServer(this.connection, this.settings.stream));
  }

  /**
   * Says which run of the server this is: where it may lack the end, the log gets another epoch.
   * @throws BrokerError
   */
  async meet({ runId, mayLackEnd }: ServerRun): Promise<StoredState> {
    return stateOf(await this.#ask(scripts.settle, [runId, mayLackEnd ? '1' : '0', '']));
  }

  /** Somebody knows that the log of this epoch lost its end: it gets another one, if it has not by now. */
  async endEpoch(epoch: string): Promise<void> {
    await this.#ask(scripts.settle, ['', '0', epoch]);
  }

  /**
   * Appends in one step. Not asked again: a client may send it twice by itself, the server does it once. Undefined
   * where the answer makes no sense.
   * @throws what the client rejects with
   */
  async append(writer: Writer, requests: readonly AppendRequest[]): Promise<readonly (Outcome | undefined)[]> {
    writer.calls += 1;
    const args: (string | Buffer)[] = [`${writer.calls}`, this.#window, `${requests.length}`];
    args.push(framesOf(requests), this.#kept);
    if (requests.some(({ id, expectedHead }) => id !== undefined || expectedHead !== undefined)) {
      for (const { id = '', expectedHead = '' } of requests) args.push(id, `${expectedHead}`);
    }
    const answer = await this.#run(scripts.append, writer, args);
    return outcomesOf(String(answer), requests.length);
  }

  /** Gives what others put behind the head an index of its own, and drops what `retention` does not keep. */
  async trim(retention: Retention): Promise<void> {
    const args = ['', this.#window, '0', '', keptBy(retention)];
    while (String(await this.#ask(scripts.append, args)) === '1');
  }

  /** Asks when there is a connection, which is waited for. */
  #ask(script: Script, args: readonly string[]): Promise<unknown> {
    return this.#answer(() => this.#run(script, this.#trimmer, args));
  }

  async #answer<R>(question: () => Promise<R>): Promise<R> {
    const { requestTimeoutMs, stream } = this.settings;
    await this.connection.untilBack(requestTimeoutMs);
    const fail = (what: string) => new BrokerError('log_unavailable', `The ${what}.`);
    if (this.connection.isDown) throw fail(`client of the log "${stream}" is not connected`);
    const late = () => fail(`server of the log "${stream}" did not answer within ${requestTimeoutMs} ms`);
    try {
      return await withDeadline(systemClock, requestTimeoutMs, question(), late);
    } catch (error) {
      throw failureOf(error, stream);
    }
  }

  /** By its name first; with its text where the server does not know it: it forgets all when it starts. */
  #run(script: Script, { name }: Writer, args: RedisCommand): Promise<unknown> {
    const rest = [`${this.#keys.length}`, ...this.#keys, name, ...args];
    return this.connection.send(['EVALSHA', script.sha, ...rest]).then(notQueued, async (error: unknown) => {
      if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
      return notQueued(await this.connection.send(['EVAL', script.text, ...rest]));
    });
  }
}

/** Bounds as the server takes them: empty where everything is kept. */
function keptBy({ maxRecords, maxAgeMs, maxBytes }: Retention): string {
  const bounds = [maxRecords, maxAgeMs, maxBytes].map((bound = Infinity) => Math.floor(bound));
  if (!bounds.some(Number.isSafeInteger)) return '';
  return bounds.map((bound) => (Number.isSafeInteger(bound) ? `${bound}` : '-')).join(' ');
}

function stateOf(answer: unknown): StoredState {
  const [epoch, first, head, check] = answer as readonly unknown[];
  return { epoch: String(epoch), first: Number(String(first)), head: Number(String(head)), check: String(check) };
}

/** Of each record, or the index of the first where all were appended. */
function outcomesOf(answer: string, count: number): (Outcome | undefined)[] {
  const first = Number(answer);
  if (!Number.isSafeInteger(first)) return answer.split(' ').map(outcomeOf);
  const outcomes: Outcome[] = [];
  while (outcomes.length < count) outcomes.push({ kind: 'appended', index: first + outcomes.length });
  return outcomes;
}

function outcomeOf(text: string): Outcome | undefined {
  const [, letter, index] = /^([adc])(\d+)$/.exec(text) ?? [];
  return letter === undefined ? undefined : { kind: outcomes[letter as keyof typeof outcomes], index: Number(index) };
}
