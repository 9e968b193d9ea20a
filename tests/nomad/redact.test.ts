import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nomadEvents } from '../../src/nomad/index.ts';

const secret = 'hunter2-hunter2';

/** Members that Nomad keeps credentials in, each with the value that an event holds instead. */
const credentials: Readonly<Record<string, unknown>> = {
  SecretID: secret,
  VaultToken: secret,
  ConsulToken: secret,
  LeaderACL: secret,
  SignedIdentities: { task: secret },
  OIDCClientSecret: secret,
  ClientSecret: secret,
  PemKey: secret,
};

const leaf = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.boolean());
const memberName = fc.oneof(
  fc.constantFrom(...Object.keys(credentials)),
  fc.constantFrom('Name', 'Meta', '__proto__', 'x'),
);

/** Any JSON object: a member with a credential's name holds the credential. */
const { members } = fc.letrec<{ value: unknown; members: object }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('members')),
  members: fc
    .array(fc.tuple(memberName, tie('value')), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries.map(([name, value]) => [name, credentials[name] ?? value]))),
}));

/** The naive model: what `JSON.stringify` gives when a replacer empties the credentials. */
function modelJson(object: unknown): string {
  return JSON.stringify(object, (name, value: unknown) => {
    if (!Object.hasOwn(credentials, name) || value === undefined) return value;
    return typeof value === 'string' ? '' : null;
  });
}

describe('what events hold of credentials', () => {
  it('is nothing: each is emptied wherever it stands, and all else is as given, in its order', () => {
    fc.assert(
      fc.property(members, (extra) => {
        const node = { ...extra, ID: 'n1' };
        const before = JSON.stringify(node);
        const json = JSON.stringify(nomadEvents.nodeRegistration(node).payload.Node);
        expect(json).not.toContain(secret);
        expect(json).toBe(modelJson(node));
        expect(JSON.stringify(node)).toBe(before);
      }),
    );
  });

  it('is an empty SecretID, for a token and a node', () => {
    const token = { AccessorID: 'a1', SecretID: secret, Name: 'ci' };
    expect(JSON.stringify(nomadEvents.aclTokenUpserted(token).payload)).toBe(
      '{"ACLToken":{"AccessorID":"a1","SecretID":"","Name":"ci"}}',
    );
    const node = { SecretID: secret, ID: 'n1' };
    expect(JSON.stringify(nomadEvents.nodeRegistration(node).payload)).toBe('{"Node":{"SecretID":"","ID":"n1"}}');
    expect([token.SecretID, node.SecretID]).toEqual([secret, secret]);
  });

  it('is no member that the object did not have', () => {
    expect(nomadEvents.nodeRegistration({ ID: 'n1' }).payload.Node).toEqual({ ID: 'n1' });
    expect(nomadEvents.nodeRegistration({ ID: 'n1' }).payload.Node).not.toHaveProperty('SecretID');
  });

  it("is no items of a variable and no secrets of a CSI volume; a job's declarations of secrets stay", () => {
    const variable = nomadEvents.variableUpdated({ Path: 'p', Items: { password: secret }, Data: secret });
    expect(variable.payload.Metadata).toEqual({ Path: 'p', Items: null, Data: '' });
    const volume = nomadEvents.csiVolumeRegistered({ ID: 'v', Secrets: { password: secret } });
    expect(volume.payload.Volume).toEqual({ ID: 'v', Secrets: null });
    const job = { ID: 'web', TaskGroups: [{ Tasks: [{ Secrets: [{ Name: 'db', Provider: 'nomad' }] }] }] };
    expect(nomadEvents.jobRegistered(job).payload.Job).toEqual(job);
  });

  it('is nothing in either place, where one object stands in two', () => {
    const shared = { SecretID: secret };
    const { Node } = nomadEvents.nodeRegistration({ ID: 'n1', A: shared, B: [shared, shared] }).payload;
    expect(Node).toEqual({ ID: 'n1', A: { SecretID: '' }, B: [{ SecretID: '' }, { SecretID: '' }] });
  });

  it('is nothing of what toJSON brings out, and a date stays the text that it is in JSON', () => {
    class Credentials {
      readonly #secret = secret;
      toJSON() {
        return { SecretID: this.#secret, Hint: this.#secret.length };
      }
    }
    const node = { ID: 'n1', Owner: new Credentials(), Since: new Date(0) };
    expect(JSON.stringify(nomadEvents.nodeRegistration(node).payload.Node)).toBe(
      '{"ID":"n1","Owner":{"SecretID":"","Hint":15},"Since":"1970-01-01T00:00:00.000Z"}',
    );
  });

  it('leaves a circle for publish to refuse', () => {
    const node: Record<string, unknown> & { ID: string } = { ID: 'n1', SecretID: secret };
    node['Self'] = [node];
    expect(() => JSON.stringify(nomadEvents.nodeRegistration(node).payload)).toThrow('circular');
  });
});

describe('an allocation event', () => {
  it('holds null in place of the job, where the job stood, and leaves the given allocation as it was', () => {
    const allocation = { ID: 'a1', Job: { ID: 'web', VaultToken: secret }, JobID: 'web' };
    const constructors = [
      nomadEvents.allocationCreated,
      nomadEvents.allocationUpdated,
      nomadEvents.allocationUpdateDesiredStatus,
      nomadEvents.planResult.allocation,
    ];
    for (const construct of constructors) {
      expect(JSON.stringify(construct(allocation).payload)).toBe('{"Allocation":{"ID":"a1","Job":null,"JobID":"web"}}');
    }
    expect(allocation.Job).toEqual({ ID: 'web', VaultToken: secret });
  });
});
