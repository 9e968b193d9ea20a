import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import { AclDenial } from '../../src/acl/acl-denial.ts';
import type { Guarded } from '../../src/acl/session.ts';
import { BrokerError, permissionDenied } from '../../src/model/errors.ts';
import { deferred } from '../../src/testing/deferred.ts';
import { GuardedWorld, HeldSource, LIMIT_MS, Member, rightsOn } from './guarded-world.ts';

const given = (acl: Acl): Acl => acl;
const unavailable = { code: 'acl_unavailable' };

describe('rights that are asked for when a subscription is opened', () => {
  const opening = (world: GuardedWorld) => {
    const asking = deferred();
    const opened = world.revocation.open('secret', () => asking.promise, given);
    return { opened, asking };
  };

  it.each<[string, (world: GuardedWorld) => void, number]>([
    ['what they rest on changes', ({ revocation }) => revocation.change(['policy:p'], 1), 2],
    ['news of changes is lost', ({ revocation }) => revocation.changeAll(), 2],
    ['something else changes', ({ revocation }) => revocation.change(['policy:other'], 1), 1],
  ])('are asked for anew where meanwhile %s: %#', async (_, happen, times) => {
    const world = new GuardedWorld();
    const { opened, asking } = opening(world);
    await world.answer(rightsOn('policy:p'));
    happen(world);
    asking.resolve();
    await world.clock.settle();
    await world.answer(rightsOn('policy:p'));
    expect((await opened).dependsOn).toEqual(['policy:p', 'token:t']);
    expect(world.source.asked).toHaveLength(times);
    expect(world.clock.timers).toBe(0);
  });

  it('are denied where they were given, and so cannot be asked for anew', async () => {
    const { revocation, clock } = new GuardedWorld();
    const asking = deferred();
    const opened = revocation.open(rightsOn('policy:p'), () => asking.promise, given);
    const denied = expect(opened).rejects.toMatchObject({ code: 'permission_denied', cause: { code: 'acl_revoked' } });
    await clock.settle();
    revocation.change(['policy:p'], 1);
    asking.resolve();
    await denied;
  });

  it('open nothing from the millisecond on in which they end', async () => {
    const { revocation, clock } = new GuardedWorld();
    const until = (expiresAt: number) => revocation.open(Acl.fromRules([], { expiresAt }), () => undefined, given);
    await expect(until(clock.now())).rejects.toMatchObject({
      code: 'permission_denied',
      cause: { code: 'acl_expired', message: 'The token that this stream rests on has expired.' },
    });
    expect((await until(clock.now() + 1)).expiresAt).toBe(clock.now() + 1);
  });

  it('are given up when the time is over, and leave no timer', async () => {
    const world = new GuardedWorld();
    const failed = expect(opening(world).opened).rejects.toMatchObject(unavailable);
    await world.clock.advance(LIMIT_MS);
    await failed;
    expect(world.clock.timers).toBe(0);
  });

  it.each([undefined, null, 'text', {}, { dependsOn: [] }, { meets: () => true }])(
    'open nothing where the answer is %j, and the host hears who answered so',
    async (answer) => {
      const { revocation } = new GuardedWorld({ source: { resolve: () => answer as never } });
      const cause = (who: string) => ({
        message: expect.stringContaining(`${who} must answer with an Acl; got `) as string,
      });
      await expect(revocation.rightsOf('secret')).rejects.toMatchObject({ ...unavailable, cause: cause('resolve') });
      await expect(revocation.rightsOf(() => answer as never)).rejects.toMatchObject({
        ...unavailable,
        cause: cause('acl'),
      });
    },
  );

  it('open nothing where the source fails, and the failure does not show the secret', async () => {
    const fail = (): never => {
      throw new Error('no row for s3cret');
    };
    const { revocation } = new GuardedWorld({ source: { resolve: fail } });
    await expect(revocation.rightsOf('s3cret')).rejects.toMatchObject({
      ...unavailable,
      cause: { message: 'no row for [secret]' },
    });
    await expect(revocation.rightsOf(fail)).rejects.toMatchObject({ cause: { message: 'no row for s3cret' } });
  });

  it('are everything where there is no source', async () => {
    const { revocation } = new GuardedWorld({ source: undefined });
    expect(revocation.hasSource).toBe(false);
    expect(await revocation.rightsOf('secret')).toBe(Acl.management);
    expect(new GuardedWorld().revocation.hasSource).toBe(true);
  });
});

describe('a change', () => {
  it('holds who depends on it at its index until the answer is there, asked for once for each token', async () => {
    const world = new GuardedWorld();
    const two = [world.member(rightsOn('policy:p')), world.member(rightsOn('policy:p'))];
    const other = world.member(rightsOn('policy:p'), 'another');
    const stranger = world.member(rightsOn('policy:q'), 'stranger');
    await world.change('policy:p', 5);
    expect(world.source.asked).toEqual(['secret', 'another']);
    expect(world.source.told).toEqual(['policy:p']);
    for (const { seen } of [...two, other]) expect(seen).toEqual(['fence 5']);
    await world.answer(rightsOn('policy:p'));
    await world.answer(new AclDenial('unknown'));
    for (const { seen } of two) expect(seen).toEqual(['fence 5', 'goes on by policy:p,token:t']);
    expect(other.seen).toEqual(['fence 5', 'acl_revoked']);
    expect(stranger.seen).toEqual([]);
  });

  it.each<[string, Error, string]>([
    ['unknown', permissionDenied(new AclDenial('unknown')), 'acl_revoked'],
    ['denied without a reason', permissionDenied(undefined), 'acl_revoked'],
    ['over, as a denial says', permissionDenied(new AclDenial('expired')), 'acl_expired'],
    ['over, as an error says', permissionDenied(new BrokerError('acl_expired', 'over')), 'acl_expired'],
    ['not to be told', new BrokerError('acl_unavailable', 'down'), 'acl_unavailable'],
  ])('ends who is %s, without asking what else it is held against', async (_, error, code) => {
    const source = { resolve: () => Promise.reject(error) };
    const world = new GuardedWorld({ source });
    let prepared = 0;
    const member = new Member();
    world.revocation.watch('secret', rightsOn(), Object.assign(member, { prepare: async () => void prepared++ }));
    await world.change('token:t', 5);
    expect(member.seen).toEqual(['fence 5', code]);
    expect(prepared).toBe(0);
  });

  it('ends who gets rights that have ended', async () => {
    const world = new GuardedWorld();
    const member = world.member(rightsOn());
    await world.change('token:t', 5);
    await world.answer(Acl.fromRules([], { accessorId: 't', expiresAt: world.clock.now() }));
    expect(member.seen).toEqual(['fence 5', 'acl_expired']);
  });

  it('while rights are asked for makes the answer worthless: they are asked for anew, waited for once', async () => {
    const world = new GuardedWorld();
    const member = world.member(rightsOn('policy:p'));
    await world.change('policy:p', 5);
    await world.change('policy:p', 7);
    // Read before the second change.
    await world.answer(permissionDenied(new AclDenial('unknown')));
    expect(member.seen).toEqual(['fence 5', 'fence 7']);
    await world.answer(rightsOn('policy:p'));
    expect(world.source.asked).toHaveLength(2);
    await world.clock.advance(2 * LIMIT_MS);
    expect(member.seen).toEqual(['fence 5', 'fence 7', 'goes on by policy:p,token:t']);
  });

  it('of what the new rights rest on, and the old ones did not, makes the answer worthless too', async () => {
    const world = new GuardedWorld();
    const member = world.member(rightsOn());
    await world.change('token:t', 5);
    world.revocation.change(['role:r'], 7);
    await world.answer(rightsOn('role:r'));
    expect(member.seen).toEqual(['fence 5']);
    await world.answer(rightsOn());
    expect(member.seen).toEqual(['fence 5', 'goes on by token:t']);
  });

  it('asks for 64 tokens at once, and for the others in their turn', async () => {
    const world = new GuardedWorld();
    const members = Array.from({ length: 67 }, (_, i) => world.member(rightsOn('policy:p'), `secret ${i}`));
    await world.change('policy:p', 5);
    expect(world.source.asked).toHaveLength(64);
    for (let answered = 1; answered <= 67; answered++) {
      await world.answer(rightsOn('policy:p'));
      expect(world.source.asked).toHaveLength(Math.min(67, 64 + answered));
    }
    for (const { seen } of members) expect(seen).toHaveLength(2);
  });

  it('ends who was not answered in time; a later answer reaches nobody, and nobody is asked for again', async () => {
    const world = new GuardedWorld();
    const member = world.member(rightsOn());
    await world.change('token:t', 5);
    await world.clock.advance(LIMIT_MS - 1);
    expect(member.seen).toEqual(['fence 5']);
    await world.clock.advance(1);
    await world.answer(rightsOn());
    await world.change('token:t', 6);
    expect(member.seen).toEqual(['fence 5', 'acl_unavailable']);
    expect(world.source.asked).toHaveLength(1);
    expect(world.clock.timers).toBe(0);
  });

  it('that the source cannot be told of ends those whom it concerns', async () => {
    const fail = (): never => {
      throw new Error('cache');
    };
    const world = new GuardedWorld({ source: { resolve: () => rightsOn(), changed: fail } });
    const [member, stranger] = [world.member(rightsOn()), world.member(rightsOn('token:u'), rightsOn('token:u'))];
    await world.change('token:u', 5);
    expect(stranger.seen).toEqual(['fence 5', 'acl_unavailable']);
    expect(member.seen).toEqual([]);
  });

  it('ends who was ended before, and has opened again since', async () => {
    const world = new GuardedWorld();
    world.member(rightsOn());
    await world.change('token:t', 5);
    await world.answer(permissionDenied(new AclDenial('unknown')));
    const again = world.member(rightsOn());
    await world.change('token:t', 6);
    await world.answer(permissionDenied(new AclDenial('unknown')));
    expect(again.seen).toEqual(['fence 6', 'acl_revoked']);
  });
});

describe('what else a subscription is held against', () => {
  const preparing = (prepare: () => Promise<void>): Guarded & Member => Object.assign(new Member(), { prepare });

  it('is asked for before it goes on, for 64 of a token at once; those without any go on with them', async () => {
    const world = new GuardedWorld();
    const asked = Array.from({ length: 128 }, deferred);
    let begun = 0;
    const members = asked.map((one) => preparing(() => (begun++, one.promise)));
    const plain = new Member();
    for (const member of [plain, ...members]) world.revocation.watch('secret', rightsOn(), member);
    await world.change('token:t', 5);
    await world.answer(rightsOn());
    expect(begun).toBe(64);
    for (const one of asked.slice(0, 64)) one.resolve();
    await world.clock.settle();
    expect(begun).toBe(128);
    expect(plain.seen).toEqual(['fence 5']);
    for (const one of asked) one.resolve();
    await world.clock.settle();
    for (const { seen } of [plain, ...members]) expect(seen).toEqual(['fence 5', 'goes on by token:t']);
  });

  it('ends it where it fails against all promises, at once', async () => {
    const world = new GuardedWorld();
    const member = preparing(() => Promise.reject(new Error('a bug')));
    world.revocation.watch('secret', rightsOn(), member);
    await world.change('token:t', 5);
    await world.answer(rightsOn());
    expect(member.seen).toEqual(['fence 5', 'acl_unavailable']);
    expect(world.clock.timers).toBe(0);
  });

  it('ends it once, where it fails only when the time is over', async () => {
    const world = new GuardedWorld();
    const asked = deferred();
    const member = preparing(() => asked.promise);
    world.revocation.watch('secret', rightsOn(), member);
    await world.change('token:t', 5);
    await world.answer(rightsOn());
    await world.clock.advance(LIMIT_MS);
    asked.reject(new Error('late'));
    await world.clock.settle();
    expect(member.seen).toEqual(['fence 5', 'acl_unavailable']);
  });
});

describe('a source that tells of a change whenever it is asked', () => {
  /** @returns how often it had been asked when others had their turn of the event loop */
  async function askedPerTurn(ask: (world: GuardedWorld) => Promise<unknown>): Promise<number> {
    let asked = 0;
    const resolve = (): Acl => {
      if (++asked < 1000) world.revocation.change(['token:t'], asked);
      return rightsOn();
    };
    const world = new GuardedWorld({ source: { resolve } });
    const turn = new Promise<number>((resolveTurn) => void setImmediate(() => resolveTurn(asked)));
    await ask(world);
    expect(asked).toBe(1000);
    return turn;
  }

  it('stops nobody else, neither when a subscription is opened nor after a change', async () => {
    const opening = askedPerTurn(({ revocation }) => revocation.open('secret', () => undefined, given));
    expect(await opening).toBeLessThan(10);
    const changing = askedPerTurn(async (world) => {
      const isDecided = deferred();
      const decide = (answer: Acl | BrokerError): void => (BrokerError.is(answer) ? undefined : isDecided.resolve());
      world.revocation.watch('secret', rightsOn(), { fence: () => undefined, decide });
      world.revocation.change(['token:t'], 1);
      await isDecided.promise;
    });
    expect(await changing).toBeLessThan(10);
  });
});

describe('when news of changes was lost', () => {
  it('all are held, from the start or from an index, and the source hears that anything may have changed', async () => {
    const world = new GuardedWorld();
    const [member, other] = [world.member(rightsOn('policy:p')), world.member(rightsOn(), 'another')];
    world.revocation.changeAll();
    expect(world.source.told).toEqual(['all', 'policy:p', 'token:t']);
    world.revocation.changeAll(7);
    for (const { seen } of [member, other]) expect(seen).toEqual(['fence 0', 'fence 7']);
    await world.clock.settle();
    expect(world.source.asked).toEqual(['secret', 'another']);
  });

  it('functions are asked again, though there is no source', async () => {
    const world = new GuardedWorld({ source: undefined });
    const member = world.member(rightsOn(), () => rightsOn('role:new'));
    world.revocation.changeAll(7);
    await world.clock.settle();
    expect(member.seen).toEqual(['fence 7', 'goes on by role:new,token:t']);
  });

  it('all end where the source cannot be told', async () => {
    const allChanged = (): never => {
      throw new Error('cache');
    };
    const world = new GuardedWorld({ source: { resolve: () => rightsOn(), allChanged } });
    const member = world.member(rightsOn());
    world.revocation.changeAll(7);
    expect(member.seen).toEqual(['fence 7', 'acl_unavailable']);
  });
});

describe('who joins others of the same token', () => {
  it('with the same rights changes nothing for anybody', async () => {
    const world = new GuardedWorld();
    const members = [world.member(rightsOn('policy:p')), world.member(rightsOn('policy:p'))];
    await world.clock.settle();
    expect(world.source.asked).toEqual([]);
    for (const { seen } of members) expect(seen).toEqual([]);
  });

  it('with other rights knows of a change whose news is still to come: all are held and asked for', async () => {
    const world = new GuardedWorld();
    const members = [world.member(rightsOn('policy:p')), world.member(rightsOn('policy:q'))];
    await world.clock.settle();
    await world.answer(rightsOn('policy:q'));
    expect(world.source.asked).toHaveLength(1);
    for (const { seen } of members) expect(seen).toEqual(['fence 9', 'goes on by policy:q,token:t']);
  });

  it.each(['policy:p', 'policy:q'] as const)(
    'rests on what each of them came with until one answer is for all: a change of %s is not missed',
    async (ref) => {
      const world = new GuardedWorld();
      const members = [world.member(rightsOn('policy:p')), world.member(rightsOn('policy:q'))];
      await world.clock.settle();
      await world.change(ref, 11);
      // Read before the change, and a denial names nothing that it rests on.
      await world.answer(permissionDenied(new AclDenial('unknown')));
      for (const { seen } of members) expect(seen).toEqual(['fence 9', 'fence 11']);
      await world.answer(rightsOn());
      for (const { seen } of members) expect(seen).toEqual(['fence 9', 'fence 11', 'goes on by token:t']);
    },
  );

  it('ends with the first of them whose rights end', async () => {
    const world = new GuardedWorld();
    const until = (ms: number) => Acl.fromRules([], { accessorId: 't', expiresAt: world.clock.now() + ms });
    const members = [world.member(until(500)), world.member(until(100)), world.member(until(300))];
    await world.clock.advance(99);
    for (const { seen } of members) expect(seen).not.toContain('acl_expired');
    await world.clock.advance(1);
    for (const { seen } of members) expect(seen.slice(-2)).toEqual(['fence 9', 'acl_expired']);
  });

  it('while they are asked for goes on with them, unheld, where the answer is what it came with', async () => {
    const world = new GuardedWorld();
    world.member(rightsOn('policy:p'));
    await world.change('policy:p', 5);
    const joined = [world.member(rightsOn('policy:q')), world.member(rightsOn('policy:q'))];
    await world.answer(rightsOn('policy:q'));
    expect(world.source.asked).toHaveLength(1);
    for (const { seen } of joined) expect(seen).toEqual(['goes on by policy:q,token:t']);
  });

  it('while they are asked for is held with them where two came with different rights', async () => {
    const world = new GuardedWorld();
    world.member(rightsOn('policy:p'));
    await world.change('policy:p', 5);
    const joined = [world.member(rightsOn('policy:q')), world.member(rightsOn('policy:r'))];
    await world.answer(rightsOn('policy:q'));
    for (const { seen } of joined) expect(seen).toEqual(['fence 9']);
    await world.answer(rightsOn('policy:r'));
    for (const { seen } of joined) expect(seen).toEqual(['fence 9', 'goes on by policy:r,token:t']);
  });

  it('while they are asked for gets no answer that is another: the next one counts', async () => {
    const world = new GuardedWorld();
    const first = world.member(rightsOn('policy:p'));
    await world.change('policy:p', 5);
    const joined = world.member(rightsOn('policy:p'));
    await world.answer(rightsOn());
    expect(joined.seen).toEqual(['fence 9']);
    await world.answer(rightsOn());
    expect(first.seen).toEqual(['fence 5', 'fence 9', 'goes on by token:t']);
    expect(joined.seen).toEqual(['fence 9', 'goes on by token:t']);
  });

  it('after the last change is not held by an answer that was asked for before it', async () => {
    const world = new GuardedWorld();
    const first = world.member(rightsOn('policy:p'));
    await world.change('policy:p', 5);
    await world.change('policy:p', 7);
    const joined = world.member(rightsOn('policy:p'));
    await world.answer(rightsOn());
    await world.answer(rightsOn('policy:p'));
    expect(first.seen).toEqual(['fence 5', 'fence 7', 'goes on by policy:p,token:t']);
    expect(joined.seen).toEqual(['goes on by policy:p,token:t']);
  });
});

describe('who leaves', () => {
  it('is asked for no more, unless others of the token stay', async () => {
    const world = new GuardedWorld();
    const [first, second] = [world.member(rightsOn()), world.member(rightsOn())];
    first.leave();
    await world.change('token:t', 5);
    expect([first.seen, second.seen]).toEqual([[], ['fence 5']]);
    await world.answer(rightsOn());
    second.leave();
    await world.change('token:t', 6);
    expect(world.source.asked).toHaveLength(1);
    expect(world.clock.timers).toBe(0);
  });

  it('while it is asked for is not asked for again', async () => {
    const world = new GuardedWorld();
    const member = world.member(rightsOn());
    await world.change('token:t', 5);
    member.leave();
    world.revocation.change(['token:t'], 6);
    await world.answer(rightsOn());
    expect(world.clock.timers).toBe(0);
    await world.change('token:t', 7);
    expect(world.source.asked).toHaveLength(1);
    expect(member.seen).toEqual(['fence 5']);
  });

  it('since its rights end, while it is asked for, is gone, whatever is answered', async () => {
    const world = new GuardedWorld();
    const member = world.member(Acl.fromRules([], { accessorId: 't', expiresAt: world.clock.now() + 100 }));
    await world.change('token:t', 5);
    await world.clock.advance(100);
    await world.answer(rightsOn());
    expect(member.seen).toEqual(['fence 5', 'fence 9', 'acl_expired']);
  });

  it('since its rights end, is gone before anything is published, though timers are late', () => {
    const world = new GuardedWorld();
    const member = world.member(Acl.fromRules([], { accessorId: 't', expiresAt: world.clock.now() + 100 }));
    const { now } = world.clock;
    world.clock.now = () => now.call(world.clock) + 99;
    world.revocation.expireDue();
    expect(member.seen).toEqual([]);
    world.clock.now = () => now.call(world.clock) + 100;
    world.revocation.expireDue();
    expect(member.seen).toEqual(['fence 9', 'acl_expired']);
  });

  it('by its own end harms nobody', async () => {
    const world = new GuardedWorld();
    const member = world.member(Acl.fromRules([], { accessorId: 't', expiresAt: world.clock.now() + 1 }));
    await world.clock.advance(1);
    expect(member.seen).toEqual(['fence 9', 'acl_expired']);
    const again = world.member(rightsOn());
    member.leave();
    await world.change('token:t', 10);
    expect(again.seen).toEqual(['fence 10']);
  });
});

describe('closing', () => {
  it('leaves no timer, asks for nobody any more, and lets late answers reach nobody', async () => {
    const world = new GuardedWorld();
    const later = Acl.fromRules([], { accessorId: 'later', expiresAt: world.clock.now() + 1e6 });
    const calm = world.member(later, 'calm');
    const members = Array.from({ length: 65 }, (_, i) => world.member(rightsOn(), `secret ${i}`));
    await world.change('token:t', 5);
    world.revocation.close();
    for (const _ of members) await world.answer(rightsOn());
    expect(world.clock.timers).toBe(0);
    expect(world.source.asked).toHaveLength(64);
    for (const { seen } of members) expect(seen).toEqual(['fence 5']);
    expect(calm.seen).toEqual([]);
  });
});

it('a source that is told of nothing is none the worse', async () => {
  const silent = new HeldSource();
  const world = new GuardedWorld({ source: { resolve: (secret) => silent.resolve(secret) } });
  const member = world.member(rightsOn());
  world.revocation.changeAll(7);
  await world.clock.settle();
  silent.answer(rightsOn());
  await world.clock.settle();
  expect(member.seen).toEqual(['fence 7', 'goes on by token:t']);
});
