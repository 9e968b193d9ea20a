import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { AclToken } from '../../src/acl/acl-store.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { defineRights } from '../../src/index.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const token: AclToken = { accessorId: 'acc', secretId: 's3cr3t', type: 'client' };

const setToken = (fields: object) => () =>
  new MemoryAclStore({ rights: nomadRights }).upsertToken({ ...token, ...fields });
const setRole = (fields: object) => () =>
  new MemoryAclStore({ rights: nomadRights }).upsertRole({ id: 'r', ...fields });

describe('MemoryAclStore', () => {
  it('finds what it was given', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken({ ...token, policies: ['p'], roles: [{ id: 'r', name: 'ops' }], expirationTime: new Date(5) });
    store.upsertRole({ id: 'r', name: 'ops', policies: [{ name: 'p' }] });
    store.upsertPolicy({ name: 'p', rules: { node: { policy: 'read' } } });
    expect(store.tokenBySecretId('s3cr3t')).toMatchObject({
      accessorId: 'acc',
      policies: ['p'],
      roles: [{ id: 'r' }],
      expirationTime: 5,
    });
    expect(store.roleById('r')).toMatchObject({ name: 'ops', policies: [{ name: 'p' }] });
    expect(store.policyByName('p')).toMatchObject({ rules: { node: { policy: 'read' } } });
  });

  it('finds nothing that was deleted, and deletes what is not there without complaint', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken(token);
    store.upsertRole({ id: 'r' });
    store.upsertPolicy({ name: 'p', rules: {} });
    for (let round = 0; round < 2; round++) {
      store.deleteToken('acc');
      store.deleteRole('r');
      store.deletePolicy('p');
    }
    expect([store.tokenBySecretId('s3cr3t'), store.roleById('r'), store.policyByName('p')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('forgets the old secret of a token that gets a new one', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken(token);
    store.upsertToken({ ...token, secretId: 'new' });
    expect(store.tokenBySecretId('s3cr3t')).toBeUndefined();
    expect(store.tokenBySecretId('new')?.accessorId).toBe('acc');
  });

  it('refuses fields that it does not know: with a misspelt expiry a token would never end', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken(token);
    const misspelt = { ...token, policies: ['other'], expirationtime: 1 };
    const known = 'Known: accessorId, claims, expirationTime, name, policies, roles, secretId, type.';
    expect(() => store.upsertToken(misspelt)).toThrow(
      `token "acc" has no field "expirationtime". Did you mean "expirationTime"? ${known}`,
    );
    expect(store.tokenBySecretId('s3cr3t')?.policies).toEqual([]);
    const role = { id: 'r', policy: [{ name: 'p' }] };
    expect(() => store.upsertRole(role)).toThrow('role "r" has no field "policy"');
    expect(store.roleById('r')).toBeUndefined();
    const policy = { name: 'p', rules: {}, descr: 'x' };
    expect(() => store.upsertPolicy(policy)).toThrow('policy "p" has no field "descr"');
    expect(store.policyByName('p')).toBeUndefined();
  });

  it('gives one secret to one token', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken(token);
    expect(() => store.upsertToken({ ...token, accessorId: 'other' })).toThrow(
      expect.objectContaining({
        code: 'bad_request',
        message: 'token "other": secretId must be its own; another token has it.',
      }),
    );
    expect(store.tokenBySecretId('s3cr3t')?.accessorId).toBe('acc');
  });

  it('takes no option but rights', () => {
    expect(() => new MemoryAclStore({ right: nomadRights } as never)).toThrow(
      new TypeError('MemoryAclStore has no option "right". Did you mean "rights"? Known: rights.'),
    );
  });

  it('copies and freezes', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    const policies = ['p'];
    const links = [{ name: 'p' }];
    store.upsertToken({ ...token, policies });
    store.upsertRole({ id: 'r', policies: links });
    policies.push('q');
    links.push({ name: 'q' });
    expect(store.tokenBySecretId('s3cr3t')?.policies).toEqual(['p']);
    expect(store.roleById('r')?.policies).toEqual([{ name: 'p' }]);
    for (const record of [store.tokenBySecretId('s3cr3t'), store.roleById('r'), store.roleById('r')?.policies?.[0]]) {
      expect(Object.isFrozen(record)).toBe(true);
    }
  });

  it('takes back what it gave out', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken({ ...token, expirationTime: '2030-01-01T00:00:00Z' });
    const kept = store.tokenBySecretId('s3cr3t') as AclToken;
    store.upsertToken({ ...kept, policies: ['p'] });
    expect(store.tokenBySecretId('s3cr3t')).toEqual({ ...kept, policies: ['p'] });
  });

  it.each<[string, () => unknown, string]>([
    [
      'an accessor that is no text',
      setToken({ accessorId: '' }),
      'token: accessorId must be a string that is not empty; got "".',
    ],
    ['a type', setToken({ type: 'admin' }), 'token "acc": type must be "client" or "management"; got "admin".'],
    ['policies', setToken({ policies: 'p' }), 'token "acc": policies must be a list; got "p".'],
    [
      'one policy',
      setToken({ policies: ['p', 1] }),
      'token "acc": policies[1] must be a string that is not empty; got 1.',
    ],
    ['a role link', setToken({ roles: ['r'] }), 'token "acc": roles[0] must be an object; got "r".'],
    [
      'a role link without ID',
      setToken({ roles: [{ name: 'ops' }] }),
      'token "acc": roles[0].id must be a string that is not empty; got undefined.',
    ],
    [
      'a date',
      setToken({ expirationTime: 'soon' }),
      'token "acc": expirationTime must be a date, its text, or milliseconds since 1970; got "soon".',
    ],
    ['a role ID', setRole({ id: 1 }), 'role: id must be a string that is not empty; got 1.'],
    ['a policy link', setRole({ policies: ['p'] }), 'role "r": policies[0] must be an object; got "p".'],
    [
      'a policy name',
      () => new MemoryAclStore({ rights: nomadRights }).upsertPolicy({ name: '', rules: {} }),
      'policy: name must be a string that is not empty; got "".',
    ],
    [
      'rules',
      () => new MemoryAclStore({ rights: nomadRights }).upsertPolicy({ name: 'p', rules: '{"nodes":{}}' }),
      'policy rules: unknown block "nodes"',
    ],
    [
      'rules that are not there',
      () => new MemoryAclStore().upsertPolicy({ name: 'p', rules: null as never }),
      'policy rules must be an object; got null.',
    ],
  ])('says what is wrong with %s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it('shows no secret, neither in a refusal nor when it is printed', () => {
    expect(setToken({ secretId: ['s3cr3t'] })).toThrow(
      'token "acc": secretId must be a string of printable ASCII, not empty and without blanks at its ends.',
    );
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertToken(token);
    expect(inspect(store, { depth: 9, showHidden: true })).not.toContain('s3cr3t');
    let refusal: unknown;
    try {
      store.upsertToken({ ...token, accessorId: 'other' });
    } catch (error) {
      refusal = error;
    }
    expect(inspect(refusal, { depth: 9, showHidden: true })).not.toContain('s3cr3t');
  });
});

describe('policies as HCL text', () => {
  const readNode = 'node { policy = "read" }';

  it('stand when the promise is done, and not before', async () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    const done = store.upsertPolicy({ name: 'p', rules: readNode });
    expect(store.policyByName('p')).toBeUndefined();
    await done;
    expect(store.policyByName('p')?.rules).toEqual({ node: [{ policy: 'read' }] });
  });

  it('JSON text and objects stand at once', () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    expect(store.upsertPolicy({ name: 'p', rules: '{"node":{"policy":"read"}}' })).toBeUndefined();
    expect(store.policyByName('p')?.rules).toEqual({ node: { policy: 'read' } });
  });

  it('never undo a later change', async () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    const overtaken = store.upsertPolicy({ name: 'changed', rules: readNode });
    const deleted = store.upsertPolicy({ name: 'deleted', rules: readNode });
    store.upsertPolicy({ name: 'changed', rules: { node: { policy: 'deny' } } });
    store.deletePolicy('deleted');
    await Promise.all([overtaken, deleted]);
    expect(store.policyByName('changed')?.rules).toEqual({ node: { policy: 'deny' } });
    expect(store.policyByName('deleted')).toBeUndefined();
  });

  it('stand in the order of the calls, whichever is read first', async () => {
    const reads: ((rules: object) => void)[] = [];
    const readText = () => new Promise<object>((resolve) => void reads.push(resolve));
    const rights = defineRights({ node: { capabilities: ['a', 'b'] } }, { readText });
    const store = new MemoryAclStore({ rights });
    const early = store.upsertPolicy({ name: 'p', rules: 'early' });
    const late = store.upsertPolicy({ name: 'p', rules: 'late' });
    reads[1]?.({ node: { capabilities: ['b'] } });
    await late;
    reads[0]?.({ node: { capabilities: ['a'] } });
    await early;
    expect(store.policyByName('p')?.rules).toEqual({ node: { capabilities: ['b'] } });
  });

  it('stand although an earlier call for the policy is refused meanwhile', async () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    const refused = store.upsertPolicy({ name: 'p', rules: 'node { policy = "all" }' });
    const good = store.upsertPolicy({ name: 'p', rules: readNode });
    await expect(refused).rejects.toMatchObject({ code: 'bad_request' });
    await good;
    expect(store.policyByName('p')?.rules).toEqual({ node: [{ policy: 'read' }] });
  });

  it('leave the policy as it was when they are refused', async () => {
    const store = new MemoryAclStore({ rights: nomadRights });
    store.upsertPolicy({ name: 'p', rules: { node: { policy: 'read' } } });
    await expect(store.upsertPolicy({ name: 'p', rules: 'node { policy = "all" }' })).rejects.toMatchObject({
      code: 'bad_request',
    });
    expect(store.policyByName('p')?.rules).toEqual({ node: { policy: 'read' } });
  });
});
