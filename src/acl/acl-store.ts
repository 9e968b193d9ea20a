import { BrokerError } from '../model/errors.ts';
import type { AclPolicy, AclRole, AclToken, NamedPolicy } from './acl-records.ts';
import { copyPolicy, copyRole, copyToken } from './acl-records.ts';
import { checkOptions } from '../model/options.ts';
import type { PolicyRules } from './policy-rules.ts';
import { checkRights, formOnly, type Rights } from './rights.ts';
import type { RightsDefinition } from './rights-definition.ts';

export type { AclPolicy, AclRole, AclToken, PolicyLink, RoleLink } from './acl-records.ts';

/** What a look-up answers: at once or later; nothing when there is no such object. It throws when it cannot tell. */
export type StoreAnswer<T> = T | null | undefined | Promise<T | null | undefined>;

/** Where tokens, policies and roles are kept. A look-up answers with what is committed, and changes nothing. */
export interface AclStore {
  tokenBySecretId(secretId: string): StoreAnswer<AclToken>;
  policyByName(name: string): StoreAnswer<AclPolicy>;
  roleById(id: string): StoreAnswer<AclRole>;
}

export interface MemoryAclStoreOptions<D extends RightsDefinition = RightsDefinition> {
  /**
   * In whose words the policies are: others are refused, and text that is not JSON is read by them. Default none: rules
   * are objects or JSON text, of which the form alone is checked. Who reads them may know the words.
   */
  readonly rights?: Rights<D>;
}

/** A policy in the words of some rights. */
export type PolicyInWords<D extends RightsDefinition> = Omit<AclPolicy, 'rules'> & {
  readonly rules: PolicyRules<D> | string;
};

/**
 * An {@link AclStore} in memory. What it is given is checked, copied and frozen.
 *
 * It tells nobody of its changes: publish the change, or call `broker.aclChanged`, once the call (and its promise, if
 * there is one) is done.
 */
export class MemoryAclStore<D extends RightsDefinition = RightsDefinition> implements AclStore {
  readonly #rights: Rights;
  readonly #tokens = new Map<string, AclToken>();
  readonly #tokenBySecret = new Map<string, AclToken>();
  readonly #policies = new Map<string, AclPolicy>();
  readonly #roles = new Map<string, AclRole>();
  /** The newest call for each policy whose text is still being read. */
  readonly #reading = new Map<string, symbol>();

  /** @throws TypeError for an option that is not known */
  constructor(options: MemoryAclStoreOptions<D> = {}) {
    checkOptions<MemoryAclStoreOptions<D>>(options, { rights: true }, 'MemoryAclStore');
    this.#rights = checkRights(options.rights) ?? formOnly;
  }

  tokenBySecretId(secretId: string): AclToken | undefined {
    return this.#tokenBySecret.get(secretId);
  }

  policyByName(name: string): AclPolicy | undefined {
    return this.#policies.get(name);
  }

  roleById(id: string): AclRole | undefined {
    return this.#roles.get(id);
  }

  /**
   * Adds a token, or replaces the one with its accessor ID.
   * @throws BrokerError `bad_request` that names the field and what is allowed; also when another token has the secret
   */
  upsertToken(token: AclToken): void {
    const copy = copyToken(token);
    const { accessorId: owner } = this.#tokenBySecret.get(copy.secretId) ?? copy;
    if (owner !== copy.accessorId) {
      const place = `token ${JSON.stringify(copy.accessorId)}`;
      throw new BrokerError('bad_request', `${place}: secretId must be its own; another token has it.`);
    }
    this.deleteToken(copy.accessorId);
    this.#tokens.set(copy.accessorId, copy);
    this.#tokenBySecret.set(copy.secretId, copy);
  }

  deleteToken(accessorId: string): void {
    const token = this.#tokens.get(accessorId);
    if (token === undefined) return;
    this.#tokens.delete(accessorId);
    this.#tokenBySecret.delete(token.secretId);
  }

  /**
   * Adds a policy, or replaces the one with its name.
   * @returns a promise when the rules are text that takes one to read: until it resolves, the policy is as it was, and
   *   where it is upserted or deleted again before that, the later call decides.
   * @throws BrokerError `bad_request` that names an unknown block, level or capability and its place; `not_supported`
   *   for text that nothing reads. The promise, where there is one, rejects with it.
   */
  upsertPolicy(policy: PolicyInWords<D> & { readonly rules: PolicyRules<D> }): void;
  upsertPolicy(policy: PolicyInWords<D>): void | Promise<void>;
  upsertPolicy(policy: PolicyInWords<D>): void | Promise<void> {
    const named = copyPolicy(policy);
    const { rules } = policy;
    const read = typeof rules === 'string' ? this.#rights.fromText(rules) : rules;
    if (isThenable(read)) return this.#setWhenRead(named, read);
    this.#setPolicy(named, this.#rights.freeze(read));
  }

  deletePolicy(name: string): void {
    this.#reading.delete(name);
    this.#policies.delete(name);
  }

  /**
   * Adds a role, or replaces the one with its ID.
   * @throws BrokerError `bad_request` that names the field and what is allowed
   */
  upsertRole(role: AclRole): void {
    const copy = copyRole(role);
    this.#roles.set(copy.id, copy);
  }

  deleteRole(id: string): void {
    this.#roles.delete(id);
  }

  async #setWhenRead(named: NamedPolicy, reading: Promise<PolicyRules>): Promise<void> {
    const call = Symbol('call');
    this.#reading.set(named.name, call);
    const isNewest = (): boolean => this.#reading.get(named.name) === call;
    try {
      const rules = this.#rights.freeze(await reading);
      if (isNewest()) this.#setPolicy(named, rules);
    } finally {
      if (isNewest()) this.#reading.delete(named.name);
    }
  }

  #setPolicy(named: NamedPolicy, rules: PolicyRules): void {
    this.#reading.delete(named.name);
    this.#policies.set(named.name, Object.freeze({ ...named, rules }));
  }
}

/** Who reads text may have a promise of another kind. */
function isThenable(read: PolicyRules | Promise<PolicyRules>): read is Promise<PolicyRules> {
  return typeof (read as Partial<Promise<unknown>> | null)?.then === 'function';
}
