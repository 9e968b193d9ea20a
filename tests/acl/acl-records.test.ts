import { describe, expect, it } from 'vitest';

import { copyPolicy, copyRole, copyToken, expiryOf } from '../../src/acl/acl-records.ts';

const token = { accessorId: 'acc', secretId: 's3cr3t', type: 'client' } as const;
const refusal = (message: string) => expect.objectContaining({ code: 'bad_request', message }) as unknown;

describe('a record of a store', () => {
  it('is copied with all of its fields', () => {
    const full = {
      ...token,
      name: 'a token',
      policies: ['p'],
      roles: [{ id: 'r', name: 'a role' }],
      expirationTime: 5,
      claims: { team: 1 },
    };
    expect(copyToken(full)).toEqual(full);
    const role = { id: 'r', name: 'a role', description: 'for tests', policies: [{ name: 'p' }] };
    expect(copyRole(role)).toEqual(role);
    expect(copyPolicy({ name: 'p', description: 'for tests', rules: {} })).toEqual({
      name: 'p',
      description: 'for tests',
    });
  });

  it('needs none but those that name it: lists that are not there are empty', () => {
    for (const none of [undefined, null]) {
      expect(copyToken({ ...token, policies: none, roles: none })).toMatchObject({ policies: [], roles: [] });
      expect(copyRole({ id: 'r', policies: none }).policies).toEqual([]);
    }
  });

  it.each<[object, string]>([
    [{ accessorId: 7 }, 'token: accessorId must be a string that is not empty; got 7.'],
    [{ name: 7 }, 'token "acc": name must be a string; got 7.'],
    [{ type: 'root' }, 'token "acc": type must be "client" or "management"; got "root".'],
    [{ policies: {} }, 'token "acc": policies must be a list; got a value of type object.'],
    [{ policies: [''] }, 'token "acc": policies[0] must be a string that is not empty; got "".'],
    [{ roles: [null] }, 'token "acc": roles[0] must be an object; got null.'],
    [{ roles: ['r'] }, 'token "acc": roles[0] must be an object; got "r".'],
    [{ roles: [{ id: '' }] }, 'token "acc": roles[0].id must be a string that is not empty; got "".'],
    [{ roles: [{ id: 'r', name: 7 }] }, 'token "acc": roles[0].name must be a string; got 7.'],
    [
      { expirationTime: 'soon' },
      'token "acc": expirationTime must be a date, its text, or milliseconds since 1970; got "soon".',
    ],
    [{ claims: { at: 7n } }, 'token "acc": claims.at must be plain JSON; got "bigint".'],
    [{ claims: 'team' }, 'token "acc": claims must be an object; got "team".'],
    [
      { expires: 5 },
      'token "acc" has no field "expires". ' +
        'Known: accessorId, claims, expirationTime, name, policies, roles, secretId, type.',
    ],
  ])('is refused as a token with %o, in words that name the field', (fields, message) => {
    expect(() => copyToken({ ...token, ...fields })).toThrow(refusal(message));
  });

  it.each([7, '', ' s3cr3t', 's3cr3t ', 's\u00e9cret', 'a\nb'])(
    'is refused as a token with the secret %j, which no header could carry, without showing it',
    (secretId) => {
      expect(() => copyToken({ ...token, secretId: secretId as string })).toThrow(
        refusal('token "acc": secretId must be a string of printable ASCII, not empty and without blanks at its ends.'),
      );
    },
  );

  it.each(['a', '!', '~', 'a b', '!~'])('takes the secret %j', (secretId) => {
    expect(copyToken({ ...token, secretId }).secretId).toBe(secretId);
  });

  it.each<[object, string]>([
    [{ id: '' }, 'role: id must be a string that is not empty; got "".'],
    [{ name: 7 }, 'role "r": name must be a string; got 7.'],
    [{ description: 7 }, 'role "r": description must be a string; got 7.'],
    [{ policies: 'p' }, 'role "r": policies must be a list; got "p".'],
    [{ policies: [null] }, 'role "r": policies[0] must be an object; got null.'],
    [{ policies: [{ name: 7 }] }, 'role "r": policies[0].name must be a string that is not empty; got 7.'],
    [{ tokens: [] }, 'role "r" has no field "tokens". Known: description, id, name, policies.'],
  ])('is refused as a role with %o, in words that name the field', (fields, message) => {
    expect(() => copyRole({ id: 'r', ...fields })).toThrow(refusal(message));
  });

  it.each<[object, string]>([
    [{ name: 7 }, 'policy: name must be a string that is not empty; got 7.'],
    [{ description: 7 }, 'policy "p": description must be a string; got 7.'],
    [{ rule: {} }, 'policy "p" has no field "rule". Did you mean "rules"? Known: description, name, rules.'],
  ])('is refused as a policy with %o, in words that name the field', (fields, message) => {
    expect(() => copyPolicy({ name: 'p', rules: {}, ...fields })).toThrow(refusal(message));
  });
});

describe('when a token ends', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    [0, 0],
    [1.5, 1.5],
    ['1970-01-01T00:00:01Z', 1000],
    [new Date(7), 7],
  ])('%s is %s', (expirationTime, expected) => {
    expect(expiryOf({ accessorId: 'a', expirationTime })).toBe(expected);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 'never', new Date(Number.NaN)])(
    '%s is refused: a token that ends at no date would never end',
    (expirationTime) => {
      expect(() => expiryOf({ accessorId: 'a', expirationTime })).toThrow('token "a": expirationTime must be a date');
    },
  );
});
