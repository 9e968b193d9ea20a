import type { AclRef } from '../model/acl-ref.ts';
import { describe } from '../model/describe.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import type { Claims, TopicRequirement } from '../model/topic-definition.ts';
import { checkClaims } from './claims.ts';
import { MergedRules } from './merged-rules.ts';
import type { ParsedRules, PolicyRules } from './policy-rules.ts';
import type { InPlace } from '../model/in-place.ts';
import { checkRights, openRights, type Rights } from './rights.ts';
import type { RightsDefinition } from './rights-definition.ts';
import { rightFor, verdictOf, type Right, type Verdict } from './verdict.ts';

/** What is known of whom an {@link Acl} belongs to. */
export interface AclFacts<D extends RightsDefinition = RightsDefinition> {
  /** Public name of the token, for notifications and statistics. Never a secret. */
  readonly accessorId?: string | undefined;
  /** When the rights end, in milliseconds since 1970, UTC. Default never. */
  readonly expiresAt?: number | undefined;
  /**
   * A change to one of these may change the rights; one to `token:<accessorId>` always may. Default none beside that.
   */
  readonly dependsOn?: readonly AclRef[];
  /** Everything is allowed, whatever the rules. Default false. */
  readonly management?: boolean;
  /**
   * What topics with a rule of their own (`visible`) are told of its holder. Plain JSON, copied. Who has none sees no
   * event of such a topic.
   */
  readonly claims?: Claims | undefined;
  /**
   * All subscriptions of this accessor that end at the same time have the same rights: after a change, one of their
   * functions is asked for all of them. They end where that answer is another accessor's, or no longer for all. Default
   * false: each is asked.
   */
  readonly perAccessor?: boolean;
  /** In whose words the rules are written. Default none: any capability may be listed, and there are no levels. */
  readonly rights?: Rights<D> | undefined;
}

const managementRights = 'management';

const knownFacts: OptionNames<AclFacts> = {
  accessorId: true,
  expiresAt: true,
  dependsOn: true,
  management: true,
  claims: true,
  perAccessor: true,
  rights: true,
};

/**
 * What somebody may see. Immutable: rights that change are another Acl.
 *
 * {@link AclResolver} makes them from tokens; a host with credentials of its own (JWT, sessions) makes them with
 * {@link Acl.fromRules}.
 */
export class Acl {
  /** For trusted code: sees everything, never expires, depends on nothing. */
  static readonly management: Acl = Acl.fromRules([], { management: true });

  readonly isManagement: boolean;
  readonly accessorId: string | undefined;
  /** Milliseconds since 1970, UTC. */
  readonly expiresAt: number | undefined;
  /** Also roles and policies that were looked up and do not exist: they may come to. Without repeats, sorted. */
  readonly dependsOn: readonly AclRef[];
  /** What the rules of topics are told of its holder; frozen. Undefined where there is nothing, or nothing usable. */
  readonly claims: Claims | undefined;
  /** Why the claims that it was made with cannot be used: it is shown nothing of topics with a rule. */
  readonly claimsFault: string | undefined;
  /** Canonical text of the claims: equal for equal ones. */
  readonly claimsKey: string;
  /** Whether one answer is for all subscriptions of this accessor. */
  readonly isPerAccessor: boolean;
  /** Equal for Acls that grant the same, whatever their claims. Holds no secret and nothing of the token. */
  readonly rightsKey: string;
  readonly #rules: MergedRules;
  readonly #rights: Rights;

  private constructor(rules: MergedRules, rights: Rights, facts: AclFacts) {
    this.isManagement = facts.management ?? false;
    this.accessorId = facts.accessorId;
    this.expiresAt = facts.expiresAt;
    this.dependsOn = dependenciesOf(facts);
    const claims = checkClaims(facts.claims);
    this.claims = claims.value;
    this.claimsFault = claims.fault;
    this.claimsKey = claims.text;
    this.isPerAccessor = facts.perAccessor === true && facts.accessorId !== undefined;
    this.rightsKey = this.isManagement ? managementRights : `${rights.key}${rules.text}`;
    this.#rules = rules;
    this.#rights = rights;
    Object.freeze(this);
  }

  /**
   * The union of the rules of several policies: the same objects as `MemoryAclStore.upsertPolicy` takes.
   * @throws BrokerError `bad_request` that names what a rule has wrong, and what is known
   * @throws TypeError when `expiresAt` is not a number of milliseconds, or a fact is not known
   */
  static fromRules<D extends RightsDefinition = RightsDefinition>(
    rules: readonly InPlace<PolicyRules<D>, D>[],
    facts: AclFacts<D> = {},
  ): Acl {
    checkOptions<AclFacts<D>>(facts, knownFacts, 'Acl.fromRules');
    checkFacts(facts);
    if (!isList(rules)) throw new TypeError(`Acl.fromRules takes a list of rules; got ${describe(rules)}.`);
    const rights = checkRights(facts.rights) ?? openRights;
    const parsed = rules.map((one) => rights.parse(one));
    return Acl.fromParsed(parsed, rights, facts);
  }

  /** @internal As {@link Acl.fromRules}, of rules that were read already. */
  static fromParsed(rules: readonly ParsedRules[], rights: Rights, facts: Omit<AclFacts, 'rights'>): Acl {
    return new Acl(new MergedRules(rules, rights), rights, facts);
  }

  /** Whether anything can take these rights away: a change, or time. */
  get isRevocable(): boolean {
    return this.expiresAt !== undefined || this.dependsOn.length > 0;
  }

  /**
   * Whether its holder may subscribe to a topic with this requirement in this namespace. `*` asks for all namespaces,
   * those that do not exist yet included: a rule named `*` must grant it. It says nothing of namespaces with closer
   * rules, so that each event is to be checked by {@link Acl.sees} as well.
   */
  meets(requirement: TopicRequirement, namespace: string): boolean {
    return this.#allows(requirement, ({ block, capability }) => this.#rules.grants(block, namespace, capability));
  }

  /**
   * Whether its holder may see an event of a topic with this requirement, in the event's own namespace. An event
   * without namespace (`''`) of a topic that needs a capability in one is seen by whoever holds that capability in any
   * namespace: the subscription as a whole was checked by {@link Acl.meets}.
   */
  sees(requirement: TopicRequirement, namespace: string): boolean {
    return this.#allows(requirement, ({ block, capability }) =>
      namespace === ''
        ? this.#rules.grantsSomewhere(block, capability)
        : this.#rules.grants(block, namespace, capability),
    );
  }

  /** @internal As {@link Acl.meets}, and which rule decided: for explanations. */
  judge(requirement: TopicRequirement, namespace: string): Verdict {
    const judged = { isManagement: this.isManagement, rules: this.#rules, rights: this.#rights };
    return verdictOf(judged, requirement, namespace, this.meets(requirement, namespace));
  }

  /**
   * The namespaces in which a topic with this requirement may be seen, by their names; undefined where names do not
   * tell: for what is not granted by namespace, and where a rule with `*` grants it.
   */
  namespacesFor(requirement: TopicRequirement): readonly string[] | undefined {
    const right = this.isManagement ? undefined : rightFor(requirement, this.#rights);
    return right?.block === 'namespace' ? this.#rules.namesGranting(right.block, right.capability) : undefined;
  }

  #allows(requirement: TopicRequirement, inNamespace: (right: Right) => boolean): boolean {
    if (this.isManagement || requirement === 'anyone') return true;
    const right = rightFor(requirement, this.#rights);
    if (right === undefined) return false;
    if (right.block === 'namespace') return inNamespace(right);
    // Rules by any other name are needed under every one: events do not say theirs.
    return this.#rights.block(right.block)?.isNamed === true
      ? this.#rules.grantsEverywhere(right.block, right.capability)
      : this.#rules.grants(right.block, '', right.capability);
  }
}

/** Rights end at the very millisecond that they name. @param now milliseconds since 1970 */
export function hasExpired({ expiresAt = Infinity }: Pick<Acl, 'expiresAt'>, now: number): boolean {
  return expiresAt <= now;
}

/** A fact that is not what it should be would be one that changes nobody hears of, or rights that nobody gave. */
function checkFacts({
  accessorId,
  expiresAt,
  dependsOn = [],
  management,
  perAccessor,
}: Omit<AclFacts, 'rights'>): void {
  if (expiresAt !== undefined && !Number.isFinite(expiresAt))
    throw new TypeError('expiresAt must be a finite number of milliseconds since 1970, or undefined for never.');
  if (accessorId !== undefined && (typeof accessorId !== 'string' || accessorId === ''))
    throw new TypeError(`accessorId must be a text that is not empty; got ${describe(accessorId)}.`);
  for (const [name, value] of Object.entries({ management, perAccessor }))
    if (value !== undefined && typeof value !== 'boolean')
      throw new TypeError(`${name} must be true or false; got ${describe(value)}.`);
  const strange: unknown = isList(dependsOn) ? dependsOn.find((ref) => !isRef(ref)) : dependsOn;
  if (strange === undefined) return;
  throw new TypeError(
    `dependsOn must be a list of 'token:<accessorId>', 'policy:<name>' or 'role:<id>'; got ${describe(strange)}.`,
  );
}

// Functions: they are needed before this line is reached, by the Acl of management.
function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function isRef(ref: unknown): boolean {
  return typeof ref === 'string' && /^(?:token|policy|role):./.test(ref);
}

/**
 * Whoever has a public name can be told of by it: a host that takes somebody's rights away names them, and has not to
 * name what else.
 */
function dependenciesOf({ accessorId, dependsOn = [] }: AclFacts): readonly AclRef[] {
  const own: readonly AclRef[] = accessorId === undefined ? [] : [`token:${accessorId}`];
  return Object.freeze([...new Set([...own, ...dependsOn])].toSorted());
}
