import type { AclRef } from '../../model/acl-ref.ts';
import { BrokerError } from '../../model/errors.ts';
import { EncodedEvent } from '../batch/encoded-event.ts';
import { describe } from '../../model/describe.ts';
import { checkEventMeta, type NewEvent } from '../../model/event.ts';
import { snapshot } from '../batch/payload-copy.ts';
import type { Topics } from '../../model/topics.ts';

/** How a batch is published. */
export interface PublishOptions {
  /** The host's own index for the batch: a safe integer above the newest. Not with a log, which gives its own. */
  readonly index?: number;
  /** Needs a log that recognises repeats: publishes with one id make one batch. */
  readonly id?: string;
  /** Publish only if this is the newest index. @throws BrokerError `index_conflict` otherwise */
  readonly expectedIndex?: number;
  /**
   * Runs, and is waited for, before the batch gets its index: commit the change that the events tell of here, and no subscriber's rights
   * are checked against what was there before. When it fails nothing is published.
   */
  readonly commit?: () => unknown;
  /** Gives up waiting for a log. */
  readonly signal?: AbortSignal;
}

/** Checks and copies events. @throws BrokerError `bad_request` naming the event, the field and what is allowed */
export function checkEvents(events: NewEvent | readonly NewEvent[], topics: Topics): readonly EncodedEvent[] {
  if (!Array.isArray(events)) return [checkEvent(events as NewEvent, topics, 'event')];
  if (events.length === 0)
    throw new BrokerError('bad_request', 'A batch must hold at least one event; got an empty array.');
  return events.map((event: NewEvent, i) => checkEvent(event, topics, `events[${i}]`));
}

function checkEvent(event: NewEvent, topics: Topics, at: string): EncodedEvent {
  const meta = checkEventMeta(event, at);
  topics.checkPublished(meta.topic, at);
  const payload = snapshot('payload' in event ? event.payload : null, at);
  return new EncodedEvent(meta, topics.namesOf(meta.topic, meta.type), payload);
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
