import { BrokerError } from './errors.ts';
import { describe } from './describe.ts';
import type { Event, NewEvent } from './event.ts';
import { checkOptions, nearestOf, type OptionNames } from './options.ts';

/**
 * What kind of ACL object an event of a topic changes; the event's key names it (accessor ID, policy name, role ID).
 */
export type AclObject = 'token' | 'policy' | 'role';

/**
 * What a host says of somebody, for the rules of its topics: a user's id, groups, a plan. Plain JSON.
 *
 * `any`, so that an interface of the host's own fits, and a rule may look at it without saying what it is.
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Claims = Readonly<Record<string, any>>;

/** By block of rules, the capabilities that a topic may need. */
export type Needs = Readonly<Record<string, string>>;

/**
 * What a subscriber needs to see a topic.
 *
 * - `'management'`: a management token. The default: a topic without a rule fails closed.
 * - `'anyone'`: nothing, not even a known token.
 * - `{ namespace: 'read-orders' }`: that capability in the event's namespace.
 * - `{ system: 'read-metrics' }`: that capability of another block of rules, wherever the event is.
 */
export type TopicRequirement<N extends Needs = Needs> =
  | 'management'
  | 'anyone'
  | { readonly [B in keyof N]: { readonly [K in B]: N[B] } }[keyof N];

/** What knows which needs can be met: rights, as `defineRights` makes them. */
export interface KnownNeeds<N extends Needs = Needs> {
  /** Carries the types; never has a value. */
  readonly needs: N;
  requireKnown(requirement: TopicRequirement, where: string): void;
}

/** One topic, as a host declares it. `Payload` is a type only: `payload: {} as Job`, or `payloadOf<Job>()`. */
export interface TopicDefinition<Payload = unknown, N extends Needs = Needs> {
  /** Stands for the payload's type; its value is never read. */
  readonly payload?: Payload;
  /** Event types of this topic, for documentation and types; publishing others is allowed. */
  readonly types?: readonly string[];
  /** What the key of an event is, for documentation. */
  readonly key?: string;
  /** What a subscriber needs. Default `'management'`. */
  readonly requires?: TopicRequirement<N>;
  /** The topic's events change ACLs: they fence the subscriptions that depend on the object named by their key. */
  readonly aclChange?: AclObject;
  /**
   * A rule of the topic's own, beside what it requires: whether somebody with these claims may see this event. It is
   * asked once for all who have the same claims, when the event is published, and again for readers that are behind: it
   * answers the same each time, at once, and changes nothing. What throws, or answers anything but true or false, hides
   * the event and is told (`ruleFailed`). Management sees all; who has no claims sees none.
   */
  // A method: a host may say what its claims are, `(claims: MyClaims, event) => …`.
  visible?(claims: Claims, event: Event<string, Payload>): boolean;
  /**
   * `'latest'`: the broker keeps the newest event of each key (with its namespace), beyond the bounds of the buffer,
   * until an event removes it: together they are the topic's *state*, which `subscribe({ state: true })` reads first.
   */
  readonly retain?: 'latest';
  /**
   * Which events remove their key from what is retained: their types, or a function. It answers the same each time, at
   * once, and changes nothing. What throws, or answers anything but true or false, removes nothing and is told
   * (`ruleFailed`). Default none.
   */
  readonly removedBy?: readonly string[] | RemovalRule<Payload>;
  /** A second name for some events of another topic: those of `types`. Nothing is published under it. */
  readonly aliasOf?: string;
}

/** An event, as far as it is known before it has an index. */
export type UnindexedEvent<Payload = unknown> = Omit<Event<string, Payload>, 'index'>;

/** Whether an event removes its key from the state. */
// A method's parameters may be narrower: the payload's type is the host's own.
export type RemovalRule<Payload = unknown> = { removes(event: UnindexedEvent<Payload>): boolean }['removes'];

/** Types of a set of topics: name → payload. */
export type TopicMap = Readonly<Record<string, unknown>>;

/** Events of a set of topics: a union whose `payload` narrows with `topic`. */
export type EventOf<T extends TopicMap> = { [K in keyof T & string]: Event<K, T[K]> }[keyof T & string];

/** Publishable events of a set of topics. */
export type NewEventOf<T extends TopicMap> = { [K in keyof T & string]: NewEvent<K, T[K]> }[keyof T & string];

/** Marks a payload type in {@link defineTopics}: `Job: { payload: payloadOf<Job>() }`. */
export function payloadOf<Payload>(): Payload {
  return undefined as Payload;
}

/** Names that a filter may use: the topics and their aliases. */
export type DefinedName<D extends object> = keyof D & string;

/** The topics under which events are published, aliases left out, each with the type of its payload. */
export type DefinedPayloads<D extends object> = {
  readonly [K in keyof D as D[K] extends { readonly aliasOf: string } ? never : K]: D[K] extends {
    readonly payload: infer Payload;
  }
    ? Payload
    : unknown;
};

const knownMembers: OptionNames<TopicDefinition> = {
  payload: true,
  types: true,
  key: true,
  requires: true,
  aclChange: true,
  visible: true,
  retain: true,
  removedBy: true,
  aliasOf: true,
};
const aclObjects: ReadonlySet<unknown> = new Set(['token', 'policy', 'role']);

/**
 * @throws TypeError for a rule that could never be met, or a change that nothing could rest on: it would be silent for
 * ever
 */
function checkRules(name: string, { requires = 'management', aclChange, visible }: TopicDefinition): void {
  if (visible !== undefined && typeof visible !== 'function')
    throw new TypeError(`Topic "${name}": visible must be a function of claims and event; got ${describe(visible)}.`);
  if (aclChange !== undefined && !aclObjects.has(aclChange))
    throw new TypeError(`Topic "${name}": aclChange must be 'token', 'policy' or 'role'; got ${describe(aclChange)}.`);
  if (requires === 'management' || requires === 'anyone') return;
  const [[block, needed] = [], ...others] = Object.entries((requires ?? {}) as object) as [string, unknown][];
  const isWhole = others.length === 0 && typeof needed === 'string' && needed !== '';
  // Rights may have other blocks, and none that is a slip of the pen away from this one.
  if (isWhole && (block === 'namespace' || nearestOf(String(block), ['namespace']) === undefined)) return;
  throw new TypeError(
    `Topic "${name}": requires must be 'management', 'anyone', or an object with one block and its capability, as ` +
      `{ namespace: 'read-orders' }; got ${isWhole ? `the block ${describe(block)}` : describe(requires)}.`,
  );
}

/** @throws TypeError for what is no way to retain, or would never be asked */
function checkRetention(name: string, { retain, removedBy, aliasOf }: TopicDefinition): void {
  const topic = `Topic ${JSON.stringify(name)}`;
  if (retain !== undefined && retain !== 'latest')
    throw new TypeError(`${topic}: retain must be 'latest', or left out; got ${describe(retain)}.`);
  if (retain !== undefined && aliasOf !== undefined)
    throw new TypeError(`${topic}: an alias has no events of its own to retain; retain "${aliasOf}".`);
  if (removedBy === undefined) return;
  if (retain === undefined) throw new TypeError(`${topic}: removedBy needs retain: 'latest'.`);
  const isList = Array.isArray(removedBy) && removedBy.every((type) => typeof type === 'string' && type !== '');
  if (!isList && typeof removedBy !== 'function')
    throw new TypeError(
      `${topic}: removedBy must be a list of types, or a function of an event; got ${describe(removedBy)}.`,
    );
}

const noRules: readonly string[] = [];

/** A declared set of topics, or the open set in which every name is a topic. Made by {@link defineTopics}. */
export class Topics<T extends TopicMap = TopicMap, Name extends string = string> {
  /** Names that filters may use; undefined in the open set. */
  readonly names: readonly Name[] | undefined;
  /** Carries the types; never has a value. */
  declare readonly payloads: T;
  readonly #definitions: ReadonlyMap<string, TopicDefinition> | undefined;
  readonly #aliases = new Map<string, ReadonlyMap<string, readonly string[]>>();
  readonly #rules: ReadonlyMap<string, readonly string[]>;
  /** Names, aliases too, whose newest events are kept. */
  readonly #retained: ReadonlySet<string>;
  /** What {@link namesOf} answered last: most events have the topic of the one before. */
  #lastName: readonly [string] = [''];

  constructor(definitions: Readonly<Record<string, TopicDefinition>> | undefined) {
    this.names = definitions && (Object.freeze(Object.keys(definitions)) as readonly Name[]);
    this.#definitions = definitions && new Map(Object.entries(definitions));
    for (const [name, definition] of this.#definitions ?? []) this.#check(name, definition);
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
    return this.#rules.get(name) ?? noRules;
  }

  /** Which kind of ACL object the events of a topic change, if any. */
  aclObject(topic: string): AclObject | undefined {
    return this.definition(topic)?.aclChange;
  }

  /** Whether the newest event of each key of this topic is kept; of an alias, those of its topic. */
  retains(name: string): boolean {
    return this.#retained.has(name);
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

  #check(name: string, definition: TopicDefinition): void {
    checkOptions<TopicDefinition>(definition, knownMembers, `Topic ${JSON.stringify(name)}`);
    checkRules(name, definition);
    checkRetention(name, definition);
    const { aliasOf, types = [] } = definition;
    if (name === '' || name === '*' || name.includes(':')) {
      throw new TypeError(`A topic's name must not be empty, "*" or contain ":"; got "${name}".`);
    }
    if (aliasOf === undefined) return;
    if (!this.#definitions?.has(aliasOf))
      throw new TypeError(`Topic "${name}" is an alias of "${aliasOf}", which is not defined.`);
    const byType = new Map(this.#aliases.get(aliasOf));
    for (const type of types) byType.set(type, Object.freeze([...(byType.get(type) ?? [aliasOf]), name]));
    this.#aliases.set(aliasOf, byType);
  }
}

/**
 * Declares a broker's topics: the type of each payload, and who may see it.
 *
 * ```ts
 * const topics = defineTopics({
 *   Order: { payload: payloadOf<{ id: string; total: number }>(), requires: { namespace: 'read-orders' } },
 *   Audit: {}, // needs management
 * });
 * const broker = new EventBroker({ topics });
 * ```
 *
 * With `rights`, what topics require is held against them, by the compiler too.
 * @throws TypeError for a name that no filter could ask for, and for a need that the rights do not have
 */
export function defineTopics<
  // Without the type of the payload: what the rules are handed, the payload's own type says, below.
  const D extends Record<
    string,
    Omit<TopicDefinition<unknown, N>, 'visible' | 'removedBy'> & {
      readonly visible?: unknown;
      readonly removedBy?: unknown;
    }
  >,
  const P extends Record<string, unknown>,
  N extends Needs = Needs,
>(
  // The second half gives `visible` the payload's type; the first knows the rest to the letter.
  definitions: D & { readonly [K in keyof P]: TopicDefinition<P[K], N> },
  options: { readonly rights?: KnownNeeds<N> } = {},
): Topics<DefinedPayloads<D>, DefinedName<D>> {
  checkOptions<typeof options>(options, { rights: true }, 'defineTopics');
  const topics = new Topics<DefinedPayloads<D>, DefinedName<D>>(definitions);
  if (options.rights) topics.checkNeeds(options.rights);
  return topics;
}

/** The open set: any name is a topic, and every topic needs management. */
export const openTopics: Topics = new Topics(undefined);
