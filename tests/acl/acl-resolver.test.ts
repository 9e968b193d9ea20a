import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import { AclDenial } from '../../src/acl/acl-denial.ts';
import { AclResolver } from '../../src/acl/acl-resolver.ts';
import type { AclPolicy, AclStore, AclToken } from '../../src/acl/acl-store.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { TopicRequirement } from '../../src/model/topic-definition.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const readJob: TopicRequirement = { namespace: 'read-job' };
const readNode: TopicRequirement = { node: 'read' };

function storeWith(...tokens: Partial<AclToken>[]): MemoryAclStore {
  const store = new MemoryAclStore();
  for (const each of tokens) store.upsertToken({ accessorId: 'acc', secretId: 'secret-1', type: 'client', ...each });
  store.upsertPolicy({ name: 'jobs', rules: { namespace: { default: { policy: 'read' } } } });
  store.upsertPolicy({ name: 'nodes', rules: { node: { policy: 'read' } } });
  store.upsertRole({ id: 'ops', name: 'operators', policies: [{ name: 'nodes' }] });
  return store;
}

/** A store that answers when the test says so, and counts. */
class SteppedStore implements AclStore {
  readonly inner: MemoryAclStore;
  tokenLookUps = 0;
  #waiting: (() => void)[] = [];

  constructor(inner: MemoryAclStore) {
    this.inner = inner;
  }

  async tokenBySecretId(secretId: string): Promise<AclToken | undefined> {
    this.tokenLookUps++;
    const found = this.inner.tokenBySecretId(secretId);
    await new Promise<void>((release) => this.#waiting.push(release));
    return found;
  }

  policyByName(name: string): AclPolicy | undefined {
    return this.inner.policyByName(name);
  }

  roleById(id: string) {
    return this.inner.roleById(id);
  }

  answer(): void {
    for (const release of this.#waiting.splice(0)) release();
  }
}

class StoppedClock {
  time = 1_000;
  now(): number {
    return this.time;
  }
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('resolved'),
    (error: unknown) => error,
  );
}

describe('from a secret to rights', () => {
  it('no secret has the rights of the anonymous policy, and depends on it', async () => {
    const store = storeWith();
    store.upsertPolicy({ name: 'anonymous', rules: { node: { policy: 'read' } } });
    for (const secret of [undefined, '']) {
      const acl = await new AclResolver({ rights: nomadRights, store }).resolve(secret);
      expect(acl.meets(readNode, '')).toBe(true);
      expect(acl).toMatchObject({ accessorId: undefined, expiresAt: undefined, dependsOn: ['policy:anonymous'] });
    }
  });

  it('no secret without such a policy may do nothing, and would by its coming', async () => {
    const acl = await new AclResolver({ rights: nomadRights, store: storeWith() }).resolve(undefined);
    expect([acl.meets(readNode, ''), acl.meets(readJob, 'default'), acl.meets('anyone', '')]).toEqual([
      false,
      false,
      true,
    ]);
    expect(acl.dependsOn).toEqual(['policy:anonymous']);
  });

  it('a management token may do everything', async () => {
    const acl = await new AclResolver({
      rights: nomadRights,
      store: storeWith({ type: 'management', expirationTime: 9e15 }),
    }).resolve('secret-1');
    expect(acl).toMatchObject({ isManagement: true, accessorId: 'acc', expiresAt: 9e15, dependsOn: ['token:acc'] });
  });

  it('own policies and those of roles are united', async () => {
    const acl = await new AclResolver({
      rights: nomadRights,
      store: storeWith({ policies: ['jobs'], roles: [{ id: 'ops' }] }),
    }).resolve('secret-1');
    expect([acl.meets(readJob, 'default'), acl.meets(readNode, '')]).toEqual([true, true]);
    expect(acl.dependsOn).toEqual(['policy:jobs', 'policy:nodes', 'role:ops', 'token:acc']);
  });

  it('a deny through a role wins over a grant of the token itself', async () => {
    const store = storeWith({ policies: ['jobs'], roles: [{ id: 'fenced' }] });
    store.upsertPolicy({ name: 'none', rules: { namespace: { default: { policy: 'deny' } } } });
    store.upsertRole({ id: 'fenced', policies: [{ name: 'none' }] });
    expect((await new AclResolver({ rights: nomadRights, store }).resolve('secret-1')).meets(readJob, 'default')).toBe(
      false,
    );
  });

  it('missing roles and policies grant nothing and are depended on', async () => {
    const store = storeWith({ policies: ['gone', 'jobs'], roles: [{ id: 'lost' }] });
    const acl = await new AclResolver({ rights: nomadRights, store }).resolve('secret-1');
    expect(acl.meets(readJob, 'default')).toBe(true);
    expect(acl.dependsOn).toEqual(['policy:gone', 'policy:jobs', 'role:lost', 'token:acc']);
  });

  it('a role is linked by its ID, whatever name the link gives', async () => {
    const acl = await new AclResolver({
      rights: nomadRights,
      store: storeWith({ roles: [{ id: 'operators', name: 'operators' }] }),
    }).resolve('secret-1');
    expect(acl.meets(readNode, '')).toBe(false);
  });

  it('a store may answer with null, HCL text and texts of dates', async () => {
    const store: AclStore = {
      tokenBySecretId: async () => ({
        accessorId: 'a',
        secretId: 'x',
        type: 'client',
        policies: ['p', 'missing'],
        roles: null,
        expirationTime: '2999-01-01T00:00:00Z',
      }),
      policyByName: async (name) => (name === 'p' ? { name, rules: 'node { policy = "read" }' } : null),
      roleById: () => null,
    };
    const acl = await new AclResolver({ rights: nomadRights, store }).resolve('x');
    expect(acl.meets(readNode, '')).toBe(true);
    expect(acl.expiresAt).toBe(Date.UTC(2999, 0, 1));
  });
});

describe('denials and failures', () => {
  it('unknown and expired tokens are denied with one text, and told apart by the cause', async () => {
    const clock = new StoppedClock();
    const resolver = new AclResolver({ rights: nomadRights, store: storeWith({ expirationTime: 1_000 }), clock });
    const [unknown, expired] = [
      await failureOf(resolver.resolve('nobody')),
      await failureOf(resolver.resolve('secret-1')),
    ];
    expect(unknown).toMatchObject({
      code: 'permission_denied',
      message: 'Permission denied.',
      cause: { reason: 'unknown' },
    });
    expect(expired).toMatchObject({
      code: 'permission_denied',
      message: 'Permission denied.',
      cause: { reason: 'expired', accessorId: 'acc' },
    });
    expect(AclDenial.is((unknown as Error).cause)).toBe(true);
  });

  it.each<[string, Partial<AclStore>]>([
    [
      'throws',
      {
        tokenBySecretId: () => {
          throw new Error('down');
        },
      },
    ],
    ['rejects', { tokenBySecretId: () => Promise.reject(new Error('down')) }],
    ['fails on a role', { roleById: () => Promise.reject(new Error('down')) }],
    ['fails on a policy', { policyByName: () => Promise.reject(new Error('down')) }],
    [
      'holds a token that ends at no date',
      { tokenBySecretId: () => ({ accessorId: 'a', secretId: 's', type: 'client', expirationTime: 'soon' }) },
    ],
  ])('a store that %s makes rights unavailable, and is asked again by the next caller', async (_, failing) => {
    const inner = storeWith({ policies: ['jobs'], roles: [{ id: 'ops' }] });
    const works: AclStore = {
      tokenBySecretId: (secret) => inner.tokenBySecretId(secret),
      policyByName: (name) => inner.policyByName(name),
      roleById: (id) => inner.roleById(id),
    };
    const store = { ...works, ...failing };
    const resolver = new AclResolver({ rights: nomadRights, store });
    expect(await failureOf(resolver.resolve('secret-1'))).toMatchObject({ code: 'acl_unavailable', retry: 'resume' });
    Object.assign(store, works);
    expect((await resolver.resolve('secret-1')).meets(readJob, 'default')).toBe(true);
  });

  it('a denial is not kept', async () => {
    const store = storeWith();
    const resolver = new AclResolver({ rights: nomadRights, store });
    await failureOf(resolver.resolve('secret-1'));
    store.upsertToken({ accessorId: 'acc', secretId: 'secret-1', type: 'client' });
    expect((await resolver.resolve('secret-1')).accessorId).toBe('acc');
  });

  it('no secret reaches an error or a print, not even when the store quotes it', async () => {
    const secret = 'c0ffee-secret';
    const store: AclStore = {
      tokenBySecretId: (asked) =>
        Promise.reject(Object.assign(new Error(`no row for ${asked}`), { query: { parameters: [asked] } })),
      policyByName: () => undefined,
      roleById: () => undefined,
    };
    const clock = new StoppedClock();
    const resolver = new AclResolver({
      rights: nomadRights,
      store: storeWith({ secretId: secret }, { accessorId: 'old', secretId: `${secret}-2`, expirationTime: 1 }),
      clock,
    });
    const broken = new AclResolver({ rights: nomadRights, store });
    const acl = await resolver.resolve(secret);
    const shown = [
      acl,
      resolver,
      await failureOf(resolver.resolve(`${secret}-2`)),
      await failureOf(resolver.resolve(`${secret}-3`)),
      await failureOf(broken.resolve(secret)),
      await failureOf(broken.explain(secret, [])),
      await resolver.explain(secret, [{ topic: 'Job', requirement: readJob, namespace: 'default' }]),
    ];
    expect(inspect(shown, { depth: 12, showHidden: true })).not.toContain('c0ffee');
    expect(await failureOf(broken.resolve(secret))).toMatchObject({ cause: { message: 'no row for [secret]' } });
  });

  it.each<[object, string]>([
    [{}, 'AclResolver needs a store.'],
    [{ store: null }, 'AclResolver needs a store.'],
    [{ store: 'memory' }, 'AclResolver needs a store.'],
    [{ store: storeWith(), maxCached: -1 }, 'maxCached must be a whole number ≥ 0; got -1.'],
    [{ store: storeWith(), maxCached: 1.5 }, 'maxCached must be a whole number ≥ 0; got 1.5.'],
    [
      { store: storeWith(), stores: [] },
      'AclResolver has no option "stores". Did you mean "store"? Known: clock, maxCached, rights, store.',
    ],
  ])('wrong options are a programming mistake: %#', (options, message) => {
    expect(() => new AclResolver(options as { store: AclStore })).toThrow(new TypeError(message));
  });

  it('no explanation is given while the store fails, whoever is asked about', async () => {
    const fail = (): never => {
      throw new Error('down');
    };
    const store: AclStore = { tokenBySecretId: fail, policyByName: fail, roleById: fail };
    for (const secret of ['secret-1', undefined])
      await expect(new AclResolver({ store }).explain(secret, [])).rejects.toMatchObject({
        code: 'acl_unavailable',
        cause: { message: 'down' },
      });
  });
});

describe('sharing and keeping', () => {
  it('concurrent callers share one look-up, and later ones its result', async () => {
    const store = new SteppedStore(storeWith({}));
    const resolver = new AclResolver({ rights: nomadRights, store });
    const both = Promise.all([resolver.resolve('secret-1'), resolver.resolve('secret-1')]);
    store.answer();
    const [first, second] = await both;
    expect(second).toBe(first);
    expect(await resolver.resolve('secret-1')).toBe(first);
    expect(store.tokenLookUps).toBe(1);
  });

  it('callers that share a look-up share its failure', async () => {
    const store = new SteppedStore(new MemoryAclStore());
    const resolver = new AclResolver({ rights: nomadRights, store });
    const both = [failureOf(resolver.resolve('x')), failureOf(resolver.resolve('x'))];
    store.answer();
    const [first, second] = await Promise.all(both);
    expect(first).toBe(second);
    expect(store.tokenLookUps).toBe(1);
  });

  it('a look-up that the store never answers holds up no caller who comes 5 s later', async () => {
    const inner = storeWith({});
    const clock = new VirtualClock();
    let asked = 0;
    const store: AclStore = {
      tokenBySecretId: (secret) => (++asked === 1 ? new Promise<never>(() => {}) : inner.tokenBySecretId(secret)),
      policyByName: () => undefined,
      roleById: () => undefined,
    };
    const resolver = new AclResolver({ rights: nomadRights, store, clock });
    void resolver.resolve('secret-1');
    await clock.advance(4999);
    void resolver.resolve('secret-1');
    expect(asked).toBe(1);
    await clock.advance(1);
    expect((await resolver.resolve('secret-1')).accessorId).toBe('acc');
    await resolver.resolve('secret-1');
    expect(asked).toBe(2);
  });

  it('a look-up that the store answers at last leaves the later one to be shared', async () => {
    const store = new SteppedStore(storeWith({}));
    const releases: (() => void)[] = [];
    const clock = new VirtualClock();
    const stepped: AclStore = {
      tokenBySecretId: async (secret) => {
        store.tokenLookUps++;
        await new Promise<void>((release) => releases.push(release));
        return store.inner.tokenBySecretId(secret);
      },
      policyByName: () => undefined,
      roleById: () => undefined,
    };
    const resolver = new AclResolver({ store: stepped, clock, maxCached: 0 });
    const lost = resolver.resolve('secret-1');
    await clock.advance(5000);
    const second = resolver.resolve('secret-1');
    releases[0]?.();
    await lost;
    await clock.settle();
    expect(resolver.resolve('secret-1')).toBe(second);
    expect(store.tokenLookUps).toBe(2);
    releases[1]?.();
    await second;
  });

  it('a look-up is shared on, whoever else is looked up meanwhile', async () => {
    const store = new SteppedStore(storeWith({}, { accessorId: 'other', secretId: 'secret-2' }));
    const resolver = new AclResolver({ store });
    const first = resolver.resolve('secret-1');
    const other = resolver.resolve('secret-2');
    expect(resolver.resolve('secret-1')).toBe(first);
    expect(resolver.resolve('secret-2')).toBe(other);
    expect(store.tokenLookUps).toBe(2);
    store.answer();
    await Promise.all([first, other]);
  });

  it('different secrets share nothing', async () => {
    const resolver = new AclResolver({
      rights: nomadRights,
      store: storeWith({}, { accessorId: 'other', secretId: 'secret-2' }),
    });
    const [first, second] = await Promise.all([resolver.resolve('secret-1'), resolver.resolve('secret-2')]);
    expect([first.accessorId, second.accessorId]).toEqual(['acc', 'other']);
  });

  it.each(['token:acc', 'role:ops', 'policy:jobs', 'policy:nodes', 'role:lost', 'policy:gone'] as const)(
    'a change of %s is seen by the next caller',
    async (ref) => {
      const store = storeWith({ policies: ['jobs', 'gone'], roles: [{ id: 'ops' }, { id: 'lost' }] });
      const resolver = new AclResolver({ rights: nomadRights, store });
      const before = await resolver.resolve('secret-1');
      resolver.changed([ref]);
      expect(await resolver.resolve('secret-1')).not.toBe(before);
    },
  );

  it('when anything may have changed, the next caller sees nothing that was kept or is being looked up', async () => {
    const store = new SteppedStore(storeWith({}, { accessorId: 'other', secretId: 'secret-2' }));
    const resolver = new AclResolver({ rights: nomadRights, store });
    const keeping = resolver.resolve('secret-1');
    store.answer();
    await keeping;
    const early = resolver.resolve('secret-2');
    for (const accessorId of ['acc', 'other']) store.inner.deleteToken(accessorId);
    resolver.allChanged();
    const late = ['secret-1', 'secret-2'].map((secret) => failureOf(resolver.resolve(secret)));
    store.answer();
    expect((await early).accessorId).toBe('other');
    for (const failure of late) expect(await failure).toMatchObject({ cause: { reason: 'unknown' } });
    const after = failureOf(resolver.resolve('secret-2'));
    store.answer();
    expect(await after).toMatchObject({ cause: { reason: 'unknown' } });
  });

  it('a change of something else leaves what is kept', async () => {
    const resolver = new AclResolver({ rights: nomadRights, store: storeWith({ policies: ['jobs'] }) });
    const before = await resolver.resolve('secret-1');
    resolver.changed(['policy:nodes', 'token:other', 'role:jobs']);
    expect(await resolver.resolve('secret-1')).toBe(before);
  });

  it('a change of what rights rested on once leaves what is kept', async () => {
    const store = storeWith({ policies: ['jobs'] });
    const resolver = new AclResolver({ rights: nomadRights, store });
    await resolver.resolve('secret-1');
    store.upsertToken({ accessorId: 'acc', secretId: 'secret-1', type: 'client', policies: ['nodes'] });
    resolver.changed(['token:acc']);
    const kept = await resolver.resolve('secret-1');
    resolver.changed(['policy:jobs']);
    expect(await resolver.resolve('secret-1')).toBe(kept);
  });

  it('a look-up that began before a change is given to no later caller, and not kept', async () => {
    const store = new SteppedStore(storeWith({}));
    const resolver = new AclResolver({ rights: nomadRights, store });
    const early = resolver.resolve('secret-1');
    store.inner.upsertToken({ accessorId: 'acc', secretId: 'secret-1', type: 'management' });
    resolver.changed(['token:acc']);
    const late = resolver.resolve('secret-1');
    store.answer();
    expect((await early).isManagement).toBe(false);
    expect((await late).isManagement).toBe(true);
    expect((await resolver.resolve('secret-1')).isManagement).toBe(true);
    expect(store.tokenLookUps).toBe(2);
  });

  it('an overtaken look-up that ends last replaces nothing', async () => {
    const inner = storeWith({});
    const releases: (() => void)[] = [];
    const store: AclStore = {
      tokenBySecretId: async (secret) => {
        const found = inner.tokenBySecretId(secret);
        await new Promise<void>((release) => releases.push(release));
        return found;
      },
      policyByName: () => undefined,
      roleById: () => undefined,
    };
    const resolver = new AclResolver({ rights: nomadRights, store });
    const early = resolver.resolve('secret-1');
    inner.upsertToken({ accessorId: 'acc', secretId: 'secret-1', type: 'management' });
    resolver.changed(['token:acc']);
    const late = resolver.resolve('secret-1');
    releases[1]?.();
    const fresh = await late;
    releases[0]?.();
    expect((await early).isManagement).toBe(false);
    expect(await resolver.resolve('secret-1')).toBe(fresh);
  });

  it('a change of nothing disturbs nothing', async () => {
    const store = new SteppedStore(storeWith({}));
    const resolver = new AclResolver({ rights: nomadRights, store });
    const early = resolver.resolve('secret-1');
    resolver.changed([]);
    const late = resolver.resolve('secret-1');
    store.answer();
    expect(await late).toBe(await early);
  });

  it('nothing kept outlives its expiry', async () => {
    const clock = new StoppedClock();
    const resolver = new AclResolver({ rights: nomadRights, store: storeWith({ expirationTime: 2_000 }), clock });
    clock.time = 1_999;
    expect((await resolver.resolve('secret-1')).expiresAt).toBe(2_000);
    clock.time = 2_000;
    expect(await failureOf(resolver.resolve('secret-1'))).toMatchObject({ cause: { reason: 'expired' } });
  });

  it('a token that expires while it is looked up is denied', async () => {
    const clock = new StoppedClock();
    const store = new SteppedStore(storeWith({ expirationTime: 2_000 }));
    const resolver = new AclResolver({ rights: nomadRights, store, clock });
    const acl = failureOf(resolver.resolve('secret-1'));
    clock.time = 2_000;
    store.answer();
    expect(await acl).toMatchObject({ code: 'permission_denied', cause: { reason: 'expired' } });
  });

  it('an expiry that was moved on holds again after the change is told', async () => {
    const clock = new StoppedClock();
    const store = storeWith({ expirationTime: 2_000 });
    const resolver = new AclResolver({ rights: nomadRights, store, clock });
    await resolver.resolve('secret-1');
    store.upsertToken({ accessorId: 'acc', secretId: 'secret-1', type: 'client', expirationTime: 5_000 });
    resolver.changed(['token:acc']);
    clock.time = 3_000;
    expect((await resolver.resolve('secret-1')).expiresAt).toBe(5_000);
  });

  it('keeps at most maxCached, and those used last', async () => {
    const inner = storeWith();
    for (const n of [1, 2, 3]) inner.upsertToken({ accessorId: `a${n}`, secretId: `s${n}`, type: 'client' });
    const resolver = new AclResolver({ rights: nomadRights, store: inner, maxCached: 2 });
    const [first, second] = [await resolver.resolve('s1'), await resolver.resolve('s2')];
    await resolver.resolve('s1');
    await resolver.resolve('s3');
    expect(await resolver.resolve('s1')).toBe(first);
    expect(await resolver.resolve('s2')).not.toBe(second);
  });

  it('secrets that are denied take no room from those that are kept', async () => {
    const inner = storeWith();
    for (const n of [1, 2]) inner.upsertToken({ accessorId: `a${n}`, secretId: `s${n}`, type: 'client' });
    const resolver = new AclResolver({ store: inner, maxCached: 1 });
    await failureOf(resolver.resolve('nobody'));
    const first = await resolver.resolve('s1');
    const second = await resolver.resolve('s2');
    expect(await resolver.resolve('s2')).toBe(second);
    expect(await resolver.resolve('s1')).not.toBe(first);
  });

  it('maxCached 0 keeps nothing and still shares', async () => {
    const store = new SteppedStore(storeWith({}));
    const resolver = new AclResolver({ rights: nomadRights, store, maxCached: 0 });
    const both = Promise.all([resolver.resolve('secret-1'), resolver.resolve('secret-1')]);
    store.answer();
    await both;
    const next = resolver.resolve('secret-1');
    store.answer();
    await next;
    expect(store.tokenLookUps).toBe(2);
  });
});

describe("a host's own tokens", () => {
  class SessionResolver extends AclResolver {
    lookUps = 0;

    protected override async lookUp(secretId: string | undefined): Promise<Acl> {
      this.lookUps++;
      if (secretId === undefined || secretId === '')
        throw new AclDenial('unknown', `a caller with ${String(secretId)}`);
      if (secretId === 'of-a-lost-store') throw new BrokerError('acl_unavailable', 'The session store is down.');
      if (secretId === 'broken') throw new Error('session store is down');
      if (secretId !== 'session') throw new AclDenial('unknown');
      return Acl.fromRules([{ namespace: { tenant: { policy: 'read' } } }], {
        rights: nomadRights,
        accessorId: 'user-7',
        expiresAt: 2_000,
        dependsOn: ['token:user-7'],
      });
    }
  }

  it('keep the sharing, the cache, the expiry and the denial', async () => {
    const clock = new StoppedClock();
    const resolver = new SessionResolver({ store: new MemoryAclStore(), clock });
    const [first, second] = await Promise.all([resolver.resolve('session'), resolver.resolve('session')]);
    expect(first).toBe(second);
    expect(first.meets(readJob, 'tenant')).toBe(true);
    expect(await failureOf(resolver.resolve('other'))).toMatchObject({
      code: 'permission_denied',
      cause: { reason: 'unknown' },
    });
    expect(await failureOf(resolver.resolve('broken'))).toMatchObject({ code: 'acl_unavailable' });
    resolver.changed(['token:user-7']);
    await resolver.resolve('session');
    expect(resolver.lookUps).toBe(4);
    clock.time = 2_000;
    expect(await failureOf(resolver.resolve('session'))).toMatchObject({ cause: { reason: 'expired' } });
  });

  it('are told in one way that there is none, and the host’s own refusals are handed on as they are', async () => {
    const resolver = new SessionResolver({ store: new MemoryAclStore() });
    for (const none of [undefined, ''])
      expect(await failureOf(resolver.resolve(none))).toMatchObject({
        code: 'permission_denied',
        cause: { accessorId: 'a caller with undefined' },
      });
    expect(await failureOf(resolver.resolve('of-a-lost-store'))).toMatchObject({
      code: 'acl_unavailable',
      message: 'The session store is down.',
    });
  });

  it('a look-up that throws at once is not stuck', async () => {
    class Throwing extends AclResolver {
      protected override lookUp(): Promise<Acl> {
        throw new AclDenial('unknown');
      }
    }
    const resolver = new Throwing({ store: new MemoryAclStore() });
    const first = await failureOf(resolver.resolve('a'));
    expect(await failureOf(resolver.resolve('a'))).not.toBe(first);
  });
});
