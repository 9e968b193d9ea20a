import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AclDenial } from '../../src/acl/acl-denial.ts';
import { BrokerError } from '../../src/model/errors.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { nomadEvents } from '../../src/nomad/index.ts';
import { AclWorld, readIn, secretOf } from './acl-world.ts';
import { HttpEndpoint } from './http-stream.ts';
import { drain, failureOf } from './reading.ts';

const secret = secretOf('t');

/** As deep and as hidden as a log could print it. */
function printed(...values: readonly unknown[]): string {
  const texts = values.map((value) => {
    const stack = value instanceof Error ? String(value.stack) : '';
    const json =
      typeof value === 'object'
        ? JSON.stringify(value, (key, one: unknown) => (key === 'subscription' || key === 'context' ? undefined : one))
        : '';
    return (
      inspect(value, { depth: Infinity, showHidden: true, maxStringLength: null, maxArrayLength: null }) + stack + json
    );
  });
  return texts.join('\n');
}

const notificationNames = [
  'subscribe',
  'unsubscribe',
  'revoked',
  'denied',
  'lagging',
  'gap',
  'log',
  'error',
  'close',
] as const;

function collectNotifications(broker: Pick<EventBroker, 'on'>): unknown[] {
  const told: unknown[] = [];
  for (const name of notificationNames) broker.on(name, (...args: unknown[]) => told.push([name, ...args]));
  return told;
}

describe('the secret of a token is in no', () => {
  const world = new AclWorld();
  const told = collectNotifications(world.broker as unknown as EventBroker);
  const errors: unknown[] = [];
  const events: unknown[] = [];
  const subscriptions: unknown[] = [];
  const wire: (string | undefined)[] = [];
  let endpoint: HttpEndpoint;

  beforeAll(async () => {
    endpoint = await HttpEndpoint.serve({ broker: world.broker });
    world.policy('p', readIn('default'));
    world.token('t', { policies: ['p'], expiresInMs: 10_000 });
    world.token('root', { management: true });
    const watcher = await world.subscribe('root', { topics: ['*' as 'Job'], namespace: '*' });
    subscriptions.push(await world.subscribe('t'), await world.subscribe('t'));
    await world.broker.publish(nomadEvents.aclTokenUpserted({ AccessorID: 't', SecretID: secret, Policies: ['p'] }));
    await world.clock.settle();
    const stream = await endpoint.open('topic=Job', { 'X-Nomad-Token': secret });
    wire.push(JSON.stringify(stream.headers), await stream.text());
    errors.push(await failureOf(() => world.subscribe('t', { namespace: 'prod' })));
    world.store.failWith(new Error(`No row for ${secret} (and ${secret}).`));
    world.resolver.changed(['token:t']);
    errors.push(await failureOf(() => world.subscribe('t')));
    await world.tokenChanged('t');
    await world.clock.settle();
    wire.push(...(await stream.rest()).map((line) => JSON.stringify(line)));
    for (const subscription of subscriptions) errors.push(drain(subscription as never).error);
    const denied = await endpoint.open('topic=Job&namespace=prod', { Authorization: `Bearer ${secret}` });
    wire.push(JSON.stringify(denied.headers), await denied.text());
    world.store.recover();
    subscriptions.push(await world.subscribe('t'));
    world.records.deleteToken('t');
    await world.broker.publish(nomadEvents.aclTokenDeleted({ AccessorID: 't', SecretID: secret }));
    await world.clock.settle();
    errors.push(drain(subscriptions.at(-1) as never).error, await failureOf(() => world.subscribe('t')));
    events.push(...drain(watcher).batches);
  });
  afterAll(() => endpoint.close());

  it('event', () => {
    expect(events.length).toBeGreaterThan(2);
    expect(printed(...events)).not.toContain(secret);
  });

  it('error, its causes and its stack', () => {
    expect(errors.map((error) => (error as BrokerError).code).toSorted()).toEqual([
      'acl_revoked',
      'acl_unavailable',
      'acl_unavailable',
      'acl_unavailable',
      'permission_denied',
      'permission_denied',
    ]);
    expect(printed(...errors)).not.toContain(secret);
  });

  it('notification', () => {
    const names = new Set(told.map((one) => (one as unknown[])[0]));
    for (const name of ['subscribe', 'unsubscribe', 'revoked', 'denied']) expect(names).toContain(name);
    expect(printed(...told)).not.toContain(secret);
  });

  it('header or line of an answer', () => {
    expect(wire.join('\n')).toContain('acl_unavailable');
    expect(wire.join('\n')).not.toContain(secret);
  });

  it('statistic, broker, subscription, resolver or explanation', async () => {
    world.token('t', { policies: ['p'] });
    const subscription = await world.subscribe('t');
    const explanation = await world.broker.explain({ topics: ['Job'], token: secret });
    expect(printed(world.broker.stats(), world.broker, subscription, world.resolver, explanation)).not.toContain(
      secret,
    );
    subscription.close();
  });

  const unknown = () => Object.assign(new AclDenial('unknown'), { cause: new Error(`no row for ${secret}`) });
  it.each([
    ['acl_unavailable, in its text', () => new BrokerError('acl_unavailable', `No session for ${secret}.`)],
    [
      'acl_unavailable, in its cause',
      () => new BrokerError('acl_unavailable', 'Down.', { cause: new Error(`no row for ${secret}`) }),
    ],
    ['permission_denied, in its text', () => new BrokerError('permission_denied', `${secret} is not known.`)],
    [
      'permission_denied, in its cause',
      () => new BrokerError('permission_denied', 'Permission denied.', { cause: unknown() }),
    ],
    ['permission_denied, as a denial', unknown],
  ])('refusal that a source of the host’s own makes: %s', async (name, refuse) => {
    const broker = new EventBroker({ acl: { resolve: () => Promise.reject(refuse()) } });
    const notifications = collectNotifications(broker);
    const error = await failureOf(() => broker.subscribe({ token: secret }));
    expect(error).toMatchObject({ code: name.split(',', 1)[0] });
    if (AclDenial.is((error as Error).cause)) expect((error as Error).cause).toMatchObject({ reason: 'unknown' });
    expect(notifications).toHaveLength(1);
    expect(printed(error, ...notifications)).not.toContain(secret);
  });

  it('error that a source of the host’s own throws', async () => {
    let isBroken = true;
    const broker = new EventBroker({
      acl: {
        resolve: (token) => {
          if (isBroken) throw new Error(`no session for ${token}`);
          return world.resolver.resolve(token);
        },
      },
    });
    const notifications = collectNotifications(broker);
    const error = await failureOf(() => broker.subscribe({ token: secret }));
    isBroken = false;
    world.token('t', { management: true });
    await world.broker.aclChanged({ token: 't' });
    const subscription = await broker.subscribe({ token: secret });
    isBroken = true;
    await broker.aclChanged({ token: 't' });
    await new Promise(setImmediate);
    const ended = drain(subscription as never).error;
    expect(ended?.code).toBe('acl_unavailable');
    expect(printed(error, ended, ...notifications)).not.toContain(secret);
  });
});
