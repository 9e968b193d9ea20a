import type { NewEvent } from '../model/event.ts';
import { describe } from '../model/describe.ts';
import type { Given } from './objects.ts';
import { redact } from './redact.ts';
import type { NomadPayloads, NomadTopic, NomadTopicName } from './topics.ts';
import { nomadTopicTable } from './topics.ts';

/** A publishable event of one of Nomad's topics; of any of them, a union that narrows with `topic`, by default. */
export type NewNomadEvent<Topic extends NomadTopicName = NomadTopicName> = {
  readonly [Name in Topic]: NewEvent<Name, NomadPayloads[Name]>;
}[Topic];

/** Every type of Nomad's events. Each names a change, and comes on all topics whose objects the change touched. */
export type NomadEventType = (typeof nomadTopicTable)[keyof typeof nomadTopicTable]['types'][number];

/** All of them, to tell a misspelt one. */
export const nomadEventTypes: readonly string[] = [
  ...new Set(Object.values<NomadTopic>(nomadTopicTable).flatMap(({ types }) => types)),
];

/** The member of the payload that holds the object. */
export type MemberOf<Topic extends NomadTopicName> = (typeof nomadTopicTable)[Topic] extends {
  readonly member: infer Member extends string;
}
  ? Member & keyof NomadPayloads[Topic]
  : never;

/** The object that a topic's events tell of. */
export type ObjectOf<Topic extends NomadTopicName> = NomadPayloads[Topic][MemberOf<Topic>];

/**
 * The event of a change to a Nomad object: key, namespace, filter keys and payload derived as the table says.
 * @param more further members of the payload; their types are the caller's to check
 * @throws TypeError naming the member that is missing or is no string
 */
export function nomadEvent<Topic extends NomadTopicName>(
  topic: Topic,
  type: string,
  object: Given<ObjectOf<Topic>>,
  more: Readonly<Record<string, unknown>> = {},
): NewEvent<Topic, NomadPayloads[Topic]> {
  const { member = topic, key = '', filterKeys, isNamespaced, emptied }: NomadTopic = nomadTopicTable[topic];
  const fields = new Fields(object, member);
  return {
    topic,
    type,
    key: fields.required(key),
    namespace: isNamespaced ? fields.optional('Namespace') || 'default' : '',
    filterKeys: filterKeys.map((name) => fields.optional(name)).filter((value) => value !== ''),
    payload: { [member]: redact(fields.object, emptied), ...more } as NomadPayloads[Topic],
  };
}

/** Reads the members that an event is derived from. */
class Fields {
  readonly object: object;
  readonly #name: string;

  constructor(object: unknown, name: string) {
    if (typeof object !== 'object' || object === null) {
      throw new TypeError(`${name} must be an object; got ${describe(object)}.`);
    }
    this.object = object;
    this.#name = name;
  }

  required(member: string): string {
    const value = this.#read(member);
    if (typeof value === 'string' && value !== '') return value;
    throw new TypeError(`${this.#name}.${member} must be a string that is not empty; got ${describe(value)}.`);
  }

  /** `''` for a member that is absent or null. */
  optional(member: string): string {
    const value = this.#read(member) ?? '';
    if (typeof value === 'string') return value;
    throw new TypeError(`${this.#name}.${member} must be a string or left out; got ${describe(value)}.`);
  }

  #read(member: string): unknown {
    return (this.object as Readonly<Record<string, unknown>>)[member];
  }
}
