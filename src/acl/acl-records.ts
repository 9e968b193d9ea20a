import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { unknownName, type OptionNames } from '../model/options.ts';
import { checkClaims } from './claims.ts';
import type { Claims } from '../model/topic-definition.ts';
import type { PolicyRules } from './policy-rules.ts';

/** Who somebody is. */
export interface AclToken {
  /** Public name of the token. */
  readonly accessorId: string;
  /** What its holder presents. It is compared and never shown. */
  readonly secretId: string;
  readonly name?: string | undefined;
  /** `management` may do everything, whatever its policies. */
  readonly type: 'client' | 'management';
  /** Names of policies. Those that do not exist grant nothing. */
  readonly policies?: readonly string[] | null | undefined;
  /** Linked roles. The ID counts, the name is for people. Those that do not exist grant nothing. */
  readonly roles?: readonly RoleLink[] | null | undefined;
  /** When the token ends: a date, a text that `Date` reads, or milliseconds since 1970. Default never. */
  readonly expirationTime?: Date | string | number | null | undefined;
  /** What the rules of topics (`visible`) are told of its holder: plain JSON. Default none. */
  readonly claims?: Claims | undefined;
}

export interface RoleLink {
  readonly id: string;
  readonly name?: string | undefined;
}

export interface NamedPolicy {
  readonly name: string;
  readonly description?: string | undefined;
}

/** A named set of rules. */
export interface AclPolicy extends NamedPolicy {
  /**
   * Rules, or the same as text: JSON, or what the rights read. A text is read once by the resolver; an object that is
   * no frozen copy of ours, with each look-up.
   */
  readonly rules: PolicyRules | string;
}

/** Policies that several tokens share by linking to one role. */
export interface AclRole {
  readonly id: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly policies?: readonly PolicyLink[] | null | undefined;
}

export interface PolicyLink {
  readonly name: string;
}

const tokenFields: OptionNames<AclToken> = {
  accessorId: true,
  secretId: true,
  name: true,
  type: true,
  policies: true,
  roles: true,
  expirationTime: true,
  claims: true,
};
const roleFields: OptionNames<AclRole> = { id: true, name: true, description: true, policies: true };
const policyFields: OptionNames<AclPolicy> = { name: true, description: true, rules: true };

/** @throws BrokerError `bad_request` that names the field and what is allowed, and never shows the secret */
export function copyToken(token: AclToken): AclToken {
  const { accessorId, secretId, name, type, policies, roles, expirationTime, claims } = token;
  requireText(accessorId, 'token: accessorId');
  const place = placeOf('token', accessorId);
  requireKnown<AclToken>(token, tokenFields, place);
  requireSecret(secretId, `${place}: secretId`);
  if (type !== 'client' && type !== 'management')
    throw refused(`${place}: type`, 'must be "client" or "management"', type);
  return Object.freeze({
    accessorId,
    secretId,
    name: optionalText(name, `${place}: name`),
    type,
    policies: copyList(policies, `${place}: policies`, requireText),
    roles: copyList(roles, `${place}: roles`, copyRoleLink),
    expirationTime: expiryOf({ accessorId, expirationTime }),
    claims: copyClaims(claims, place),
  });
}

/** @throws BrokerError `bad_request` that names the field and what is allowed */
export function copyRole(role: AclRole): AclRole {
  const { id, name, description, policies } = role;
  requireText(id, 'role: id');
  const place = placeOf('role', id);
  requireKnown<AclRole>(role, roleFields, place);
  return Object.freeze({
    id,
    name: optionalText(name, `${place}: name`),
    description: optionalText(description, `${place}: description`),
    policies: copyList(policies, `${place}: policies`, copyPolicyLink),
  });
}

/**
 * All of a policy but its rules.
 * @throws BrokerError `bad_request` that names the field and what is allowed
 */
export function copyPolicy(policy: AclPolicy): NamedPolicy {
  const { name, description } = policy;
  requireText(name, 'policy: name');
  const place = placeOf('policy', name);
  requireKnown<AclPolicy>(policy, policyFields, place);
  return { name, description: optionalText(description, `${place}: description`) };
}

/**
 * When a token ends, in milliseconds since 1970; undefined for never.
 * @throws BrokerError `bad_request` when its expiration time is no date
 */
export function expiryOf({
  accessorId,
  expirationTime,
}: Pick<AclToken, 'accessorId' | 'expirationTime'>): number | undefined {
  if (expirationTime === undefined || expirationTime === null) return undefined;
  const endsAt = typeof expirationTime === 'number' ? expirationTime : new Date(expirationTime).getTime();
  if (Number.isFinite(endsAt)) return endsAt;
  throw refused(
    `${placeOf('token', accessorId)}: expirationTime`,
    'must be a date, its text, or milliseconds since 1970',
    expirationTime,
  );
}

function copyClaims(claims: Claims | undefined, place: string): Claims | undefined {
  const { value, fault } = checkClaims(claims);
  if (fault !== undefined) throw new BrokerError('bad_request', `${place}: ${fault}`);
  return value;
}

function copyRoleLink(link: RoleLink, at: string): RoleLink {
  const { id, name } = requireObject(link, at);
  requireText(id, `${at}.id`);
  return Object.freeze({ id, name: optionalText(name, `${at}.name`) });
}

function copyPolicyLink(link: PolicyLink, at: string): PolicyLink {
  const { name } = requireObject(link, at);
  return Object.freeze({ name: requireText(name, `${at}.name`) });
}

function copyList<T>(
  list: readonly T[] | null | undefined,
  at: string,
  copy: (item: T, at: string) => T,
): readonly T[] {
  if (list === null || list === undefined) return Object.freeze([]);
  if (!Array.isArray(list)) throw refused(at, 'must be a list', list);
  return Object.freeze(list.map((item: T, i) => copy(item, `${at}[${i}]`)));
}

/** A misspelt field would be none at all: a token with `expiresAt` would never end. */
function requireKnown<R extends object>(record: R, known: OptionNames<R>, place: string): void {
  const fault = unknownName(record, known);
  if (fault !== undefined) throw new BrokerError('bad_request', `${place} has no field ${fault}`);
}

function requireObject<T extends object>(value: T, at: string): T {
  if (typeof value !== 'object' || value === null) throw refused(at, 'must be an object', value);
  return value;
}

function requireText(value: string, at: string): string {
  if (typeof value !== 'string' || value === '') throw refused(at, 'must be a string that is not empty', value);
  return value;
}

/** Stored as anything else it could never be presented: a header carries these letters, and no blanks at its ends. */
function requireSecret(value: unknown, at: string): void {
  if (typeof value === 'string' && /^[!-~](?:[ -~]*[!-~])?$/.test(value)) return;
  throw refused(at, 'must be a string of printable ASCII, not empty and without blanks at its ends');
}

function optionalText(value: string | undefined, at: string): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw refused(at, 'must be a string', value);
  return value;
}

function placeOf(what: string, name: string): string {
  return `${what} ${JSON.stringify(name)}`;
}

/** Leave `value` out where it could be a secret. */
function refused(at: string, rule: string, ...value: [unknown?]): BrokerError {
  return new BrokerError('bad_request', `${at} ${rule}${value.length === 0 ? '' : `; got ${describe(value[0])}`}.`);
}
