import diagnostics from 'node:diagnostics_channel';

import { describe, expect, it, onTestFinished } from 'vitest';

import type { BrokerNotifications } from '../../../src/core/broker/broker-notifications.ts';
import { Diagnostics } from '../../../src/core/broker/diagnostics.ts';
import { Notifications } from '../../../src/core/broker/notifications.ts';

/** What one broker tells on this channel while the test runs. */
function heardOn(channel: string, broker: object): unknown[] {
  const heard: unknown[] = [];
  const take = (message: unknown) => {
    if ((message as { readonly broker: unknown }).broker === broker) heard.push(message);
  };
  diagnostics.subscribe(channel, take);
  onTestFinished(() => void diagnostics.unsubscribe(channel, take));
  return heard;
}

function world() {
  const broker = new Notifications<BrokerNotifications>();
  return { broker, told: new Diagnostics(broker) };
}

describe('the diagnostics channels', () => {
  it.each<['revoked' | 'gap' | 'lagging' | 'unsubscribe', string]>([
    ['revoked', 'fenceline.revoke'],
    ['gap', 'fenceline.gap'],
    ['lagging', 'fenceline.stall'],
    ['unsubscribe', 'fenceline.close'],
  ])('tell the notification %s as %s, with the broker that says it', (name, channel) => {
    const { broker, told } = world();
    const heard = heardOn(channel, broker);
    const notified: unknown[] = [];
    broker.on(name as 'gap', (notice) => void notified.push(notice));
    told.tell(name, [{ accessorId: 'a' }] as never);
    expect(notified).toEqual([{ accessorId: 'a' }]);
    expect(heard).toEqual([{ broker, accessorId: 'a' }]);
  });

  it('have none for the other notifications', () => {
    const { broker, told } = world();
    const notified: unknown[] = [];
    broker.on('denied', (notice) => void notified.push(notice));
    told.tell('denied', [{ accessorId: 'a' }] as never);
    expect(notified).toEqual([{ accessorId: 'a' }]);
  });

  it('trace a publish and a subscription under their names', async () => {
    const { broker, told } = world();
    const publishing = heardOn('tracing:fenceline.publish:start', broker);
    const subscribing = heardOn('tracing:fenceline.subscribe:start', broker);
    expect(told.isPublishTraced).toBe(true);
    expect(await told.publish(() => 7)).toBe(7);
    expect(await told.subscribe((message) => Promise.resolve(message !== undefined))).toBe(true);
    expect([publishing.length, subscribing.length]).toEqual([1, 1]);
  });
});
