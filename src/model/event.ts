import { describe } from './describe.ts';
import { BrokerError } from './errors.ts';
import type { Gap } from './gap.ts';

/** An event as a host publishes it. */
export interface NewEvent<Topic extends string = string, Payload = unknown, Type extends string = string> {
  /** What kind of object changed, for example `Job`. Not empty, not `*`, without `:`. */
  readonly topic: Topic;
  /** What happened to it, for example `JobRegistered`. Not empty. */
  readonly type: Type;
  /**
   * Which object changed. `''` where it has no name: then the event is found by its topic and its filter keys alone.
   */
  readonly key: string;
  /** Namespace of the object; `''` (the default) when it has none: such an event passes every namespace filter. */
  readonly namespace?: string;
  /**
   * Further keys under which the event can be found; empty ones, which nobody can ask for, are left out. Default none.
   */
  readonly filterKeys?: readonly string[];
  /**
   * Anything that JSON can hold. It is copied: what the host changes later does not change the event. Where the topic
   * has a schema: what that accepts.
   */
  readonly payload: Payload;
}

/** An event as a subscriber gets it: deeply frozen, shared by all who read it. */
export interface Event<Topic extends string = string, Payload = unknown, Type extends string = string> {
  readonly topic: Topic;
  readonly type: Type;
  readonly key: string;
  readonly namespace: string;
  readonly filterKeys: readonly string[];
  /** Index of the batch that the event came with. */
  readonly index: number;
  /**
   * What `JSON.parse(JSON.stringify(payload))` gives of what was published. Where the topic has a schema, that is the
   * schema's output.
   */
  readonly payload: Payload;
}

/** Which object of a state: a key is one within its topic and namespace. */
export type ObjectKey = Pick<Event, 'topic' | 'namespace' | 'key'>;

/** All events of one index that a subscription matches. */
export interface EventBatch<E extends Event = Event> {
  readonly index: number;
  readonly events: readonly E[];
  /**
   * In a subscription with `state`: the objects that are no longer its own after these events, since one of them
   * removed it, or it is no longer among what was asked for and may be seen. Absent where there are none.
   */
  readonly removed?: readonly ObjectKey[];
  /**
   * In a subscription with `state`, once: what was handed over until here is the state at this index. What comes from
   * here on are its changes.
   */
  readonly current?: true;
  /** Set when matching events between the batch before and this one may be missing. */
  readonly gap?: Gap;
}

/** What matching looks at: an event without its payload. */
export type EventMeta = Pick<Event, 'topic' | 'type' | 'key' | 'namespace' | 'filterKeys'>;

/** Where an event stands among those that are published with it. */
export interface EventPlace {
  /** For messages: `event`, or `events[3]`. */
  readonly at: string;
  readonly position: number;
}

const noKeys: readonly string[] = Object.freeze([]);

/**
 * Checks all of an event but its payload.
 * @param at where the event stands, for the message: `event` or `events[3]`
 * @throws BrokerError `bad_request` that names the field and what is allowed
 */
export function checkEventMeta(event: NewEvent, at: string): EventMeta {
  if (typeof event !== 'object' || event === null) throw badField(at, 'must be an object', event);
  const { topic, type, key, namespace = '', filterKeys = noKeys } = event;
  checkText(topic, at, '.topic');
  if (topic === '*' || topic.includes(':')) throw badField(`${at}.topic`, 'must not be "*" nor contain ":"', topic);
  checkText(type, at, '.type');
  if (typeof key !== 'string') throw badField(`${at}.key`, 'must be a string', key);
  if (typeof namespace !== 'string' || namespace === '*') {
    throw badField(
      `${at}.namespace`,
      'must be a string other than "*", or "" for an object without namespace',
      namespace,
    );
  }
  return { topic, type, key, namespace, filterKeys: checkFilterKeys(filterKeys, at) };
}

function checkFilterKeys(keys: readonly string[] | null, at: string): readonly string[] {
  if (keys === null || (Array.isArray(keys) && keys.length === 0)) return noKeys;
  if (!Array.isArray(keys)) throw badField(`${at}.filterKeys`, 'must be an array of strings', keys);
  // Not forEach: it skips holes.
  for (const [i, key] of keys.entries()) {
    if (typeof key !== 'string') throw badField(`${at}.filterKeys[${i}]`, 'must be a string', key);
  }
  return Object.freeze((keys as readonly string[]).filter((key) => key !== ''));
}

function checkText(value: unknown, at: string, field: string): void {
  if (typeof value !== 'string' || value === '')
    throw badField(at + field, 'must be a string that is not empty', value);
}

function badField(at: string, rule: string, value: unknown): BrokerError {
  return new BrokerError('bad_request', `${at} ${rule}; got ${describe(value)}.`);
}
