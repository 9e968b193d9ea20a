import { describe, expect, it } from 'vitest';

import { AclResolver, MemoryAclStore } from '../../src/index.ts';
import {
  indexOf,
  LARGE_BYTES,
  mountedBroker,
  notified,
  publishPast,
  stalledStream,
  subscriptionsAre,
} from './mounted-broker.ts';
import { mounts } from './mounts.ts';
import { nomadRights } from '../../src/nomad/index.ts';

/** An ACL store that answers a secret when it is let. */
class HeldStore extends MemoryAclStore {
  readonly asked: Promise<void>;
  #release: (() => void) | undefined;
  #onAsked: (() => void) | undefined;

  constructor() {
    super();
    this.asked = new Promise((resolve) => (this.#onAsked = resolve));
    this.upsertToken({ accessorId: 'a', secretId: 'slow', type: 'management', policies: [], roles: [] });
    this.upsertToken({ accessorId: 'b', secretId: 'quick', type: 'management', policies: [], roles: [] });
  }

  override tokenBySecretId(secretId: string): never {
    const token = super.tokenBySecretId(secretId);
    if (secretId !== 'slow') return token as never;
    const held = new Promise((resolve) => (this.#release = () => resolve(token)));
    this.#onAsked?.();
    return held as never;
  }

  release(): void {
    this.#release?.();
  }
}

describe.each(mounts)('a client on $name', (mount) => {
  it('that leaves frees its subscription', async () => {
    const { broker, client } = await mountedBroker(mount);
    const streams = await Promise.all(Array.from({ length: 10 }, (_, n) => client.open(`?topic=T${n % 3}`)));
    expect(broker.stats()).toMatchObject({ subscriptions: 10, interests: 3 });
    for (const stream of streams) stream.leave();
    await subscriptionsAre(broker, 0);
    expect(broker.stats().interests).toBe(0);
  });

  it('that leaves while the ACL store is slow leaves no subscription behind', async () => {
    const store = new HeldStore();
    const { broker, client, server } = await mountedBroker(mount, {
      acl: new AclResolver({ rights: nomadRights, store }),
    });
    const sent = client.send({ headers: { 'x-nomad-token': 'slow' } });
    await store.asked;
    sent.leave();
    await server.deserted();
    store.release();
    const later = await client.open('', { 'x-nomad-token': 'quick' });
    expect(broker.stats().subscriptions).toBe(1);
    later.leave();
    await subscriptionsAre(broker, 0);
  });

  it('that does not read costs a bounded amount, delays nobody, and gets everything once it reads', async () => {
    const mounted = await mountedBroker(mount);
    const { broker, client, server } = mounted;
    const lagging = notified(broker, 'lagging');
    const stalled = await stalledStream(mounted);
    const last = await publishPast(broker, stalled, await client.open(), 40);
    await lagging;
    expect(stalled.subscription.state).toBe('unsynced');
    expect(server.waitingBytes).toBeLessThan(10 * LARGE_BYTES);
    for (let index = 1; index <= last; index++) expect(indexOf(await stalled.reader.line())).toBe(index);
  });

  it('that does not read past the buffer is told of all that it missed', async () => {
    const mounted = await mountedBroker(mount, { buffer: { maxBatches: 4 } });
    const stalled = await stalledStream(mounted);
    const last = await publishPast(mounted.broker, stalled, await mounted.client.open(), 8);
    const gaps: Gap[] = [];
    for (let next = 1; next <= last;) {
      const { from, to, gap } = rangeOf(await stalled.reader.line());
      expect(from).toBe(next);
      if (gap) gaps.push(gap);
      next = to + 1;
    }
    expect(gaps).toEqual([{ From: expect.any(Number), To: last - 4, Reason: 'slow' }]);
  });

  it('that does not read and leaves frees its subscription', async () => {
    const mounted = await mountedBroker(mount);
    const stalled = await stalledStream(mounted);
    const healthy = await mounted.client.open();
    await publishPast(mounted.broker, stalled, healthy, 4);
    stalled.reader.leave();
    await subscriptionsAre(mounted.broker, 1);
    expect(stalled.subscription.state).toBe('closed');
  });
});

interface Gap {
  readonly From: number;
  readonly To: number;
  readonly Reason: string;
}

/** The indexes that a line accounts for. */
function rangeOf(line: string | undefined): { from: number; to: number; gap?: Gap } {
  if (!line?.startsWith('{"Gap"')) return { from: indexOf(line), to: indexOf(line) };
  const { Gap } = JSON.parse(line) as { readonly Gap: Gap };
  return { from: Gap.From, to: Gap.To, gap: Gap };
}
