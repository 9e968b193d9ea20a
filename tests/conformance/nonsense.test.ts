import { describe, expect, it } from 'vitest';
import { Acl, EventBroker } from 'fenceline';
import { VirtualClock } from 'fenceline/testing';
import { drain, failureOf } from './reading.ts';
import { nomadRights } from 'fenceline/nomad';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: 1 };

const nonsense: readonly [string, unknown][] = [
  ['an empty object', {}],
  ['nothing', undefined],
  ['null', null],
  ['true', true],
  ['a text', 'management'],
  ['rules', { namespace: { '*': { policy: 'read' } } }],
  ['rights whose dependencies are no list', { meets: () => true, dependsOn: 'token:a' }],
];

describe('a source of rights that answers nonsense', () => {
  it.each(nonsense)('%s: opens nothing', async (_, answer) => {
    const broker = new EventBroker({ acl: { resolve: () => answer as Acl } });
    expect(await failureOf(() => broker.subscribe({ token: 't' }))).toMatchObject({ code: 'acl_unavailable' });
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it.each(nonsense)('%s: ends the streams that asked again, and nothing else', async (_, answer) => {
    const clock = new VirtualClock();
    const good = Acl.fromRules([], { rights: nomadRights, management: true, dependsOn: ['policy:p'] });
    let answers: unknown = good;
    const broker = new EventBroker({ clock, acl: { resolve: (token) => (token === 'other' ? good : answers) as Acl } });
    const subscription = await broker.subscribe({ token: 't' });
    const other = await broker.subscribe({ token: 'other' });
    answers = answer;
    await broker.aclChanged({ policy: 'p' });
    await broker.publish(event);
    await clock.settle();
    expect(drain(subscription)).toMatchObject({ indexes: [], error: { code: 'acl_unavailable' } });
    expect(drain(other)).toMatchObject({ indexes: [1], error: undefined });
    expect(broker.stats().subscriptions).toBe(1);
  });
});

describe('rights that change faster than they can be asked for', () => {
  it('hold a subscription for reauthorizeTimeoutMs in all, and then it ends', async () => {
    const clock = new VirtualClock();
    const rights = Acl.fromRules([], { rights: nomadRights, management: true, dependsOn: ['policy:p'] });
    let isSlow = false;
    const later = () => new Promise<Acl>((resolve) => void clock.after(400, () => resolve(rights)));
    const acl = { resolve: () => (isSlow ? later() : rights) };
    const broker = new EventBroker({ clock, acl, reauthorizeTimeoutMs: 1000 });
    const subscription = await broker.subscribe({ token: 't' });
    isSlow = true;
    for (let ms = 0; ms < 900; ms += 300) {
      await broker.aclChanged({ policy: 'p' });
      await clock.advance(300);
    }
    expect(drain(subscription).error, 'within the time').toBeUndefined();
    await broker.aclChanged({ policy: 'p' });
    await clock.advance(101);
    expect(drain(subscription).error, 'and after it').toMatchObject({ code: 'acl_unavailable' });
  });
});
