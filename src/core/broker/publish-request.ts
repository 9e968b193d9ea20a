import type { AclRef } from '../../model/acl-ref.ts';
import { BrokerError } from '../../model/errors.ts';
import { EncodedEvent } from '../batch/encoded-event.ts';
import { describe } from '../../model/describe.ts';
import { checkEventMeta, type EventMeta, type EventPlace, type NewEvent } from '../../model/event.ts';
import { snapshot } from '../batch/payload-copy.ts';
import { checkOptions, type OptionNames } from '../../model/options.ts';
import type { LogTransaction } from '../log/event-log.ts';
import { limitError } from '../../model/limit-error.ts';
import type { Topics } from '../../model/topics.ts';
import { checkEventSize } from './event-size.ts';
import type { CheckedLimits } from './limits.ts';

/** How a batch is published. */
export interface PublishOptions {
  /** The host's own index for the batch: a safe integer above the newest. Not with a log, which gives its own. */
  readonly index?: number;
  /**
   * With `index`: it may be the newest index once more, and the events are a further batch of it. For who mirrors a
   * source that writes several lines with one index, as Nomad does; its readers get as many batches. Who resumes after
   * that index gets what was appended to it again, since nobody knows how much of it had come. Default false; not with
   * a log.
   */
  readonly append?: boolean;
  /** Needs a log that recognises repeats: publishes with one id make one batch. */
  readonly id?: string;
  /** Publish only if this is the newest index. @throws BrokerError `index_conflict` otherwise */
  readonly expectedIndex?: number;
  /**
   * Runs, and is waited for, before the batch gets its index: commit the change that the events tell of here, and no
   * subscriber's rights are checked against what was there before. When it fails nothing is published. What can be
   * known to be in the way (an index that does not fit, a log that is down) is found before it runs; where publishing
   * fails after it, the error is `unpublished`.
   */
  readonly commit?: () => unknown;
  /**
   * Publishes within the host's own database transaction; needs a log that is `transactional`, as that of
   * `fenceline/postgres`. Resolves when the record is written, with its index. The event is published when the
   * transaction commits, and never when it rolls back, which leaves no hole. Other publishes to the log wait from here
   * to the end of the transaction: publish last, then commit. With `pg` it is the client that the transaction runs on;
   * with others a wrapper of their raw query:
   *
   * ```ts
   * // Prisma: prisma.$transaction(async (tx) => …)
   * { query: async (text, values) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }) }
   * // Kysely: db.transaction().execute(async (trx) => …)
   * { query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) }
   * // Drizzle: db.transaction(async (tx) => …), which numbers the values itself
   * { query: (text, values) => tx.execute(sql.join(text.split(/\$(\d+)/).map((part, i) =>
   *   i % 2 === 0 ? sql.raw(part) : sql`${values[Number(part) - 1]}`))) }
   * ```
   *
   * Not with `commit`. A failure of the statement ends the transaction, as any does in PostgreSQL.
   */
  readonly transaction?: LogTransaction;
  /** Gives up waiting for a log. */
  readonly signal?: AbortSignal;
}

const knownOptions: OptionNames<PublishOptions> = {
  index: true,
  append: true,
  id: true,
  expectedIndex: true,
  commit: true,
  transaction: true,
  signal: true,
};

/** @throws TypeError for an option that is not known, or a commit that cannot be called */
export function checkPublish(options: PublishOptions): void {
  checkOptions<PublishOptions>(options, knownOptions, 'publish');
  if (options.commit !== undefined && typeof options.commit !== 'function')
    throw new TypeError(`commit must be a function; got ${describe(options.commit)}.`);
  if (options.transaction !== undefined) checkTransaction(options.transaction, options);
}

function checkTransaction(transaction: Partial<LogTransaction> | null, { commit }: PublishOptions): void {
  if (typeof transaction?.query !== 'function')
    throw new TypeError(`transaction must have a function query(text, values); got ${describe(transaction)}.`);
  if (commit !== undefined) throw new TypeError('commit and transaction exclude each other: the host ends its own.');
}

/** What events are checked with. */
export interface EventParts {
  readonly topics: Topics;
  readonly limits: CheckedLimits;
}

/**
 * Checks and copies events: all of them, before any is published.
 * @throws BrokerError `bad_request` naming the event, the field and what is allowed; TypeError for a topic's schema
 * that cannot be asked
 */
export function checkEvents(events: NewEvent | readonly NewEvent[], parts: EventParts): readonly EncodedEvent[] {
  if (!Array.isArray(events)) return [checkEvent(events as NewEvent, parts, { at: 'event', position: 0 })];
  if (events.length === 0)
    throw new BrokerError('bad_request', 'A batch must hold at least one event; got an empty array.');
  // Before any of them is copied.
  checkCount(events.length, parts.limits);
  return events.map((event: NewEvent, i) => checkEvent(event, parts, { at: `events[${i}]`, position: i }));
}

function checkCount(count: number, { eventsPerBatch }: CheckedLimits): void {
  if (count <= eventsPerBatch) return;
  const message = `A batch may hold at most ${eventsPerBatch} events, not ${count}; nothing was published.`;
  throw limitError('eventsPerBatch', message);
}

function checkEvent(event: NewEvent, { topics, limits }: EventParts, place: EventPlace): EncodedEvent {
  const { at } = place;
  const meta = checkEventMeta(event, at);
  topics.checkPublished(meta.topic, at);
  checkAclKey(meta, topics, at);
  const given = 'payload' in event ? event.payload : null;
  const payload = snapshot(topics.checkedPayload(meta, given, place), at);
  checkEventSize(meta, payload, limits.bytesPerEvent, at);
  return new EncodedEvent(meta, topics.namesOf(meta.topic, meta.type), payload);
}

/** The key of an event that changes ACLs names what changed: without one no stream would be fenced, and nobody told. */
function checkAclKey({ topic, key }: EventMeta, topics: Topics, at: string): void {
  const object = topics.aclObject(topic);
  if (object === undefined || key !== '') return;
  throw new BrokerError('bad_request', `${at}.key must name the ${object} that changed; got "".`);
}

/** @throws BrokerError `bad_request` for an index that is no safe integer ≥ `least` */
export function checkIndex(index: unknown, name: string, least: number): number {
  if (typeof index === 'number' && Number.isSafeInteger(index) && index >= least) return index;
  throw new BrokerError(
    'bad_request',
    `${name} must be a whole number from ${least} to ${Number.MAX_SAFE_INTEGER}; got ${describe(index)}.`,
  );
}

/** The ACL objects that these events change. */
export function changedRefs(events: readonly EncodedEvent[], topics: Topics): readonly AclRef[] {
  let refs: Set<AclRef> | undefined;
  for (const { topic, key } of events) {
    const object = topics.aclObject(topic);
    if (object !== undefined) (refs ??= new Set()).add(`${object}:${key}`);
  }
  return refs ? [...refs] : [];
}
