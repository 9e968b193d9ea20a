import { BrokerError } from './errors.ts';
import { describe } from './describe.ts';
import type { EventMeta, EventPlace } from './event.ts';
import { checkOptions } from './options.ts';
import {
  checkDefinition,
  type AclObject,
  type KnownNeeds,
  type Needs,
  type TopicDefinition,
  type TopicRequirement,
} from './topic-definition.ts';
import { TopicPayloads } from './topic-payloads.ts';
import type { DefinedPayloads, TopicMap } from './topic-types.ts';

const none: readonly string[] = [];

/** A declared set of topics, or the open set in which every name is a topic. Made by {@link defineTopics}. */
export class Topics<T extends TopicMap = TopicMap, Name extends string = string> {
  /** Names that filters may use; undefined in the open set. */
  readonly names: readonly Name[] | undefined;
  /** Carries the types; never has a value. */
  declare readonly payloads: T;
  readonly #definitions: ReadonlyMap<string, TopicDefinition> | undefined;
  readonly #aliases = new Map<string, ReadonlyMap<string, readonly string[]>>();
  readonly #rules: ReadonlyMap<string, readonly string[]>;
  /** Of the topics whose payloads are checked. */
  readonly #payloads = new Map<string, TopicPayloads>();
  /** Names, aliases too, whose newest events are kept. */
  readonly #retained: ReadonlySet<string>;
  /** What {@link namesOf} answered last: most events have the topic of the one before. */
  #lastName: readonly [string] = [''];

  constructor(definitions: Readonly<Record<string, TopicDefinition>> | undefined) {
    this.names = definitions && (Object.freeze(Object.keys(definitions)) as readonly Name[]);
    this.#definitions = definitions && new Map(Object.entries(definitions));
    for (const [name, definition] of this.#definitions ?? []) this.#learnPayloads(name, definition);
    for (const [name, definition] of this.#definitions ?? []) this.#learnAlias(name, definition);
    this.#retained = new Set(this.names?.filter((name) => this.#ownerOf(name)?.retain === 'latest'));
    this.#rules = new Map(this.names?.map((name) => [name, this.#rulesOf(name)]));
  }

  /** @throws TypeError when a topic needs what these rights do not have: nobody could ever see it */
  checkNeeds(rights: KnownNeeds): void {
    for (const name of this.names ?? []) rights.requireKnown(this.requirement(name), `Topic ${JSON.stringify(name)}`);
  }

  /** What was declared of a topic; undefined for an unknown one. */
  definition(name: string): TopicDefinition | undefined {
    return this.#definitions?.get(name);
  }

  /** The event types that a topic's definition names, as a list or with their payloads; none where it names none. */
  typesOf(name: string): readonly string[] {
    const types = this.definition(name)?.types ?? none;
    return Array.isArray(types) ? (types as readonly string[]) : Object.keys(types);
  }

  /** What a subscriber needs to see a topic. A topic without a rule needs management. */
  requirement(name: string): TopicRequirement {
    return this.definition(name)?.requires ?? 'management';
  }

  /** Whether any topic has a rule of its own (`visible`). */
  get hasRules(): boolean {
    return this.names?.some((name) => this.rulesFor(name).length > 0) ?? false;
  }

  /**
   * The topics whose rules (`visible`) an event has to pass that is asked for by this name: an alias adds its own to
   * that of its topic, or it would be a way around it.
   */
  rulesFor(name: string): readonly string[] {
    return this.#rules.get(name) ?? none;
  }

  /** Which kind of ACL object the events of a topic change, if any. */
  aclObject(topic: string): AclObject | undefined {
    return this.definition(topic)?.aclChange;
  }

  /** Whether the newest event of each key of this topic is kept; of an alias, those of its topic. */
  retains(name: string): boolean {
    return this.#retained.has(name);
  }

  /** Whether a stream that asks for these names, `*` among them, may be compressed. */
  mayBeCompressed(asked: Iterable<string>): boolean {
    const isKept = (name: string): boolean => this.#ownerOf(name)?.compression === false;
    for (const name of asked) if (name === '*' ? this.names?.some(isKept) : isKept(name)) return false;
    return true;
  }

  /** Whether some events can be asked for by another name than their topic's. */
  get hasAliases(): boolean {
    return this.#aliases.size > 0;
  }

  /** The topics whose newest events are kept; aliases left out. */
  get retained(): readonly string[] {
    return this.names?.filter((name) => this.definition(name)?.retain === 'latest') ?? [];
  }

  /** The names by which filters can ask for an event: its topic, then the aliases that cover its type. */
  namesOf(topic: string, type: string): readonly string[] {
    const names = this.#aliases.get(topic)?.get(type);
    if (names !== undefined) return names;
    if (this.#lastName[0] !== topic) this.#lastName = [topic];
    return this.#lastName;
  }

  /**
   * @param at where the event stands, for the message
   * @throws BrokerError `bad_request` listing the known topics when nothing can be published under `name`
   */
  checkPublished(name: string, at: string): void {
    const definition = this.definition(name);
    if (!this.#definitions || (definition && definition.aliasOf === undefined)) return;
    if (definition) {
      throw new BrokerError(
        'bad_request',
        `${at}.topic "${name}" is an alias of "${definition.aliasOf}": publish under that.`,
      );
    }
    throw this.#unknown(name, `${at}.topic`);
  }

  /**
   * @internal A payload as it is published: what the topic's schema makes of it, or itself where there is none.
   * @throws BrokerError `bad_request` for an event type that the topic does not have, and, with `issues`, for a payload
   * that does not fit; TypeError for a schema that answers later, or not as one
   */
  checkedPayload({ topic, type }: EventMeta, payload: unknown, place: EventPlace): unknown {
    const payloads = this.#payloads.get(topic);
    return payloads === undefined ? payload : payloads.checked(type, payload, place);
  }

  /** @throws BrokerError `bad_request` listing the known topics when no filter can ask for `name` */
  checkKnown(name: string, at: string): void {
    if (this.#definitions && name !== '*' && !this.#definitions.has(name)) throw this.#unknown(name, at);
  }

  #unknown(name: string, at: string): BrokerError {
    return new BrokerError(
      'bad_request',
      `${at} names an unknown topic ${describe(name)}; known topics: ${this.names?.join(', ')}.`,
    );
  }

  /** The definition of the topic that a name stands for. */
  #ownerOf(name: string): TopicDefinition | undefined {
    const definition = this.definition(name);
    return definition?.aliasOf === undefined ? definition : this.definition(definition.aliasOf);
  }

  #rulesOf(name: string): readonly string[] {
    const { aliasOf } = this.definition(name) ?? {};
    const topics = aliasOf === undefined ? [name] : [aliasOf, name];
    return topics.filter((topic) => this.definition(topic)?.visible !== undefined);
  }

  #learnPayloads(name: string, definition: TopicDefinition): void {
    checkDefinition(name, definition);
    const payloads = TopicPayloads.of(name, definition);
    if (payloads === undefined) return;
    this.#payloads.set(name, payloads);
    if (Array.isArray(definition.removedBy)) payloads.requireTypes(definition.removedBy, `Topic "${name}": removedBy`);
  }

  #learnAlias(name: string, { aliasOf, types = [] }: TopicDefinition): void {
    if (aliasOf === undefined) return;
    if (!this.#definitions?.has(aliasOf))
      throw new TypeError(`Topic "${name}" is an alias of "${aliasOf}", which is not defined.`);
    if (!Array.isArray(types)) throw new TypeError(`Topic "${name}" is an alias: its types are a list.`);
    this.#payloads.get(aliasOf)?.requireTypes(types, `Topic "${name}": types`);
    const byType = new Map(this.#aliases.get(aliasOf));
    for (const type of types as readonly string[])
      byType.set(type, Object.freeze([...(byType.get(type) ?? [aliasOf]), name]));
    this.#aliases.set(aliasOf, byType);
  }
}

/**
 * Declares a broker's topics: the type of each payload, and who may see it.
 *
 * ```ts
 * const topics = defineTopics({
 *   Order: { payload: payloadOf<{ id: string; total: number }>(), requires: { namespace: 'read-orders' } },
 *   Parcel: { types: { ParcelSent: payloadOf<{ by: string }>(), ParcelLost: z.object({ why: z.string() }) } },
 *   Audit: {}, // needs management
 * });
 * const broker = new EventBroker({ topics });
 * ```
 *
 * A payload is a type alone (`payloadOf`), or a Standard Schema, which `publish` asks: at once, so one that answers
 * with a promise is refused there. With `rights`, what topics require is held against them, by the compiler too.
 * @throws TypeError for a name that no filter could ask for, for a need that the rights do not have, and for a payload
 * that is neither
 */
export function defineTopics<
  const P extends Readonly<Record<string, unknown>>,
  const Y extends Readonly<Record<string, unknown>>,
  const A extends Readonly<Record<string, unknown>>,
  N extends Needs = Needs,
>(
  // One mapped type, and nothing beside it: up to TypeScript 5.6 `visible` and `removedBy` are handed the payload's
  // type in no other way. Each parameter gathers what one member says, topic by topic.
  definitions: { readonly [K in keyof P & keyof Y & keyof A]: TopicDefinition<P[K], N, Y[K], A[K]> },
  options: { readonly rights?: KnownNeeds<N> } = {},
): Topics<DefinedPayloads<P, Y, A>, keyof P & string> {
  checkOptions<typeof options>(options, { rights: true }, 'defineTopics');
  const given = definitions as Readonly<Record<string, TopicDefinition>>;
  const topics = new Topics<DefinedPayloads<P, Y, A>, keyof P & string>(given);
  if (options.rights) topics.checkNeeds(options.rights);
  return topics;
}

/** The open set: any name is a topic, and every topic needs management. */
export const openTopics: Topics = new Topics(undefined);
