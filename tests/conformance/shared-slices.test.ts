import { describe, expect, it } from 'vitest';
import { Acl, EventBroker, type ByteSink } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { nomadRights } from 'fenceline/nomad';

const event = (key: string, letters = 10, namespace = 'default') => ({
  topic: 'Job',
  type: 'Made',
  key,
  namespace,
  payload: 'x'.repeat(letters),
});

class Sink implements ByteSink {
  readonly chunks: Uint8Array[] = [];
  isFull = false;

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    return !this.isFull;
  }

  end(last?: Uint8Array): void {
    if (last) this.chunks.push(last);
  }

  get indexes(): number[] {
    const lines = Buffer.concat(this.chunks).toString().split('\n').slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { Index: number }).Index);
  }
}

const options = { heartbeatMs: 0 } as const;

describe('readers that are behind at one place', () => {
  it('share one encoding: a hundred that stall on a batch of 8 MB hold it once', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, limits: { bytesPerEvent: 16_000_000 } });
    await broker.publish(event('a', 8_000_000));
    const sinks = Array.from({ length: 100 }, () => new Sink());
    for (const sink of sinks) {
      sink.isFull = true;
      (await broker.subscribe()).deliverTo(sink, ndjsonFormat, options);
    }
    await clock.settle();
    expect(sinks.every(({ chunks }) => chunks.length === 1)).toBe(true);
    expect(new Set(sinks.map(({ chunks }) => chunks[0]?.buffer)).size).toBe(1);
  });

  it('share what they read of a log, and how it is encoded: a hundred cost about as much as one', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog();
    const read = log.read.bind(log);
    let chunks = 0;
    log.read = async function* (...asked) {
      for await (const chunk of read(...asked)) {
        chunks++;
        yield chunk;
      }
    };
    const broker = new EventBroker({ clock, log, buffer: { maxBatches: 5 } });
    const count = 200;
    for (let i = 1; i <= count; i++) await broker.publish(event('a', 10_000));
    await clock.settle();
    const sinks = Array.from({ length: 100 }, () => new Sink());
    for (const sink of sinks) (await broker.subscribe({ index: 1 })).deliverTo(sink, ndjsonFormat, options);
    for (let turns = 0; turns < 1000 && sinks.some(({ indexes }) => indexes.length < count); turns++) {
      await clock.settle();
      await new Promise(setImmediate);
    }
    for (const sink of sinks) expect(sink.indexes).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    const [first] = sinks;
    const encoded = new Set(sinks.flatMap((sink) => sink.chunks.map(({ buffer }) => buffer)));
    expect(encoded.size).toBe(first?.chunks.length);
    // 2 MB, 64 KiB at a time.
    expect(chunks).toBeLessThan(45);
    await broker.close();
  });

  it('share every slice of a backlog that they replay together, and get all of it once, in order', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    for (let i = 0; i < 50; i++) await broker.publish(event(`k${i}`, 20_000));
    const sinks = Array.from({ length: 10 }, () => new Sink());
    for (const sink of sinks) (await broker.subscribe()).deliverTo(sink, ndjsonFormat, options);
    await clock.settle();
    await broker.publish(event('live'));
    await clock.settle();
    for (const sink of sinks) expect(sink.indexes).toEqual(Array.from({ length: 51 }, (_, i) => i + 1));
    const distinct = new Set(sinks.flatMap(({ chunks }) => chunks.map(({ buffer }) => buffer)));
    expect(distinct.size).toBe(sinks[0]?.chunks.length);
  });

  it('share nothing past a fence', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({
      clock,
      acl: { resolve: (token) => (token === 'free' ? Acl.management : held()) },
    });
    let resolving = 0;
    // The first look-up admits it; the one after the change is never answered.
    const held = () =>
      resolving++ === 0
        ? Acl.fromRules([], { rights: nomadRights, management: true, accessorId: 'held', dependsOn: ['policy:p'] })
        : new Promise<Acl>(() => undefined);
    const [free, fenced] = [new Sink(), new Sink()];
    for (let i = 0; i < 3; i++) await broker.publish(event(`k${i}`));
    const heldSubscription = await broker.subscribe({ token: 'held' });
    const freeSubscription = await broker.subscribe({ token: 'free' });
    await broker.aclChanged({ policy: 'p' });
    for (let i = 3; i < 6; i++) await broker.publish(event(`k${i}`));
    freeSubscription.deliverTo(free, ndjsonFormat, options);
    heldSubscription.deliverTo(fenced, ndjsonFormat, options);
    await clock.settle();
    expect(free.indexes).toEqual([1, 2, 3, 4, 5, 6]);
    expect(fenced.indexes).toEqual([1, 2, 3]);
  });

  it('do not share between formats', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    await broker.publish(event('a'));
    const [plain, other] = [new Sink(), new Sink()];
    const shouting = { ...ndjsonFormat, encode: (text: string) => Buffer.from(text.toUpperCase()) };
    (await broker.subscribe()).deliverTo(plain, ndjsonFormat, options);
    (await broker.subscribe()).deliverTo(other, shouting, options);
    await clock.settle();
    expect(Buffer.concat(other.chunks).toString()).toBe(Buffer.concat(plain.chunks).toString().toUpperCase());
  });
});
