import { BrokerError } from '../../model/errors.ts';
import type { AppendResult, LogTransaction } from '../../core/log/event-log.ts';
import { indexConflict } from '../append-request.ts';
import type { AppendRequest } from '../append-request.ts';
import { tablesOf } from './layout.ts';
import type { LogNames } from './layout.ts';
import { keyToHex } from './pin-keys.ts';
import { refuseIdle } from './postgres-client.ts';

/** What became of one append of a statement. */
export interface AppendOutcome {
  readonly epoch: string;
  readonly index: number;
  readonly outcome: 'made' | 'duplicate' | 'conflict';
  /** When it was appended, by the server's clock, in ms since 1970. */
  readonly time: number;
}

/** Runs it: a host's transaction, or a connection of the pool. */
type RunStatement = (text: string, values: unknown[]) => Promise<{ readonly rows: readonly unknown[] }>;

interface AppendTerms {
  readonly dedupeWindowMs: number;
  /** How long it may wait for other writers, in ms; null: as long as the transaction lets it. */
  readonly waitMs: number | null;
}

/** PostgreSQL's code for a transaction that does not see what others appended since it began. */
const SERIALIZATION_FAILURE = '40001';

/** Appends in one statement: in the order of the requests, each decided after those before it. */
export class AppendStatement {
  readonly #text: string;

  constructor(names: LogNames) {
    const parameters = Array.from({ length: 10 }, (_, i) => `$${i + 1}::${i === 0 ? 'bytea' : 'text'}`);
    const { append } = tablesOf(names);
    this.#text = `SELECT epoch, index, outcome, made_at AS time FROM ${append}(${parameters.join(', ')})`;
  }

  /** Strings and one Buffer only: what every client and ORM hands on as it is. */
  async run(query: RunStatement, requests: readonly AppendRequest[], terms: AppendTerms) {
    const { dedupeWindowMs, waitMs } = terms;
    const answer = await query(this.#text, [
      bodiesOf(requests),
      arrayOf(requests.map(({ body }) => body.byteLength)),
      arrayOf(requests.map(({ kind }) => (kind === 'acl' ? 1 : 0))),
      arrayOf(requests.map(({ id }) => (id === undefined ? 'NULL' : Buffer.from(id).toString('hex')))),
      arrayOf(requests.map(({ expectedHead }) => expectedHead ?? 'NULL')),
      `${Math.min(dedupeWindowMs, Number.MAX_SAFE_INTEGER)}`,
      waitMs === null ? null : `${Math.ceil(waitMs)}`,
      ...pinsOf(requests),
    ]);
    return outcomesOf(answer, requests.length);
  }

  /** @throws BrokerError `index_conflict`, `log_unavailable` with what the host's client threw */
  async runIn(transaction: LogTransaction, request: AppendRequest, dedupeWindowMs: number): Promise<AppendOutcome> {
    try {
      await refuseIdle(transaction);
      const query: RunStatement = (text, values) => transaction.query(text, values);
      const [outcome] = await this.run(query, [request], { dedupeWindowMs, waitMs: null });
      return outcome as AppendOutcome;
    } catch (cause) {
      throw refusedIn(cause);
    }
  }
}

/** @throws BrokerError `index_conflict` */
export function resultOf({ index, outcome }: AppendOutcome, { expectedHead = index }: AppendRequest): AppendResult {
  if (outcome === 'conflict') throw indexConflict(expectedHead, index);
  return { index, duplicate: outcome === 'duplicate' };
}

function bodiesOf(requests: readonly AppendRequest[]): Buffer {
  const [first] = requests;
  if (first === undefined || requests.length > 1) return Buffer.concat(requests.map(({ body }) => body));
  return Buffer.from(first.body.buffer, first.body.byteOffset, first.body.byteLength);
}

/** Of each key, in three arrays: in which request it is, the key, whether it is pinned. Null where there is none. */
function pinsOf(requests: readonly AppendRequest[]): (string | null)[] {
  const [places, keys, isPinned]: [number[], string[], string[]] = [[], [], []];
  const add = (at: number, key: string, is: 't' | 'f') => {
    places.push(at + 1);
    keys.push(keyToHex(key));
    isPinned.push(is);
  };
  requests.forEach(({ pins, unpins }, at) => {
    for (const key of unpins) add(at, key, 'f');
    for (const key of pins) add(at, key, 't');
  });
  return keys.length === 0 ? [null, null, null] : [arrayOf(places), arrayOf(keys), arrayOf(isPinned)];
}

const arrayOf = (values: readonly (string | number)[]): string => `{${values.join(',')}}`;

/** @throws TypeError for a wrapper that does not hand on the rows */
function outcomesOf(answer: { readonly rows: readonly unknown[] }, count: number): readonly AppendOutcome[] {
  const rows: readonly Partial<AppendOutcome>[] = Array.isArray(answer?.rows) ? answer.rows : [];
  if (rows.length !== count || rows.some((row) => !(Number(row?.index) >= 0)))
    throw new TypeError('query must answer with { rows }, an object for each row, by the names of its columns.');
  return rows.map((row) => ({ ...(row as AppendOutcome), index: Number(row.index), time: Number(row.time) }));
}

function refusedIn(cause: unknown): unknown {
  if (cause instanceof TypeError) return cause;
  const isLate = (cause as { readonly code?: unknown } | null)?.code === SERIALIZATION_FAILURE;
  const why = isLate ? 'it does not see what others appended since it began: run it again' : 'its statement failed';
  return new BrokerError('log_unavailable', `The transaction could not append: ${why}. Nothing was appended.`, {
    cause,
  });
}
