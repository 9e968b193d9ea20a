import { describe } from './describe.ts';
import { BrokerError } from './errors.ts';
import type { EventPlace } from './event.ts';
import { hintFor } from './options.ts';
import { checkWithSchema } from './schema-check.ts';
import { isStandardSchema, type StandardSchema } from './standard-schema.ts';
import type { TopicDefinition } from './topic-definition.ts';

/** Event types, each with its schema, where it has one. */
type SchemaByType = ReadonlyMap<string, StandardSchema | undefined>;

/** What the payloads of a topic have to be: the event types that it has, and the schemas that are asked. */
export class TopicPayloads {
  readonly #topic: string;
  /** For all types of event. */
  readonly #schema: StandardSchema | undefined;
  /** The types that it has, each with its schema; undefined where any type goes. */
  readonly #byType: SchemaByType | undefined;

  private constructor(topic: string, schema: StandardSchema | undefined, byType: SchemaByType | undefined) {
    this.#topic = topic;
    this.#schema = schema;
    this.#byType = byType;
  }

  /**
   * @returns undefined for a topic that takes any payload
   * @throws TypeError for a payload that is neither a type nor a schema, and for types that are neither a list nor by
   * name
   */
  static of(topic: string, { payload, types }: TopicDefinition): TopicPayloads | undefined {
    const where = `Topic ${JSON.stringify(topic)}`;
    const schema = schemaIn(payload, `${where}: payload`);
    if (types === undefined || Array.isArray(types)) {
      checkList(types, where);
      return schema && new TopicPayloads(topic, schema, undefined);
    }
    if (payload !== undefined)
      throw new TypeError(`${where}: payload and types by name exclude each other: each type has its own payload.`);
    return new TopicPayloads(topic, undefined, readTypes(types, `${where}: types`));
  }

  /** @throws TypeError for a type that no event of this topic can have: it would be waited for in vain */
  requireTypes(types: readonly string[], where: string): void {
    const unknown = this.#byType && types.find((type) => !this.#byType?.has(type));
    if (unknown !== undefined) throw new TypeError(`${where} ${this.#unknown(unknown)}`);
  }

  /** What is published of a payload: see `Topics.checkedPayload`. */
  checked(type: string, payload: unknown, place: EventPlace): unknown {
    if (this.#byType !== undefined && !this.#byType.has(type))
      throw new BrokerError('bad_request', `${place.at}.type ${this.#unknown(type)}`);
    const schema = this.#schema ?? this.#byType?.get(type);
    return schema === undefined ? payload : checkWithSchema(schema, payload, { ...place, topic: this.#topic, type });
  }

  /** The end of a sentence. */
  #unknown(type: string): string {
    const known = [...(this.#byType?.keys() ?? [])];
    const hint = hintFor(type, known);
    const found = `names an unknown type ${describe(type)} of topic "${this.#topic}".`;
    return `${found}${hint} Known types: ${known.join(', ')}.`;
  }
}

function checkList(types: unknown, where: string): void {
  if (Array.isArray(types) && !types.every((type) => typeof type === 'string' && type !== ''))
    throw new TypeError(`${where}: types must be a list of names that are not empty, or an object of payloads.`);
}

function readTypes(types: unknown, where: string): SchemaByType {
  if (typeof types !== 'object' || types === null)
    throw new TypeError(`${where} must be a list of names, or an object of payloads by name; got ${describe(types)}.`);
  const entries = Object.entries<unknown>(types as Readonly<Record<string, unknown>>);
  if (entries.length === 0)
    throw new TypeError(`${where} must name at least one type; without any, nothing could be published.`);
  if (Object.hasOwn(types, '')) throw new TypeError(`${where} must have names that are not empty.`);
  return new Map(entries.map(([type, payload]) => [type, schemaIn(payload, `${where}.${type}`)]));
}

/**
 * A value that is not asked must be one that nobody can take for a schema: what looks like one and is none would let
 * every payload pass.
 * @returns undefined for what stands for a type alone: `payloadOf<…>()`, or `{} as …`
 */
function schemaIn(payload: unknown, where: string): StandardSchema | undefined {
  if (payload === undefined || isEmptyObject(payload)) return undefined;
  if (isStandardSchema(payload)) return payload;
  throw new TypeError(
    `${where} must be payloadOf<…>() or a Standard Schema (zod from 3.24, valibot from 1.0, arktype from 2.0, …); ` +
      `got ${describe(payload)} without "~standard".`,
  );
}

function isEmptyObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && Reflect.ownKeys(value).length === 0;
}
