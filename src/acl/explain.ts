import type { BrokerError } from '../model/errors.ts';
import type { TopicRequirement } from '../model/topics.ts';
import type { AclRef } from '../model/acl-ref.ts';
import type { Right } from './acl.ts';
import { Acl, rightFor } from './acl.ts';
import type { RoleLink } from './acl-records.ts';
import type { Grants, PolicyGrant } from './grants.ts';
import type { AppliedRule } from './merged-rules.ts';
import { MergedRules } from './merged-rules.ts';
import type { PolicyRules } from './policy-rules.ts';
import { parseRules, placeOf } from './policy-rules.ts';

/** One thing that a subscription asks for. */
export interface AclNeed {
  readonly topic: string;
  readonly requirement: TopicRequirement;
  /** The namespace that is subscribed to, `*` for all. */
  readonly namespace: string;
}

/** A policy that has a say in a need, and how the token comes by it. */
export interface AclAppliedRule {
  readonly policy: string;
  /** The rule of it, for example `namespace "prod-*"`. */
  readonly rule: string;
  /** Whether the token itself names the policy. */
  readonly isDirect: boolean;
  /** The token's roles that name the policy. */
  readonly roles: readonly RoleLink[];
}

/** Whether and why one need is met. */
export interface AclFinding extends AclNeed {
  readonly isMet: boolean;
  /** One sentence for an operator. */
  readonly reason: string;
  readonly metBy: readonly AclAppliedRule[];
  /** Policies whose `deny` decides. */
  readonly deniedBy: readonly AclAppliedRule[];
}

/** A policy that a store holds and that nobody can read. */
export interface UnreadablePolicy {
  readonly policy: string;
  readonly error: BrokerError;
}

export function unreadableOf(policies: readonly PolicyGrant[]): readonly UnreadablePolicy[] {
  return policies.flatMap(({ name, unreadable }) => (unreadable ? [{ policy: name, error: unreadable }] : []));
}

/**
 * Why somebody may or may not subscribe. For operators and tests: it names tokens, policies and roles. Holds no secret.
 */
export interface AclExplanation {
  readonly token: 'unknown' | 'expired' | 'anonymous' | 'client' | 'management';
  readonly accessorId: string | undefined;
  /** Milliseconds since 1970, UTC. */
  readonly expiresAt: number | undefined;
  /** Whether every need is met. */
  readonly isAllowed: boolean;
  /** In the order of the needs. */
  readonly findings: readonly AclFinding[];
  /** Roles and policies that are linked to and do not exist. */
  readonly missing: readonly AclRef[];
  /** Policies that exist and cannot be read: they grant nothing. */
  readonly unreadable: readonly UnreadablePolicy[];
}

type Verdict = Pick<AclFinding, 'isMet' | 'reason'> & Partial<Pick<AclFinding, 'metBy' | 'deniedBy'>>;

/** @param now milliseconds since 1970 */
export function explainGrants(grants: Grants, needs: readonly AclNeed[], now: number): AclExplanation {
  const { holder, accessorId, expiresAt, missingRoles, policies } = grants;
  const token = expiresAt !== undefined && expiresAt <= now ? 'expired' : holder;
  const explainer = new Explainer(token, policies);
  const findings = needs.map((need) => ({ ...need, metBy: [], deniedBy: [], ...explainer.judge(need) }));
  return {
    token,
    accessorId,
    expiresAt,
    isAllowed: token !== 'unknown' && token !== 'expired' && findings.every(({ isMet }) => isMet),
    findings,
    missing: [
      ...missingRoles.map((id): AclRef => `role:${id}`),
      ...policies
        .filter(({ rules, unreadable }) => rules === undefined && unreadable === undefined)
        .map(({ name }): AclRef => `policy:${name}`),
    ],
    unreadable: unreadableOf(policies),
  };
}

class Explainer {
  readonly #token: AclExplanation['token'];
  readonly #policies: readonly PolicyGrant[];
  readonly #acl: Acl;
  readonly #merged: MergedRules;

  constructor(token: AclExplanation['token'], policies: readonly PolicyGrant[]) {
    const rules = policies.flatMap((policy): readonly PolicyRules[] =>
      policy.rules === undefined ? [] : [policy.rules],
    );
    this.#token = token;
    this.#policies = policies;
    this.#acl = Acl.fromRules(rules);
    this.#merged = new MergedRules(rules.map(parseRules));
  }

  judge({ requirement, namespace }: AclNeed): Verdict {
    if (this.#token === 'unknown') return { isMet: false, reason: 'The token is not known.' };
    if (this.#token === 'expired') return { isMet: false, reason: 'The token has expired.' };
    if (this.#token === 'management') return { isMet: true, reason: 'A management token may see everything.' };
    if (requirement === 'anyone') return { isMet: true, reason: 'Anyone may see this topic.' };
    if (requirement === 'management') return { isMet: false, reason: 'It takes a management token.' };
    const isMet = this.#acl.meets(requirement, namespace);
    return this.#judgeRight(rightFor(requirement), namespace, isMet);
  }

  #judgeRight(right: Right, namespace: string, isMet: boolean): Verdict {
    const subject = subjectOf(right, namespace);
    const rule = this.#merged.ruleFor(right.block, subject);
    if (rule === undefined) return { isMet, reason: `No rule applies to ${placeOf(right.block, subject)}.` };
    const place = placeOf(right.block, rule.name);
    const metBy = isMet ? this.#appliedRules(right, rule, right.capability) : [];
    const deniedBy = this.#appliedRules(right, rule, 'deny');
    return { isMet, reason: reasonOf(right, place, isMet, deniedBy.length > 0), metBy, deniedBy };
  }

  /** The policies that put this capability into this rule. */
  #appliedRules({ block }: Right, rule: AppliedRule, capability: string): readonly AclAppliedRule[] {
    return this.#policies
      .filter(({ rules }) => rules !== undefined && parseRules(rules).get(block)?.get(rule.name)?.has(capability))
      .map(({ name, isDirect, roles }) => ({ policy: name, rule: placeOf(block, rule.name), isDirect, roles }));
  }
}

/** What the rules of a block are asked for. */
function subjectOf({ block }: Right, namespace: string): string {
  switch (block) {
    case 'namespace':
      return namespace;
    case 'node_pool':
      return '*';
    case 'node':
    case 'operator':
      return '';
  }
}

function reasonOf({ block, capability }: Right, place: string, isMet: boolean, isDenied: boolean): string {
  if (isMet) return `The rule ${place} grants ${capability}.`;
  if (isDenied) return `The rule ${place} denies.`;
  if (block === 'node_pool') return `The rule ${place} and all others of node_pool must grant ${capability}.`;
  return `The rule ${place} applies and does not grant ${capability}.`;
}
