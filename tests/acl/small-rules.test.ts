import { describe, expect, it } from 'vitest';

import { refsOf } from '../../src/acl/acl-change.ts';
import { UnreadablePolicies } from '../../src/acl/unreadable-policies.ts';
import { withoutSecret } from '../../src/acl/without-secret.ts';
import { BrokerError } from '../../src/model/errors.ts';

describe('a change of ACLs that a host tells', () => {
  it('names tokens, policies and roles, one or several', () => {
    expect(refsOf({ token: 'a' })).toEqual(['token:a']);
    expect(refsOf([{ policy: 'p' }, { role: 'r' }])).toEqual(['policy:p', 'role:r']);
    expect(refsOf([])).toEqual([]);
  });

  it.each([[{}], [undefined], [null], [{ token: '' }], [{ token: 7 }], [{ user: 'a' }], [[{ token: 'a' }, {}]]])(
    'is refused where it names none: %j',
    (change) => {
      expect(() => refsOf(change as never)).toThrow(
        expect.objectContaining({
          code: 'bad_request',
          message: expect.stringContaining('{ policy: name }') as string,
        }),
      );
    },
  );
});

describe('the failure of a store', () => {
  it('is handed on as it is where it does not tell the secret, and where there is none', () => {
    const cause = new Error('The table is locked.');
    expect(withoutSecret(cause, 's3cret')).toBe(cause);
    expect(withoutSecret(cause, '')).toBe(cause);
    expect(withoutSecret(new Error('undefined'), undefined)).toEqual(new Error('undefined'));
  });

  it.each([
    ['in its text', new Error('No row for s3cret (s3cret).'), 'No row for [secret] ([secret]).'],
    ['in a member', Object.assign(new Error('No row.'), { parameters: [{ token: 's3cret' }] }), 'No row.'],
    ['and is no error', { token: 's3cret' }, 'The ACL store failed.'],
    ['six levels deep', { a: { a: { a: { a: { a: { a: 's3cret' } } } } } }, 'The ACL store failed.'],
    ['in a member that is not listed', Object.defineProperty({}, 'a', { value: 's3cret' }), 'The ACL store failed.'],
    ['behind a long text', { a: `${'x'.repeat(20_000)}s3cret` }, 'The ACL store failed.'],
    ['in a long list', { a: [...Array.from({ length: 200 }, () => 0), 's3cret'] }, 'The ACL store failed.'],
  ])('is told without the secret where it stands %s', (_, cause, message) => {
    expect(withoutSecret(cause, 's3cret')).toEqual(new Error(message));
  });

  const strange = String.raw`a\b'c"d` + '`e/f';

  it.each([
    ['in a member', Object.assign(new Error('No row.'), { parameters: [strange] }), 'No row.'],
    ['in the text of its cause', new Error('No row.', { cause: new Error(`of ${strange}`) }), 'No row.'],
    ['in its text, as JSON', new Error(`No row for ${JSON.stringify({ strange })}.`), 'The ACL store failed.'],
    ['in its text, in a URL', new Error(`GET /tokens/${encodeURIComponent(strange)}: 500`), 'The ACL store failed.'],
    ['in its text, as it is', new Error(`No row for ${strange}.`), 'No row for [secret].'],
    ['in its text, twice', new Error(`${strange} ${encodeURIComponent(strange)}`), 'The ACL store failed.'],
  ])('is told without a secret that is written with escapes where it stands %s', (_, cause, message) => {
    expect(withoutSecret(cause, strange)).toEqual(new Error(message));
  });

  it('is taken to tell the secret where it cannot be printed', () => {
    const unprintable = new Proxy({}, { ownKeys: () => Object.keys(undefined as never) });
    const hostile = { [Symbol.for('nodejs.util.inspect.custom')]: () => Object.keys(undefined as never), unprintable };
    expect(withoutSecret(hostile, 's3cret')).toEqual(new Error('The ACL store failed.'));
  });
});

describe('policies that cannot be read', () => {
  const notice = (policy: string, message = 'no rules') => ({ policy, error: new BrokerError('bad_request', message) });

  it('are told once each, and again when they fail in another way', () => {
    const policies = new UnreadablePolicies();
    const told: string[] = [];
    const stop = policies.listen(({ policy, error }) => told.push(`${policy}: ${error.message}`));
    policies.found([notice('p'), notice('q'), notice('p')]);
    policies.found([notice('p', 'other')]);
    expect(told).toEqual(['p: no rules', 'q: no rules', 'p: other']);
    stop();
    policies.found([notice('new')]);
    expect(told).toHaveLength(3);
  });

  it('are told anew to who listens later, and a listener that throws harms no other', () => {
    const policies = new UnreadablePolicies();
    const told: string[] = [];
    policies.listen(() => {
      throw new Error('listener');
    });
    policies.found([notice('p')]);
    policies.listen(({ policy }) => told.push(policy));
    policies.found([notice('p')]);
    expect(told).toEqual(['p']);
  });

  it('are remembered by 1000 names: past them the oldest is told again', () => {
    const policies = new UnreadablePolicies();
    const told: string[] = [];
    policies.listen(({ policy }) => told.push(policy));
    policies.found(Array.from({ length: 1000 }, (_, i) => notice(`p${i}`)));
    policies.found([notice('p0')]);
    expect(told).toHaveLength(1000);
    policies.found([notice('one more')]);
    policies.found([notice('p1'), notice('p0')]);
    expect(told.slice(1000)).toEqual(['one more', 'p0']);
  });
});
