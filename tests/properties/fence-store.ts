import { Acl } from '../../src/acl/acl.ts';
import { AclDenial } from '../../src/acl/acl-denial.ts';
import type { PolicyRules } from '../../src/acl/policy-rules.ts';
import type { AclRef } from '../../src/model/acl-ref.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import type { Clock } from '../../src/model/clock.ts';
import { FaultyAclStore } from '../../src/testing/faulty-acl-store.ts';
import type { Grant, TruthObject, TruthToken } from './acl-truth.ts';
import { DELAY_MS } from './fence-process.ts';
import type { StoreMode } from './fence-steps.ts';
import { nomadRights } from '../../src/nomad/index.ts';
import type { Rights } from '../../src/acl/rights.ts';

const rights: Rights = nomadRights;

/** The ACL store that all processes of a world ask, with its faults. */
export class FenceStore {
  readonly source: FaultyAclStore;
  /** It was slow, held or failing at some time: subscriptions may end as `acl_unavailable`. */
  hadFaults = false;
  readonly #records = new MemoryAclStore();

  constructor(clock: Clock) {
    this.source = new FaultyAclStore(this.#records, { clock });
  }

  commit(ref: AclRef, value: TruthObject): void {
    const [object, name] = ref.split(':') as ['policy' | 'role' | 'token', string];
    switch (object) {
      case 'policy':
        return this.#commitPolicy(name, value as Grant | undefined);
      case 'role':
        return this.#commitRole(name, value as readonly string[] | undefined);
      case 'token':
        return this.#commitToken(name, value as TruthToken | undefined);
    }
  }

  #commitPolicy(name: string, grant: Grant | undefined): void {
    if (grant === undefined) return this.#records.deletePolicy(name);
    const namespace = Object.fromEntries(Object.entries(grant).map(([at, policy]) => [at, { policy }]));
    this.#records.upsertPolicy({ name, rules: { namespace } });
  }

  #commitRole(id: string, policies: readonly string[] | undefined): void {
    if (policies === undefined) this.#records.deleteRole(id);
    else this.#records.upsertRole({ id, name: id, policies: policies.map((name) => ({ name })) });
  }

  #commitToken(accessorId: string, token: TruthToken | undefined): void {
    if (token === undefined) return this.#records.deleteToken(accessorId);
    const { policies, expiresAt: expirationTime, level } = token;
    const roles = [...token.roles, `home-of-${accessorId}`].map((id) => ({ id }));
    const secretId = `s3cret-of-${accessorId}`;
    const claims = { level };
    this.#records.upsertToken({ accessorId, secretId, type: 'client', policies, roles, expirationTime, claims });
  }

  /** What a host's own function does: it looks up what it needs, keeps nothing, and says what that was. */
  async rightsOf(accessorId: string, perAccessor: boolean): Promise<Acl> {
    const token = await this.source.tokenBySecretId(`s3cret-of-${accessorId}`);
    if (!token) throw new AclDenial('unknown');
    const ids = (token.roles ?? []).map(({ id }) => id);
    const roles = await Promise.all(ids.map((id) => this.source.roleById(id)));
    const names = [
      ...(token.policies ?? []),
      ...roles.flatMap((role) => role?.policies?.map(({ name }) => name) ?? []),
    ];
    const policies = await Promise.all(names.map((name) => this.source.policyByName(name)));
    const dependsOn = [...ids.map((id): AclRef => `role:${id}`), ...names.map((name): AclRef => `policy:${name}`)];
    const expiresAt = token.expirationTime as number | undefined;
    const rules = policies.flatMap((policy) => (policy ? [policy.rules as PolicyRules] : []));
    return Acl.fromRules(rules, {
      rights,
      accessorId,
      expiresAt,
      dependsOn,
      perAccessor,
      claims: token.claims,
    });
  }

  async homeOf(who: string): Promise<string> {
    return (await this.source.roleById(`home-of-${who}`))?.policies?.[0]?.name ?? 'default';
  }

  recover(): void {
    this.source.recover();
  }

  release(count: number): void {
    this.source.release(count);
  }

  setMode(mode: StoreMode): void {
    if (mode !== 'healthy') this.hadFaults = true;
    this.source.recover();
    switch (mode) {
      case 'healthy':
        return;
      case 'held':
        return this.source.hold('before-reading');
      case 'held-stale':
        return this.source.hold('after-reading');
      case 'failing':
        return this.source.failWith();
      case 'slow':
        return this.source.delayBy(DELAY_MS, 'before-reading');
      case 'slow-stale':
        return this.source.delayBy(DELAY_MS, 'after-reading');
    }
  }
}
