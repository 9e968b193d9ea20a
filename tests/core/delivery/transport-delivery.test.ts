import diagnostics from 'node:diagnostics_channel';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  Acl,
  defineTopics,
  EventBroker,
  type DeliveryOptions,
  type EventBrokerOptions,
  type StreamFormat,
  type Subscription,
} from '../../../src/index.ts';
import type { Greeting } from '../../../src/core/batch/stream-format.ts';
import { deferred } from '../../../src/testing/deferred.ts';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { RecordingSink, shortFormat } from './recording-sink.ts';

const event = (key = 'a', topic = 'Job') => ({ topic, type: 'Made', key, payload: null });
const silent = { heartbeatMs: 0 } as const;

function makeBroker(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ clock, ...options });
  const publish = async (count: number, key?: string) => {
    for (let i = 0; i < count; i++) await broker.publish(event(key));
  };
  return { clock, broker, publish };
}

/** A new transport, in which the subscription is delivered. */
function deliver(subscription: Subscription, options: DeliveryOptions = silent, format = shortFormat) {
  const sink = new RecordingSink();
  const delivery = subscription.deliverTo(sink, format, options);
  return { sink, delivery };
}

describe('a stream begins', () => {
  it.each<[string, Partial<StreamFormat>, string[]]>([
    ['nothing, where its format has none', {}, ['.', '1 ']],
    ['a text', { opening: 'hello ' }, ['hello ', '.', '1 ']],
    ['what a function says', { opening: () => 'hello ' }, ['hello ', '.', '1 ']],
  ])('with its opening, then a heartbeat, then what comes: %s', async (_, opening, writes) => {
    const { broker, clock, publish } = makeBroker();
    await publish(1);
    const { sink } = deliver(await broker.subscribe(), {}, { ...shortFormat, ...opening });
    await clock.settle();
    expect(sink.writes).toEqual(writes);
  });

  it('with a greeting only where bookmarks are asked for', async () => {
    const { broker } = makeBroker({ topics: defineTopics({ Job: { requires: 'anyone', retain: 'latest' } }) as never });
    const greetings: (Greeting | undefined)[] = [];
    const heartbeat = (_: number | undefined, greeting?: Greeting) => {
      greetings.push(greeting);
      return '.';
    };
    const format = { ...shortFormat, heartbeat };
    const { epoch } = broker;
    deliver(await broker.subscribe(), {}, format);
    deliver(await broker.subscribe(), { bookmarks: true, heartbeatMs: 700 }, format);
    const state = await broker.subscribe({ topics: ['Job'], state: true });
    deliver(state, { bookmarks: true }, format);
    expect(greetings).toStrictEqual([
      undefined,
      { epoch, heartbeatMs: 700 },
      { epoch, heartbeatMs: 15_000, mark: state.mark },
    ]);
  });

  it('with places that name its view, where its rights decide of a state and its format can', async () => {
    const topics = defineTopics({ Job: { requires: { namespace: 'read-job' }, retain: 'latest' } }) as never;
    const acl = Acl.fromRules([{ namespace: { default: { capabilities: ['read-job'] } } }]);
    const { broker, clock, publish } = makeBroker({ topics, acl: { resolve: () => acl } });
    await publish(1);
    const views: unknown[] = [];
    const withView = (view: string): StreamFormat => {
      views.push(view);
      return { ...shortFormat, batch: ({ index }) => `${view}-${index} ` };
    };
    const asked = { topics: ['Job'], acl } as const;
    const state = { ...asked, state: true, scope: 'allowed' } as const;
    const streams = [
      deliver(await broker.subscribe(asked), silent, { ...shortFormat, withView }),
      deliver(await broker.subscribe(state), silent, { ...shortFormat, withView }),
      deliver(await broker.subscribe(state)),
    ];
    await clock.settle();
    expect(views).toHaveLength(1);
    expect(streams.map(({ sink }) => sink.writes.join(''))).toEqual(['1 ', `${views[0]}-1 current 1 `, '1 current 1 ']);
  });

  it('with nothing more once the first bytes have blocked it', async () => {
    const { broker, clock, publish } = makeBroker();
    await publish(2);
    const sink = new RecordingSink();
    sink.isFull = true;
    const delivery = (await broker.subscribe()).deliverTo(sink, shortFormat);
    await clock.settle();
    expect([sink.writes, delivery.isBlocked]).toEqual([['.'], true]);
    sink.isFull = false;
    delivery.drained();
    await clock.settle();
    expect([sink.writes, delivery.isBlocked]).toEqual([['.', '1 2 '], false]);
  });

  it.each([{ heartbeatMs: -1 }, { heartbeatMs: NaN }, { heartbeatMs: '5' }, { heartbeatMs: Symbol('x') }])(
    'not at all with %o',
    async (options) => {
      const subscription = await makeBroker().broker.subscribe();
      expect(() => deliver(subscription, options as never)).toThrow(/^heartbeatMs must be a number of milliseconds/);
      expect(() => deliver(subscription, { heartbeat: 5 } as never)).toThrow(/^deliverTo has no option "heartbeat"/);
    },
  );
});

describe('heartbeats', () => {
  it('come once an interval, with how far the stream has come where bookmarks are asked for', async () => {
    const { broker, clock, publish } = makeBroker();
    const { sink: plain } = deliver(await broker.subscribe(), { heartbeatMs: 1000 });
    const { sink: marked } = deliver(await broker.subscribe(), { heartbeatMs: 1000, bookmarks: true });
    await publish(1);
    await clock.advance(2000);
    expect(plain.writes).toEqual(['.', '1 ', '.', '.']);
    expect(marked.writes).toEqual(['.0', '1 ', '.1', '.1']);
  });

  it('do not come while the transport pushes back, nor after the end', async () => {
    const { broker, clock, publish } = makeBroker();
    const subscription = await broker.subscribe();
    const { sink, delivery } = deliver(subscription, { heartbeatMs: 1000 });
    await clock.settle();
    sink.isFull = true;
    await publish(1);
    await clock.advance(5000);
    expect(sink.writes).toEqual(['.', '1 ']);
    sink.isFull = false;
    delivery.drained();
    await clock.advance(1000);
    expect(sink.writes).toEqual(['.', '1 ', '.']);
    subscription.close();
    await clock.advance(5000);
    expect(sink.writes).toEqual(['.', '1 ', '.']);
    expect(clock.timers).toBe(0);
  });

  it('say nothing of a place while a gap is still to be told', async () => {
    const log = new MemoryEventLog();
    const { broker, clock, publish } = makeBroker({ log });
    const { sink } = deliver(await broker.subscribe(), { heartbeatMs: 1000, bookmarks: true });
    await publish(2);
    await clock.settle();
    log.recreate();
    // The heartbeat is due before the flush that tells of the new log.
    const { soon } = clock;
    clock.soon = (call) => clock.after(1500, call);
    await clock.advance(1400);
    expect(sink.writes.at(-1)).toBe('.');
    clock.soon = soon;
    await clock.advance(1000);
    expect(sink.writes.at(-2)).toMatch(/^\(restarted/);
  });
});

describe('a transport that cannot take more', () => {
  it('holds no more than one slice of the backlog, of about 128 KB', async () => {
    const { broker, clock } = makeBroker();
    for (let i = 0; i < 40; i++) await broker.publish({ ...event(), payload: 'x'.repeat(10_000) });
    const format = { ...shortFormat, batch: ({ line }: { line: string }) => line };
    const { sink, delivery } = deliver(await broker.subscribe(), silent, format);
    sink.isFull = true;
    for (let writes = 1; writes <= 3; writes++) {
      await clock.settle();
      expect(sink.chunks).toHaveLength(writes);
      delivery.drained();
    }
    await clock.settle();
    const sizes = sink.chunks.map(({ length }) => Math.round(length / 10_000));
    expect(sizes).toEqual([13, 13, 13, 1]);
  });

  it('gets a slice that is just full without the next batch', async () => {
    const { broker, clock, publish } = makeBroker();
    await publish(4);
    const halfASlice = 'x'.repeat(64 * 1024);
    const { sink } = deliver(await broker.subscribe(), silent, { ...shortFormat, batch: () => halfASlice });
    await clock.settle();
    expect(sink.chunks.map(({ length }) => length / halfASlice.length)).toEqual([2, 2]);
  });

  it('gets nothing more, though a slice of another reader ends before the newest batch', async () => {
    const { broker, clock, publish } = makeBroker();
    const [first, second] = [await broker.subscribe(), await broker.subscribe()];
    await publish(2);
    const { sink: keeps } = deliver(first);
    await clock.settle();
    const { sink, delivery } = deliver(second);
    await publish(1);
    sink.isFull = true;
    await clock.settle();
    expect(sink.chunks).toEqual(keeps.chunks.slice(0, 1));
    delivery.drained();
    await clock.settle();
    expect(sink.writes).toEqual(['1 2 ', '3 ']);
  });
});

describe('a stream that has caught up', () => {
  it('is synced, and so is one that was handed the same slice, in the same flush', async () => {
    const { broker, clock, publish } = makeBroker();
    await publish(3);
    const streams = [deliver(await broker.subscribe()), deliver(await broker.subscribe())];
    const synced = () => streams.map(({ delivery }) => delivery.isSynced);
    expect(synced()).toEqual([false, false]);
    clock.runSoon();
    expect(streams[0]?.sink.chunks).toEqual(streams[1]?.sink.chunks);
    expect(synced()).toEqual([true, true]);
    streams.forEach(({ sink }) => (sink.isFull = true));
    await publish(1);
    await clock.settle();
    expect(synced()).toEqual([false, false]);
  });
});

describe('what is for one reader alone', () => {
  it('is a gap: each is told, and one that fails on gaps ends there', async () => {
    const log = new MemoryEventLog();
    const { broker, clock, publish } = makeBroker({ log });
    await publish(1);
    await clock.settle();
    await log.append(Buffer.from('of another program'));
    await publish(1);
    await clock.settle();
    const { sink } = deliver(await broker.subscribe());
    const failing = await broker.subscribe({ onGap: 'fail' });
    const { sink: failed } = deliver(failing);
    await clock.settle();
    expect(sink.writes).toEqual(['1 (trimmed 2-2) 3 ']);
    expect(failed.ended).toEqual({ last: '1 gap after 1' });
    expect(broker.stats().gaps).toBe(2);
  });
});

describe('a stream ends', () => {
  it('without a last word when its owner closes it', async () => {
    const { broker, clock } = makeBroker();
    const subscription = await broker.subscribe();
    const { sink } = deliver(subscription);
    await clock.settle();
    subscription.close();
    expect(sink.ended).toEqual({ last: undefined });
  });

  const fail = (): never => {
    throw new Error('of a stranger');
  };

  it('and leaves nothing behind where its first write fails', async () => {
    const { broker, clock } = makeBroker({ maxStreamMs: 10_000 });
    (await broker.subscribe()).deliverTo({ write: fail, end: () => undefined }, shortFormat);
    expect([broker.stats().subscriptions, clock.timers]).toEqual([0, 0]);
  });

  it('whose last bytes the end of the broker waits for, also while somebody listens to what is delivered', async () => {
    const { broker, clock } = makeBroker();
    const told: unknown[] = [];
    const listener = (message: unknown) => told.push(message);
    diagnostics.subscribe('fenceline.deliver', listener);
    onTestFinished(() => void diagnostics.unsubscribe('fenceline.deliver', listener));
    const subscription = await broker.subscribe();
    const taken = deferred();
    subscription.deliverTo({ write: () => true, end: () => taken.promise }, shortFormat);
    subscription.close();
    let isClosed = false;
    void broker.close({ drainMs: 60_000 }).then(() => (isClosed = true));
    await clock.advance(1000);
    expect(isClosed).toBe(false);
    taken.resolve();
    await clock.settle();
    expect(isClosed).toBe(true);
    expect(told).toMatchObject([{ subscription, bytes: 1 }]);
  });

  it('alone where its format fails, and its transport is given nothing but bytes', async () => {
    const { broker, clock, publish } = makeBroker();
    const { sink: bad } = deliver(await broker.subscribe(), {}, { ...shortFormat, batch: fail });
    const { sink: mute } = deliver(await broker.subscribe(), {}, { ...shortFormat, heartbeat: fail });
    const { sink: good } = deliver(await broker.subscribe(), {});
    await clock.settle();
    await publish(1);
    await clock.settle();
    expect([bad.writes, bad.ended]).toEqual([['.'], { last: 'internal after 0' }]);
    expect([mute.writes, mute.ended]).toEqual([[], { last: 'internal after 0' }]);
    expect(good.writes).toEqual(['.', '1 ']);
  });

  /** Fails from the fifth batch on, each in its way. */
  const failures: Record<string, { format?: Partial<StreamFormat>; write?: (text: string) => boolean }> = {
    'its format cannot say a batch': { format: { batch: ({ index }) => (index < 5 ? `${index} ` : fail()) } },
    'its format cannot encode': { format: { encode: (text) => (/[5-9]/.test(text) ? fail() : Buffer.from(text)) } },
    'its transport throws': { write: (text) => (/[5-9]/.test(text) ? fail() : true) },
  };

  describe.each(Object.entries(failures))('where %s', (_, { format, write = () => true }) => {
    /** Bytes that were taken, and the end. */
    function failing(subscription: Subscription) {
      const taken: string[] = [];
      const sink = {
        write: (chunk: Uint8Array) => write(String(Buffer.from(chunk))) && taken.push(String(Buffer.from(chunk))) > 0,
        end: (last?: Uint8Array) => void (last && taken.push(String(Buffer.from(last)))),
      };
      subscription.deliverTo(sink, { ...shortFormat, ...format, error: ({ index }) => `after ${index}` }, silent);
      return taken;
    }

    it('with the place to resume from: what it was not given comes again, and nothing twice', async () => {
      const { broker, clock, publish } = makeBroker();
      const live = failing(await broker.subscribe());
      await clock.settle();
      await publish(3);
      await clock.settle();
      await publish(3);
      await clock.settle();
      expect(live).toEqual(['1 2 3 ', 'after 3']);
      const [behind, sharing] = [failing(await broker.subscribe()), failing(await broker.subscribe({ index: 2 }))];
      await clock.settle();
      expect([behind, sharing]).toEqual([['after 0'], ['after 1']]);
    });
  });

  it('with the place to resume from, where its transport throws at a slice of another', async () => {
    const { broker, clock, publish } = makeBroker();
    const [one, other] = [await broker.subscribe(), await broker.subscribe()];
    await publish(3);
    const { sink } = deliver(one);
    const ends: string[] = [];
    const end = (last?: Uint8Array) => void ends.push(String(last && Buffer.from(last)));
    other.deliverTo({ write: fail, end }, shortFormat, silent);
    await clock.settle();
    expect(sink.writes).toEqual(['1 2 3 ']);
    expect(ends).toEqual(['internal after 0']);
  });

  class SickSink extends RecordingSink {
    readonly #isSick: () => boolean;

    constructor(isSick: () => boolean) {
      super();
      this.#isSick = isSick;
    }

    get waitingBytes(): number {
      return this.#isSick() ? fail() : 0;
    }
  }

  it('with all that its transport was given, where that fails when it has pushed back', async () => {
    const { broker, clock, publish } = makeBroker();
    await publish(3);
    const sink = new SickSink(() => true);
    sink.isFull = true;
    (await broker.subscribe()).deliverTo(sink, shortFormat, silent);
    await clock.settle();
    expect([sink.writes, sink.ended]).toEqual([['1 2 3 '], { last: 'internal after 3' }]);
  });

  it('with the place to resume from, where its transport fails while a batch is put into words', async () => {
    const { broker, clock, publish } = makeBroker();
    const subscription = await broker.subscribe();
    await publish(3);
    let isSick = false;
    const sink = new SickSink(() => isSick);
    const batch: StreamFormat['batch'] = ({ index }) => {
      isSick = index === 3;
      broker.subscriptions();
      return `${index} `;
    };
    subscription.deliverTo(sink, { ...shortFormat, batch }, silent);
    await clock.settle();
    expect([sink.writes, sink.ended]).toEqual([[], { last: 'internal after 0' }]);
  });
});

describe('a state', () => {
  const topics = defineTopics({
    Job: { requires: 'anyone', retain: 'latest' },
    Log: { requires: 'anyone' },
  }) as never;

  const retaining = defineTopics({
    Job: { requires: 'anyone', retain: 'latest', removedBy: ['Gone'] },
  }) as never;
  const gone = (key: string) => ({ ...event(key), type: 'Gone' });

  /** Of a state that is read from the beginning, before anything was removed. */
  async function markOf(broker: EventBroker): Promise<string> {
    const subscription = await readState(broker);
    const { mark = '' } = subscription;
    subscription.close();
    return mark;
  }

  const readState = (broker: EventBroker) => broker.subscribe({ topics: ['Job'], state: true });

  it('is shared up to where each is told that it is current', async () => {
    const { broker, clock } = makeBroker({ topics: retaining });
    for (const key of ['a', 'b', 'c']) await broker.publish(event(key));
    // The last thing that happened: what is shared was made after it.
    await broker.publish(gone('a'));
    const streams = [deliver(await readState(broker)), deliver(await readState(broker))];
    await clock.settle();
    const [one, other] = streams.map(({ sink }) => sink);
    expect(one?.writes).toEqual(['2 3 ', 'current 4 ']);
    expect(other?.writes).toEqual(one?.writes);
    expect(other?.chunks[0]).toBe(one?.chunks[0]);
  });

  /** What a reader of the state that resumes there holds of it, as `keys -removed`. */
  const named: StreamFormat = {
    ...shortFormat,
    batch: ({ line }) => {
      const { Events = [], Removed = [] } = JSON.parse(line) as Partial<
        Record<'Events' | 'Removed', { Key: string }[]>
      >;
      return [...Events.map(({ Key }) => `${Key} `), ...Removed.map(({ Key }) => `-${Key} `)].join('');
    },
  };

  it('is not shared with one that has still to be told of a removal', async () => {
    const { broker, clock } = makeBroker({ topics: retaining });
    const mark = await markOf(broker);
    // More than a slice, so that a newcomer begins another where the other one resumes.
    const long = 'x'.repeat(200_000);
    await broker.publish([event(long), event('a')]);
    await broker.publish(event('b'));
    await broker.publish(gone('a'));
    const { sink: newcomer } = deliver(await readState(broker), silent, named);
    await clock.settle();
    expect(newcomer.writes).toEqual([`${long} `, 'b ', 'current 3 ']);
    const place = { topics: ['Job'], state: true, index: 2, epoch: broker.epoch, mark } as const;
    const { sink: resumed } = deliver(await broker.subscribe(place), silent, named);
    await clock.settle();
    expect(resumed.writes.join('')).toBe('b a -a current 3 ');
  });

  it('is not shared with one that came after a removal of what was in it', async () => {
    const { broker, clock } = makeBroker({ topics: retaining });
    for (const key of ['a', 'b']) await broker.publish(event(key));
    const { sink: older } = deliver(await readState(broker), silent, named);
    await clock.settle();
    await broker.publish(gone('a'));
    const { sink: newer } = deliver(await readState(broker), silent, named);
    await clock.settle();
    expect(older.writes).toEqual(['a b ', 'current 2 ', 'a -a ']);
    expect(newer.writes).toEqual(['b ', 'current 3 ']);
  });

  it('is told as current once to each, where there is nothing of it', async () => {
    const { broker, clock } = makeBroker({ topics });
    await broker.publish(event('a', 'Log'));
    const streams = [deliver(await readState(broker)), deliver(await readState(broker))];
    await clock.settle();
    expect(streams.map(({ sink }) => sink.writes)).toEqual([['current 1 '], ['current 1 ']]);
  });

  it('is told in one write where a gap makes it this reader’s alone', async () => {
    const { broker, clock } = makeBroker({ topics });
    await broker.publish(event('a'));
    const resumed = await broker.subscribe({ topics: ['Job'], state: true, index: 7, epoch: 'of yesterday' });
    const { sink } = deliver(resumed);
    await clock.settle();
    expect(sink.writes).toEqual(['(restarted 1-1) 1 current 1 ']);
  });

  it('is not told as current by a format that has no word for it', async () => {
    const { broker, clock } = makeBroker({ topics });
    await broker.publish(event('a'));
    const { current: _, ...format } = shortFormat;
    const { sink } = deliver(await readState(broker), silent, format);
    await clock.settle();
    await broker.publish(event('b'));
    await clock.settle();
    expect(sink.writes).toEqual(['1 ', '2 ']);
  });
});
