import { describe, expect, it } from 'vitest';

import { ndjsonFormat } from '../../src/adapters/ndjson-format.ts';
import { Acl, EventBroker, type Subscription } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { linesIn } from './wire-lines.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const event = (payload: string) => ({ topic: 'Job', type: 'JobRegistered', key: 'web', payload });

/** Publishes, and remembers under which index each payload was acknowledged. */
class Acknowledged {
  readonly byIndex: [number, string][] = [];
  readonly #broker: EventBroker;

  constructor(broker: EventBroker) {
    this.#broker = broker;
  }

  async publish(payload: string): Promise<void> {
    this.byIndex.push([await this.#broker.publish(event(payload)), payload]);
  }
}

/** What a transport was written. */
function linesOf(subscription: Subscription, onWrite: () => void = () => undefined): [number, string][] {
  const lines: [number, string][] = [];
  const take = (chunk: Uint8Array | undefined): void => {
    for (const { Index = 0, Events = [] } of linesIn(chunk))
      for (const { Payload } of Events) lines.push([Index, String(Payload)]);
  };
  const write = (chunk: Uint8Array): true => {
    take(chunk);
    onWrite();
    return true;
  };
  subscription.deliverTo({ write, end: take }, ndjsonFormat, { heartbeatMs: 0 });
  return lines;
}

const inOrder = (pairs: readonly [number, string][]) => pairs.toSorted(([a], [b]) => a - b);

describe('a transport that acts upon the broker while it is written to', () => {
  it('publishes: when it is written to because another publish needs room, neither of the two is lost', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, buffer: { maxBatches: 4 } });
    const acknowledged = new Acknowledged(broker);
    const lines = linesOf(await broker.subscribe({ namespace: '*' }));
    const echoes = ['echo 1', 'echo 2', 'echo 3'];
    const echoing = await broker.subscribe({ namespace: '*' });
    const echo = (): true => {
      const payload = echoes.shift();
      if (payload !== undefined) void acknowledged.publish(payload);
      return true;
    };
    echoing.deliverTo({ write: echo, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    const payloads = Array.from({ length: 12 }, (_, i) => `own ${i}`);
    await Promise.all(payloads.map((payload) => acknowledged.publish(payload)));
    await clock.settle();
    expect(lines.map(([index]) => index)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    expect(inOrder(acknowledged.byIndex)).toEqual(lines);
  });

  it('publishes at its end: when another publish finds its rights expired, neither of the two is lost', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const acknowledged = new Acknowledged(broker);
    const lines = linesOf(await broker.subscribe({ namespace: '*' }));
    const acl = Acl.fromRules([], { rights: nomadRights, management: true, expiresAt: clock.now() + 1000 });
    const ending = await broker.subscribe({ namespace: '*', acl });
    // A transport that pushes back is ended at once.
    const end = () => void acknowledged.publish('farewell');
    ending.deliverTo({ write: () => false, end }, ndjsonFormat);
    await clock.settle();
    const { now } = clock;
    clock.now = () => now.call(clock) + 1000;
    await acknowledged.publish('late');
    await clock.settle();
    expect(lines).toEqual([
      [1, 'late'],
      [2, 'farewell'],
    ]);
    expect(inOrder(acknowledged.byIndex)).toEqual(lines);
  });

  it('tells of ACL changes: what it publishes after them is above their fence', async () => {
    const clock = new VirtualClock();
    let rights = true;
    const resolve = async () => (rights ? held : Acl.fromRules([], { rights: nomadRights, dependsOn: ['policy:p'] }));
    const held = Acl.fromRules([], { rights: nomadRights, management: true, dependsOn: ['policy:p'] });
    const broker = new EventBroker({ clock, acl: { resolve }, buffer: { maxBatches: 1 } });
    const lines = linesOf(await broker.subscribe({ namespace: '*', token: 't' }));
    const echoing = await broker.subscribe({ namespace: '*', acl: Acl.management });
    let isFirst = true;
    const write = (): true => {
      if (!isFirst) return true;
      isFirst = false;
      rights = false;
      void broker.aclChanged({ policy: 'p' });
      void broker.publish(event('secret'));
      return true;
    };
    echoing.deliverTo({ write, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    await Promise.all([broker.publish(event('first')), broker.publish(event('second'))]);
    await clock.settle();
    expect(lines.map(([, payload]) => payload)).not.toContain('secret');
    expect(broker.stats()).toMatchObject({ latestIndex: 3, revokedSubscriptions: 1 });
  });

  const pairs = (...indexes: number[]) => indexes.map((index) => [index, `own ${index}`]);

  /** Three streams of one interest; whichever is written to first calls `act`, once, with the others. */
  async function threeStreams(act: (others: readonly Subscription[], broker: EventBroker) => void) {
    const clock = new VirtualClock();
    const dependent = Acl.fromRules([], { rights: nomadRights, management: true, dependsOn: ['policy:p'] });
    const acl = { resolve: async () => dependent };
    const broker = new EventBroker({ clock, acl, buffer: { maxBatches: 8 } });
    const streams: { subscription: Subscription; lines: [number, string][] }[] = [];
    let isDone = false;
    const onWrite = (own: Subscription) => {
      if (isDone) return;
      isDone = true;
      act(
        streams.map(({ subscription }) => subscription).filter((one) => one !== own),
        broker,
      );
    };
    for (let i = 0; i < 3; i++) {
      const subscription = await broker.subscribe({ namespace: '*', token: 't' });
      streams.push({ subscription, lines: linesOf(subscription, () => onWrite(subscription)) });
    }
    await clock.settle();
    for (let i = 1; i <= 3; i++) await broker.publish(event(`own ${i}`));
    await clock.settle();
    await broker.publish(event('own 4')).catch(() => undefined);
    await clock.settle();
    return { broker, streams };
  }

  it.each([0, 1])('closes another: it gets nothing more, and the others get each batch once', async (which) => {
    const { streams } = await threeStreams((others) => others[which]?.close());
    const linesWhere = (isClosed: boolean) =>
      streams.filter(({ subscription }) => (subscription.state === 'closed') === isClosed).map(({ lines }) => lines);
    expect(linesWhere(true)).toEqual([[]]);
    expect(linesWhere(false)).toEqual([pairs(1, 2, 3, 4), pairs(1, 2, 3, 4)]);
  });

  it('tells of an ACL change: the others get what came before it', async () => {
    const { streams } = await threeStreams((_, broker) => void broker.aclChanged({ policy: 'p' }));
    for (const { lines } of streams) expect(lines).toEqual(pairs(1, 2, 3, 4));
  });

  it('publishes more than the buffer holds: the others get it after what came before', async () => {
    const { streams } = await threeStreams((_, broker) => {
      for (let i = 0; i < 20; i++) void broker.publish(event('more'));
    });
    for (const { lines } of streams) {
      expect(lines.slice(0, 3)).toEqual(pairs(1, 2, 3));
      expect(lines.map(([index]) => index)).toEqual(lines.map((_, i) => i + 1));
    }
  });

  it('closes the broker: the others get what came before, and are told how far that was', async () => {
    const { streams } = await threeStreams((_, broker) => void broker.close());
    for (const { subscription, lines } of streams) {
      expect(lines).toEqual(pairs(1, 2, 3));
      expect(subscription.error).toMatchObject({ code: 'closed', index: 3 });
    }
  });
});
