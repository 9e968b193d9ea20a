import { describe } from './describe.ts';
import type { Event } from './event.ts';
import { checkOptions, nearestOf, type OptionNames } from './options.ts';
import type { DefinedEvent, DefinedUnindexedEvent, PayloadTypes } from './topic-types.ts';

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

/**
 * One topic, as a host declares it. `defineTopics` infers the parameters: `P` is what stands under `payload`, `Y` under
 * `types`, `A` under `aliasOf`.
 */
export interface TopicDefinition<P = unknown, N extends Needs = Needs, Y = unknown, A = unknown> {
  /**
   * What the payloads of all event types are: `payloadOf<Order>()`, which is a type and no more, or a Standard Schema
   * (zod, valibot, arktype, …), which `publish` asks. Not beside `types` by name.
   */
  readonly payload?: P;
  /**
   * The event types of this topic.
   *
   * - By name, `{ OrderPlaced: payloadOf<Placed>(), OrderShipped: shippedSchema }`: each with its own payload, and no
   *   others: `publish` refuses them.
   * - As a list: for documentation; others may be published. Of an alias: which events it stands for.
   */
  readonly types?: (Y & PayloadTypes) | readonly string[];
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
  visible?(claims: Claims, event: DefinedEvent<P, Y>): boolean;
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
  readonly removedBy?: readonly DefinedEvent<P, Y>['type'][] | RemovalRuleOf<DefinedUnindexedEvent<P, Y>>;
  /**
   * `false`: streams that ask for this topic, by name or with `*`, are never compressed. For payloads that hold a
   * secret beside a text that somebody else chooses: from how well both compress together, who sees the lengths of what
   * is sent can guess the secret (CRIME, BREACH). Default true; what a mount's own option `compression` says counts
   * first.
   */
  readonly compression?: boolean;
  /** A second name for some events of another topic: those of `types`. Nothing is published under it. */
  readonly aliasOf?: A & string;
}

/** An event, as far as it is known before it has an index. */
export type UnindexedEvent<Payload = unknown> = Omit<Event<string, Payload>, 'index'>;

/** Whether an event removes its key from the state. */
export type RemovalRule<Payload = unknown> = RemovalRuleOf<UnindexedEvent<Payload>>;

/** The same, of the events of a topic with a payload for each type. */
// A method's parameters may be narrower: the payload's type is the host's own.
export type RemovalRuleOf<E> = { removes(event: E): boolean }['removes'];

const knownMembers: OptionNames<TopicDefinition> = {
  payload: true,
  types: true,
  key: true,
  requires: true,
  aclChange: true,
  visible: true,
  retain: true,
  removedBy: true,
  compression: true,
  aliasOf: true,
};
const aclObjects: ReadonlySet<unknown> = new Set(['token', 'policy', 'role']);

/** @throws TypeError for what cannot be meant, as far as one topic can be looked at without the others */
export function checkDefinition(name: string, definition: TopicDefinition): void {
  checkOptions<TopicDefinition>(definition, knownMembers, `Topic ${JSON.stringify(name)}`);
  checkRules(name, definition);
  checkRetention(name, definition);
  checkCompression(name, definition);
  if (name === '' || name === '*' || name.includes(':'))
    throw new TypeError(`A topic's name must not be empty, "*" or contain ":"; got "${name}".`);
}

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

function checkCompression(name: string, { compression, aliasOf }: TopicDefinition): void {
  if (compression !== undefined && aliasOf !== undefined)
    throw new TypeError(`Topic "${name}": what is compressed is said where its events are: of "${aliasOf}".`);
  if (compression !== undefined && typeof compression !== 'boolean')
    throw new TypeError(`Topic "${name}": compression must be true or false; got ${describe(compression)}.`);
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
