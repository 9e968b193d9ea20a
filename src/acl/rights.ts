import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { keepNewest } from '../model/keep-newest.ts';
import { hintFor, nearestOf } from '../model/options.ts';
import type { KnownNeeds, TopicRequirement } from '../model/topic-definition.ts';
import type { NeedsOf, RightsDefinition } from './rights-definition.ts';
import { openBlock, RightsBlock, type RuleBlock } from './rights-block.ts';
import type { ParsedRules, PolicyRules } from './policy-rules.ts';
import { requireObject, RulesReader } from './rules-reader.ts';
import { readRulesText } from './rules-text.ts';

export interface RightsOptions {
  /** Reads rules from text that is not JSON. Default: there is none. */
  readonly readText?: (text: string) => object | Promise<object>;
}

/** Rules of a store: what they mean, and the first thing in them that means nothing here. */
interface StoredReading {
  readonly rules: ParsedRules;
  readonly ignored: BrokerError | undefined;
}

/** So many texts of policies are remembered; past it, the oldest is read again. */
const MAX_TEXTS = 1000;

/** Copies that nobody can change: other rights may read them without copying them once more. */
const copies = new WeakSet<object>();

/**
 * The words in which somebody's rights are written: blocks, levels, capabilities. Made by {@link defineRights}.
 * Immutable.
 */
export class Rights<D extends RightsDefinition = RightsDefinition> implements KnownNeeds<NeedsOf<D>> {
  /** Carries the types; never has a value. */
  declare readonly needs: NeedsOf<D>;
  readonly #blocks: ReadonlyMap<string, RuleBlock>;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #readText: RightsOptions['readText'];
  /** What any other block is, where there are more than those that are named. */
  readonly #others: RuleBlock | undefined;
  /** Of frozen copies: those of others may change. */
  readonly #stored = new WeakMap<object, StoredReading>();
  readonly #texts = new Map<string, Promise<StoredReading>>();

  /** @internal Made by {@link defineRights}. @param others what blocks are that `blocks` does not have */
  constructor(
    blocks: ReadonlyMap<string, RuleBlock>,
    { readText, others }: RightsOptions & { readonly others?: RuleBlock } = {},
  ) {
    this.#blocks = blocks;
    this.#aliases = new Map([...blocks].map(([name, { alias = name }]) => [alias, name]));
    this.key = JSON.stringify(
      [...blocks].map(([name, { alias, isNamed, isIgnored }]) => [name, alias, isNamed, isIgnored]),
    );
    this.#readText = readText;
    this.#others = others;
  }

  /** @internal Equal for rights in which equal rules grant the same. */
  readonly key: string;

  /** @internal Names of the blocks, for messages. */
  get blockNames(): readonly string[] {
    return [...this.#blocks.keys()];
  }

  /** @internal A block's own name, where an alias is given. */
  nameOf(block: string): string {
    return this.#aliases.get(block) ?? block;
  }

  /** @internal @param name its own or its alias; undefined when there is no such block */
  block(name: string): RuleBlock | undefined {
    const own = this.nameOf(name);
    const isMisspelt = !this.#blocks.has(own) && nearestOf(own, ['namespace']) !== undefined;
    return this.#blocks.get(own) ?? (isMisspelt ? undefined : this.#others);
  }

  /**
   * @internal Checks rules and copies them: the copy is deeply frozen.
   * @throws BrokerError `bad_request` that names an unknown block, level or capability, its place, and what is known
   */
  freeze(rules: PolicyRules): PolicyRules {
    const copy = copyOf(rules);
    const reading = { rules: new RulesReader(this, true).read(copy), ignored: undefined };
    this.#stored.set(frozen(copy), reading);
    return copy;
  }

  /** @internal What rules mean. @throws BrokerError as {@link freeze} does */
  parse(rules: PolicyRules): ParsedRules {
    return new RulesReader(this, true).read(copyOf(rules));
  }

  /**
   * @internal What rules mean that a store holds: blocks, members, levels and capabilities that are not known are
   * ignored, as Nomad does where it uses a policy that a newer version has written. What is known keeps its effect,
   * `deny` above all.
   * @throws BrokerError `bad_request` for what is no set of rules at all
   */
  readStored(rules: PolicyRules): StoredReading {
    const known = this.#stored.get(rules);
    if (known !== undefined) return known;
    const reader = new RulesReader(this, false);
    const reading = { rules: reader.read(copyOf(rules)), ignored: reader.ignored };
    // A store that changes its objects would be read as it was.
    if (copies.has(rules)) this.#stored.set(rules, reading);
    return reading;
  }

  /**
   * @internal Rules from text: JSON when it begins with `{`, else what these rights can read. Text without content has
   * no rules.
   * @throws BrokerError `bad_request` for text that is not well-formed; `not_supported` where nothing reads it
   */
  fromText(text: string): PolicyRules | Promise<PolicyRules> {
    return readRulesText(text, this.#readText) as PolicyRules | Promise<PolicyRules>;
  }

  /**
   * @internal As {@link readStored}, from a policy's text. One text is read once, however many tokens have the policy:
   * a change of it asks for all of them at once.
   */
  readStoredText(text: string): Promise<StoredReading> {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const reading = (async () => this.readStored(await this.fromText(text)))();
    this.#texts.set(text, reading);
    keepNewest(this.#texts, MAX_TEXTS);
    reading.catch(() => this.#texts.delete(text));
    return reading;
  }

  /**
   * @param where what needs it, for the message
   * @throws TypeError that names the nearest that is known when no rule could ever meet it
   */
  requireKnown(requirement: TopicRequirement, where: string): void {
    if (typeof requirement === 'string') return;
    const [[name, capability] = ['', '']] = Object.entries(requirement);
    const block = this.block(name);
    if (block === undefined || block.isIgnored) throw unknown(where, 'block', name, this.#requirable);
    const known = block.requirable;
    if (known && !known.includes(capability)) throw unknown(where, `capability of ${name}`, capability, known);
  }

  get #requirable(): readonly string[] {
    return [...this.#blocks].filter(([, { isIgnored }]) => !isIgnored).map(([name]) => name);
  }
}

const namespace = 'namespace';

/** Where no rights are given: any capability may be listed, in `namespace` by name and in any other block. */
export const openRights: Rights = new Rights(new Map([[namespace, openBlock({ isNamed: true })]]), {
  others: openBlock({ isNamed: false }),
});

/** Looks at the form alone: for what is kept for somebody who has the rights. */
export const formOnly: Rights = new Rights(new Map([[namespace, openBlock({ isNamed: true, isForm: true })]]), {
  others: openBlock({ isNamed: undefined, isForm: true }),
});

/**
 * Names the rights that a host's rules can grant and its topics can need.
 *
 * ```ts
 * const rights = defineRights({
 *   namespace: { capabilities: ['read-orders', 'read-audit'], levels: { read: ['read-orders'] } },
 *   system: { capabilities: ['read-metrics'] },
 * });
 * const topics = defineTopics({ Order: { requires: { namespace: 'read-orders' } } }, { rights });
 * Acl.fromRules([{ namespace: { acme: { policy: 'read' } } }], { accessorId: 'alice', rights });
 * ```
 * @throws TypeError that names the block and what is wrong with it
 */
export function defineRights<const D extends RightsDefinition>(definition: D, options: RightsOptions = {}): Rights<D> {
  if (typeof definition !== 'object' || definition === null || Object.keys(definition).length === 0)
    throw new TypeError(`defineRights takes an object of at least one block; got ${describe(definition)}.`);
  const blocks = Object.entries(definition).map(([name, block]) => [name, new RightsBlock(name, block)] as const);
  return new Rights<D>(new Map(blocks), options);
}

/** @throws TypeError for what {@link defineRights} has not made */
export function checkRights<D extends RightsDefinition>(rights: Rights<D> | undefined): Rights | undefined {
  if (rights === undefined || typeof (rights as Partial<Rights> | null)?.requireKnown === 'function') return rights;
  throw new TypeError(`rights must be what defineRights answers with; got ${describe(rights)}.`);
}

function copyOf(rules: PolicyRules): PolicyRules {
  requireObject(rules, 'policy rules');
  if (copies.has(rules)) return rules;
  try {
    return structuredClone(rules);
  } catch (cause) {
    throw new BrokerError('bad_request', 'policy rules may hold only objects, lists and strings.', { cause });
  }
}

function frozen<T extends object>(copy: T): T {
  deepFreeze(copy);
  copies.add(copy);
  return copy;
}

function deepFreeze(value: unknown): void {
  // So is whatever is no object.
  if (Object.isFrozen(value)) return;
  for (const part of Object.values(value as object)) deepFreeze(part);
  Object.freeze(value);
}

function unknown(where: string, what: string, name: string, known: readonly string[]): TypeError {
  return new TypeError(
    `${where} needs an unknown ${what}: ${JSON.stringify(name)}; known: ${known.join(', ')}.${hintFor(name, known)}`,
  );
}
