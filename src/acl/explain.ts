import type { BrokerError } from '../model/errors.ts';
import type { TopicRequirement } from '../model/topic-definition.ts';
import type { AclRef } from '../model/acl-ref.ts';
import { Acl, hasExpired } from './acl.ts';
import type { RoleLink } from './acl-records.ts';
import { rulesOf, type Grants, type PolicyGrant } from './grants.ts';
import { placeOf } from './policy-rules.ts';
import type { Rights } from './rights.ts';
import type { Verdict } from './verdict.ts';

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

/** A policy that a store holds and that cannot be read, in whole or in part: what cannot be read grants nothing. */
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
  /** Policies that exist and cannot be read, in whole or in part: that grants nothing. */
  readonly unreadable: readonly UnreadablePolicy[];
}

/** @param now milliseconds since 1970 */
export function explainGrants(
  { holder, accessorId, expiresAt, missingRoles, policies }: Grants,
  needs: readonly AclNeed[],
  now: number,
  rights: Rights,
): AclExplanation {
  const acl = Acl.fromParsed(rulesOf(policies), rights, { accessorId, expiresAt, management: holder === 'management' });
  const appliedBy = ({ right, rule }: Decided, capability: string): readonly AclAppliedRule[] =>
    policies
      .filter((policy) => policy.rules?.get(right.block)?.get(rule.name)?.has(capability))
      .map(({ name, isDirect, roles }) => ({ policy: name, rule: placeOf(right.block, rule.name), isDirect, roles }));
  return {
    ...explained(acl, holder, needs, now, appliedBy),
    missing: [
      ...missingRoles.map((id): AclRef => `role:${id}`),
      ...policies
        .filter(({ rules, unreadable }) => rules === undefined && unreadable === undefined)
        .map(({ name }): AclRef => `policy:${name}`),
    ],
    unreadable: unreadableOf(policies),
  };
}

/** Rights that came from no store: there are no policies to name. @param now milliseconds since 1970 */
export function explainAcl(acl: Acl, needs: readonly AclNeed[], now: number): AclExplanation {
  const findings = explained(acl, acl.isManagement ? 'management' : 'client', needs, now, () => []);
  return { ...findings, missing: [], unreadable: [] };
}

/** Whether and why rights meet one need, where no policies are to be named. */
export function findingOf(acl: Acl, need: AclNeed): AclFinding {
  const { isMet, reason } = acl.judge(need.requirement, need.namespace);
  return { ...need, isMet, reason, metBy: [], deniedBy: [] };
}

type Decided = NonNullable<Verdict['decided']>;
type AppliedBy = (decided: Decided, capability: string) => readonly AclAppliedRule[];

function explained(
  acl: Acl,
  holder: Grants['holder'],
  needs: readonly AclNeed[],
  now: number,
  appliedBy: AppliedBy,
): Omit<AclExplanation, 'missing' | 'unreadable'> {
  const { accessorId, expiresAt } = acl;
  const token = hasExpired(acl, now) ? 'expired' : holder;
  const nobody = nobodys[token];
  const findings = needs.map((need): AclFinding => {
    const { isMet, reason, decided } = nobody ?? acl.judge(need.requirement, need.namespace);
    const metBy = decided && isMet ? appliedBy(decided, decided.right.capability) : [];
    return { ...need, isMet, reason, metBy, deniedBy: decided ? appliedBy(decided, 'deny') : [] };
  });
  return {
    token,
    accessorId,
    expiresAt,
    isAllowed: nobody === undefined && findings.every(({ isMet }) => isMet),
    findings,
  };
}

/** Who is allowed nothing, whatever the need. */
const nobodys: Readonly<Partial<Record<AclExplanation['token'], Verdict>>> = {
  unknown: { isMet: false, reason: 'The token is not known.' },
  expired: { isMet: false, reason: 'The token has expired.' },
};
