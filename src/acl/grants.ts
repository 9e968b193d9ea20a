import { BrokerError } from '../model/errors.ts';
import type { AclRef } from '../model/acl-ref.ts';
import type { Claims } from '../model/topic-definition.ts';
import type { AclRole, AclToken, RoleLink } from './acl-records.ts';
import { expiryOf } from './acl-records.ts';
import type { AclStore } from './acl-store.ts';
import type { ParsedRules } from './policy-rules.ts';
import type { Rights } from './rights.ts';

/** A policy that somebody has, and by which ways. */
export interface PolicyGrant {
  readonly name: string;
  /** What it grants; undefined when the store has no such policy, and when it cannot be read. */
  readonly rules?: ParsedRules | undefined;
  /** Why it, or a part of it, cannot be read: then that grants nothing, and denies nothing either. */
  readonly unreadable?: BrokerError | undefined;
  /** Whether the token itself names it. */
  readonly isDirect: boolean;
  /** The token's roles that name it. */
  readonly roles: readonly RoleLink[];
}

/** Everything that a store knows of a secret's rights, before it is made an Acl. Holds no secret. */
export interface Grants {
  readonly holder: 'unknown' | 'anonymous' | 'client' | 'management';
  readonly accessorId: string | undefined;
  readonly expiresAt: number | undefined;
  readonly claims: Claims | undefined;
  readonly policies: readonly PolicyGrant[];
  /** IDs of linked roles that do not exist. */
  readonly missingRoles: readonly string[];
  /** Whatever was looked up beside the token, whether or not it exists. */
  readonly dependsOn: readonly AclRef[];
}

/** The rules that can be read. */
export const rulesOf = (policies: readonly PolicyGrant[]): readonly ParsedRules[] =>
  policies.flatMap(({ rules }): readonly ParsedRules[] => (rules === undefined ? [] : [rules]));

/** The policy of whoever presents no token. */
const ANONYMOUS = 'anonymous';

const nobody = {
  accessorId: undefined,
  expiresAt: undefined,
  claims: undefined,
  policies: [],
  missingRoles: [],
  dependsOn: [],
} as const;

/**
 * Looks up a secret's token, its roles, then all policies; each policy once. Passes on what the store throws.
 * @throws BrokerError when the store answers with an expiration time that cannot be read
 */
export async function gatherGrants(store: AclStore, secretId: string | undefined, rights: Rights): Promise<Grants> {
  if (secretId === undefined || secretId === '') return anonymousGrants(store, rights);
  const token = await store.tokenBySecretId(secretId);
  if (token === undefined || token === null) return { ...nobody, holder: 'unknown' };
  const owner = { accessorId: token.accessorId, expiresAt: expiryOf(token), claims: token.claims };
  if (token.type === 'management') return { ...nobody, ...owner, holder: 'management' };
  return { ...owner, holder: 'client', ...(await gatherPolicies(store, token, rights)) };
}

async function anonymousGrants(store: AclStore, rights: Rights): Promise<Grants> {
  const policy = { name: ANONYMOUS, isDirect: true, roles: [], ...(await rulesByName(store, ANONYMOUS, rights)) };
  return { ...nobody, holder: 'anonymous', policies: [policy], dependsOn: [`policy:${ANONYMOUS}`] };
}

async function gatherPolicies(
  store: AclStore,
  token: AclToken,
  rights: Rights,
): Promise<Pick<Grants, 'policies' | 'missingRoles' | 'dependsOn'>> {
  const links = token.roles ?? [];
  const roles = await Promise.all(links.map(async ({ id }) => store.roleById(id)));
  const waysByName = policyWays(token, roles);
  const policies = await Promise.all(
    [...waysByName].map(async ([name, ways]) => ({ name, ...ways, ...(await rulesByName(store, name, rights)) })),
  );
  return {
    policies,
    missingRoles: links.filter((_, i) => !roles[i]).map(({ id }) => id),
    dependsOn: [
      ...links.map(({ id }): AclRef => `role:${id}`),
      ...policies.map(({ name }): AclRef => `policy:${name}`),
    ],
  };
}

function policyWays(
  token: AclToken,
  roles: readonly (AclRole | null | undefined)[],
): Map<string, { isDirect: boolean; roles: RoleLink[] }> {
  const ways = new Map((token.policies ?? []).map((name) => [name, { isDirect: true, roles: [] as RoleLink[] }]));
  for (const role of roles) {
    if (!role) continue;
    for (const { name } of role.policies ?? []) {
      const way = ways.get(name) ?? { isDirect: false, roles: [] };
      ways.set(name, way);
      way.roles.push({ id: role.id, name: role.name });
    }
  }
  return ways;
}

/** What the store throws is an outage; what it answers and nobody can read concerns this policy alone. */
async function rulesByName(
  store: AclStore,
  name: string,
  rights: Rights,
): Promise<Pick<PolicyGrant, 'rules' | 'unreadable'>> {
  const policy = await store.policyByName(name);
  if (!policy) return {};
  try {
    const stored = policy.rules;
    const reading = typeof stored === 'string' ? await rights.readStoredText(stored) : rights.readStored(stored);
    return { rules: reading.rules, unreadable: reading.ignored };
  } catch (error) {
    return { unreadable: BrokerError.from(error) };
  }
}
