import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import type { NewNomadEvent } from './nomad-event.ts';
import { redact } from './redact.ts';
import type { NomadTopic } from './topics.ts';
import { nomadTopicTable } from './topics.ts';

/** What one line of Nomad's event stream holds, ready to be published. */
export interface NomadLine {
  /** Index of the line; undefined for a heartbeat. Several lines can have one index. */
  readonly index: number | undefined;
  /** Empty for a heartbeat. */
  readonly events: readonly NewNomadEvent[];
}

type Wire = Readonly<Record<string, unknown>>;

/**
 * Reads a line of a Nomad server's event stream, for hosts that pass its events on. Takes the text or the object that
 * it parses to. Credentials that the table of topics knows are emptied, as in the constructors; a topic or type that is
 * not known is handed over as it is, for `publish` to judge.
 *
 * Numbers beyond 2⁵³, such as times in nanoseconds, lose their last digits, as in every `JSON.parse`.
 * @throws BrokerError `bad_request` for what is no line of such a stream, for example a server's parting words
 */
export function fromWire(line: string | object): NomadLine {
  const wire = typeof line === 'string' ? parse(line) : line;
  if (!isObject(wire)) throw malformed('a line must be a JSON object', wire);
  const { Index: index, Events: events } = wire;
  if (events === undefined || events === null) return { index: undefined, events: [] };
  if (!Array.isArray(events)) throw malformed('Events must be an array', events);
  if (!Number.isSafeInteger(index)) throw malformed('Index must be a whole number', index);
  return { index: index as number, events: events.map(eventOf) };
}

function eventOf(wire: unknown, at: number): NewNomadEvent {
  if (!isObject(wire)) throw malformed(`Events[${at}] must be an object`, wire);
  const { Topic: topic, Type: type, Key: key, Namespace: namespace, FilterKeys: filterKeys, Payload: payload } = wire;
  const event = {
    topic,
    type,
    key: key ?? '',
    namespace: namespace ?? '',
    filterKeys: filterKeys ?? [],
    payload: redactPayload(topic, payload ?? null),
  };
  // What the members hold is checked once, by `publish`.
  return event as NewNomadEvent;
}

function redactPayload(topic: unknown, payload: unknown): unknown {
  if (!isObject(payload)) return payload;
  const table: Readonly<Record<string, NomadTopic>> = nomadTopicTable;
  const { member = '', emptied } = (typeof topic === 'string' && Object.hasOwn(table, topic) && table[topic]) || {};
  const plain = redact(payload) as Wire;
  const object = plain[member];
  return isObject(object) ? { ...plain, [member]: redact(object, emptied) } : plain;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('a line must be a JSON object', text);
  }
}

function isObject(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(rule: string, value: unknown): BrokerError {
  return new BrokerError('bad_request', `Nomad's event stream: ${rule}; got ${describe(value)}.`);
}
