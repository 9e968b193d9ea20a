import { describe, expect, it } from 'vitest';

import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { FaultyAclStore, VirtualClock } from '../../src/testing/index.ts';

const token = { accessorId: 'a', secretId: 's', type: 'management', policies: [], roles: [] } as const;

function withToken() {
  const store = new MemoryAclStore();
  store.upsertToken(token);
  const clock = new VirtualClock();
  return { store, clock, faulty: new FaultyAclStore(store, { clock }) };
}

describe('FaultyAclStore', () => {
  it('answers as the other store does while no fault is asked for, at once', () => {
    const { store, faulty } = withToken();
    expect(faulty.tokenBySecretId('s')).toBe(store.tokenBySecretId('s'));
    expect(faulty.policyByName('none')).toBeUndefined();
    expect(faulty.roleById('none')).toBeUndefined();
    expect(faulty.lookUps).toBe(3);
  });

  it('a delayed look-up takes its time on the clock', async () => {
    const { faulty, clock } = withToken();
    faulty.delayBy(100);
    let answer: unknown = 'none yet';
    const asked = Promise.resolve(faulty.tokenBySecretId('s')).then((given) => (answer = given));
    await clock.advance(99);
    expect(answer).toBe('none yet');
    await clock.advance(1);
    await asked;
    expect(answer).toMatchObject({ accessorId: 'a' });
  });

  it.each([
    ['before-reading', undefined],
    ['after-reading', { accessorId: 'a' }],
  ] as const)('a look-up held %s answers with what the store held at that moment', async (moment, expected) => {
    const { store, faulty } = withToken();
    faulty.hold(moment);
    const asked = faulty.tokenBySecretId('s');
    await new Promise((resolve) => setImmediate(resolve));
    store.deleteToken('a');
    expect(faulty.held).toBe(1);
    faulty.release();
    const answer = await asked;
    if (expected) expect(answer).toMatchObject(expected);
    else expect(answer).toBeUndefined();
  });

  it.each(['before-reading', 'after-reading'] as const)(
    'a look-up held %s can be released in the turn in which it was made',
    async (moment) => {
      const { faulty } = withToken();
      faulty.hold(moment);
      const asked = faulty.tokenBySecretId('s');
      faulty.release();
      expect(await asked).toMatchObject({ accessorId: 'a' });
    },
  );

  it('releases as many as are asked for, in order', async () => {
    const { faulty } = withToken();
    faulty.hold();
    const answered: string[] = [];
    const asked = ['first', 'second'].map(async (name) => {
      await faulty.roleById(name);
      answered.push(name);
    });
    faulty.release(1);
    await asked[0];
    expect([answered, faulty.held]).toEqual([['first'], 1]);
    faulty.recover();
    await Promise.all(asked);
    expect(answered).toEqual(['first', 'second']);
  });

  it('fails with what it is told, also a look-up that waits, until it recovers', async () => {
    const { faulty } = withToken();
    faulty.hold();
    const asked = faulty.tokenBySecretId('s');
    faulty.failWith(new Error('down'));
    faulty.release();
    await expect(asked).rejects.toThrow('down');
    faulty.recover();
    expect(faulty.tokenBySecretId('s')).toMatchObject({ accessorId: 'a' });
  });

  it('a stale store answers what it answered before, and asks for what it was never asked', () => {
    const { store, faulty } = withToken();
    void faulty.tokenBySecretId('s');
    faulty.answerStale();
    store.deleteToken('a');
    store.upsertToken({ ...token, accessorId: 'b', secretId: 't' });
    expect(faulty.tokenBySecretId('s')).toMatchObject({ accessorId: 'a' });
    expect(faulty.tokenBySecretId('t')).toMatchObject({ accessorId: 'b' });
    faulty.recover();
    expect(faulty.tokenBySecretId('s')).toBeUndefined();
  });
});
