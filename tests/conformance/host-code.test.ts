import { getEventListeners, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { eventStreamHandler } from '../../src/adapters/http.ts';
import { ndjsonFormat } from '../../src/adapters/ndjson-format.ts';
import {
  Acl,
  type BrokerError,
  defineTopics,
  EventBroker,
  type EventBrokerOptions,
  type Subscription,
} from '../../src/index.ts';
import { Interest } from '../../src/core/matching/interest.ts';
import type { StreamFormat } from '../../src/core/batch/stream-format.ts';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { logAround, tellingLog } from '../logs/log-around.ts';
import { linesIn } from './wire-lines.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const event = (payload: unknown, key = 'web') => ({ topic: 'Job', type: 'JobRegistered', key, payload });

function payloadsOf(subscription: Subscription, write: () => boolean = () => true, end: () => void = () => undefined) {
  const lines: unknown[] = [];
  const take = (chunk?: Uint8Array): void => {
    for (const { Events = [], Error: error } of linesIn(chunk)) {
      for (const { Payload } of Events) lines.push(Payload);
      if (error) lines.push(error.Code);
    }
  };
  subscription.deliverTo(
    {
      write: (chunk) => (take(chunk), write()),
      end: (last) => {
        take(last);
        end();
      },
    },
    ndjsonFormat,
    { heartbeatMs: 0 },
  );
  return lines;
}

async function connectTo(server: Server): Promise<Socket> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}

/** A source of rights by token, of which any answer can be changed. */
const dependent = (management = true, policy = 'p') =>
  Acl.fromRules([], { rights: nomadRights, management, dependsOn: [`policy:${policy}`] });

describe('a StreamFormat that throws', () => {
  it('in batch(): loses its own stream, and the others get all of theirs', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, buffer: { maxBatches: 8 } });
    const bad: StreamFormat = {
      ...ndjsonFormat,
      batch: () => {
        throw new Error('format');
      },
    };
    const one = await broker.subscribe({ namespace: '*', topics: ['Job:a', 'Job:web'] });
    one.deliverTo({ write: () => true, end: () => undefined }, bad, { heartbeatMs: 0 });
    const other = payloadsOf(await broker.subscribe({ namespace: '*', topics: ['Job:web'] }));
    const another = payloadsOf(await broker.subscribe({ namespace: '*', topics: ['Job:b', 'Job:web'] }));
    const third = payloadsOf(await broker.subscribe({ namespace: '*', topics: ['*:web'] }));
    await clock.settle();
    const thrown: unknown[] = [];
    for (let i = 1; i <= 3; i++) {
      await broker.publish(event(i)).catch((error: unknown) => thrown.push(error));
      await clock.settle().catch((error: unknown) => thrown.push(error));
      await clock.settle().catch((error: unknown) => thrown.push(error));
    }
    expect([other, another, third]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(thrown).toEqual([]);
  });

  it('in error(): does not keep the broker from closing and from ending the others', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const bad: StreamFormat = {
      ...ndjsonFormat,
      error: () => {
        throw new Error('format');
      },
    };
    const one = await broker.subscribe({ namespace: '*' });
    one.deliverTo({ write: () => true, end: () => undefined }, bad, { heartbeatMs: 0 });
    const other = payloadsOf(await broker.subscribe({ namespace: '*' }));
    await clock.settle();
    const result = await broker.close().then(() => 'closed', String);
    expect({ result, other, left: broker.stats().subscriptions }).toEqual({
      result: 'closed',
      other: ['closed'],
      left: 0,
    });
  });
});

describe('a transport that fails at its first write', () => {
  it('leaves no heartbeat behind', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    for (let i = 0; i < 3; i++) {
      const one = await broker.subscribe({ namespace: '*' });
      const write = (): boolean => {
        throw new Error('gone');
      };
      one.deliverTo({ write, end: () => undefined }, ndjsonFormat, { heartbeatMs: 1000 + i });
    }
    await clock.settle();
    expect({ subscriptions: broker.stats().subscriptions, timers: clock.timers }).toEqual({
      subscriptions: 0,
      timers: 0,
    });
  });
});

describe('the duty cycle', () => {
  it('a pause of the process within a flush (SIGSTOP, suspend, debugger) does not stop deliveries for hours', async () => {
    const clock = new VirtualClock();
    let jump = 0;
    const { now } = clock;
    clock.now = () => now.call(clock) + jump;
    const broker = new EventBroker({ clock });
    let isFirst = true;
    const lines = payloadsOf(await broker.subscribe({ namespace: '*' }), () => {
      if (isFirst) jump = 3_600_000;
      isFirst = false;
      return true;
    });
    await clock.settle();
    await broker.publish(event(1));
    await clock.settle();
    await broker.publish(event(2));
    await clock.advance(60_000);
    expect(lines).toEqual([1, 2]);
  });

  it('a clock that is set back by an hour does not stop deliveries for an hour', async () => {
    const clock = new VirtualClock();
    let jump = 0;
    const { now } = clock;
    clock.now = () => now.call(clock) + jump;
    const broker = new EventBroker({ clock });
    const lines = payloadsOf(await broker.subscribe({ namespace: '*' }), () => ((jump += 1), true));
    await clock.settle();
    await broker.publish(event(1));
    await clock.settle();
    jump -= 3_600_000;
    await broker.publish(event(2));
    await clock.advance(60_000);
    expect(lines).toEqual([1, 2]);
  });
});

describe('what host code does while a re-authorisation is settled', () => {
  type Act = (broker: EventBroker, other: Subscription, deny: () => void) => void;

  /**
   * Two subscriptions of one token, of which a policy's change denies one; with that denial `act` runs, in a listener
   * or in its transport's end.
   */
  async function twoOfOneToken(act: Act, where: 'a listener' | 'its end' = 'a listener') {
    const clock = new VirtualClock();
    const grants = (namespace?: string) =>
      Acl.fromRules(namespace ? [{ namespace: { [namespace]: { policy: 'read' } } }] : [], {
        rights: nomadRights,
        dependsOn: ['policy:p'],
      });
    let acl = grants('*');
    const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } } }) as never;
    const broker = new EventBroker({
      clock,
      topics,
      acl: { resolve: async () => acl },
    } as EventBrokerOptions) as EventBroker;
    await broker.publish({ ...event('first'), namespace: 'b' });
    const denied = await broker.subscribe({ topics: ['Job'], namespace: 'b', token: 't' });
    const other = await broker.subscribe({ topics: ['Job'], namespace: 'a', token: 't' });
    const run = () => act(broker, other, () => (acl = grants()));
    // A transport that pushes back is ended with the verdict.
    if (where === 'its end') payloadsOf(denied, () => false, run);
    else payloadsOf(denied);
    const lines = payloadsOf(other);
    await clock.settle();
    if (where === 'a listener') broker.once('revoked', run);
    acl = grants('a');
    await broker.aclChanged({ policy: 'p' });
    await clock.settle();
    await clock.settle();
    return { broker, lines, clock };
  }

  it.each(['a listener', 'its end'] as const)(
    'in %s, tells of another change: nothing above it reaches those who are settled after it',
    async (where) => {
      const tellMore: Act = (broker, _, deny) => {
        deny();
        void broker.aclChanged({ policy: 'p' });
        void broker.publish({ ...event('secret'), namespace: 'a' });
      };
      const { broker, lines } = await twoOfOneToken(tellMore, where);
      expect(broker.stats().latestIndex, 'it was published').toBe(2);
      expect(lines).not.toContain('secret');
    },
  );

  it('closes another of the token: nothing of it is left', async () => {
    const { broker, clock } = await twoOfOneToken((_, other) => other.close());
    // A leaked interest is in the index's places only: one that has no reader is still found by each publish.
    const gather = vi.spyOn(Interest.prototype, 'gather');
    onTestFinished(() => gather.mockRestore());
    await broker.publish({ ...event('x'), namespace: 'a' });
    await clock.settle();
    expect(gather).not.toHaveBeenCalled();
    expect(broker.stats()).toMatchObject({ interests: 0, subscriptions: 0 });
  });
});

describe('look-ups that the store lost', () => {
  it('do not hold the places of later ones for ever', async () => {
    const clock = new VirtualClock();
    let isLost = false;
    const acl = (token = '') => dependent(true, token === 'good' ? 'good' : 'p');
    const resolve = (token?: string) => (isLost ? new Promise<Acl>(() => undefined) : Promise.resolve(acl(token)));
    const broker = new EventBroker({ clock, acl: { resolve } });
    for (let i = 0; i < 64; i++) await broker.subscribe({ namespace: '*', token: `t${i}` });
    const good = await broker.subscribe({ namespace: '*', token: 'good' });
    const lines = payloadsOf(good);
    isLost = true;
    await broker.aclChanged({ policy: 'p' });
    await clock.advance(6000);
    expect(broker.stats().revokedSubscriptions).toBe(64);
    // The store is back.
    isLost = false;
    await clock.advance(60_000);
    await broker.aclChanged({ policy: 'good' });
    await broker.publish(event('after'));
    await clock.advance(60_000);
    expect(lines).toEqual(['after']);
  });
});

describe('a revoked stream whose transport pushes back after the verdict', () => {
  it('ends, at the latest with the broker', async () => {
    const clock = new VirtualClock();
    let acl = dependent();
    const broker = new EventBroker({ clock, acl: { resolve: async () => acl } });
    for (let i = 0; i < 4; i++) await broker.publish(event('x'.repeat(100_000)));
    const subscription = await broker.subscribe({ namespace: '*', token: 't' });
    let ends = 0;
    payloadsOf(
      subscription,
      () => false,
      () => ends++,
    );
    acl = dependent(false);
    await broker.aclChanged({ policy: 'p' });
    await Promise.resolve();
    for (let i = 0; i < 30; i++) await Promise.resolve();
    expect(broker.stats().revokedSubscriptions).toBe(1);
    await clock.settle();
    await clock.advance(60_000);
    await broker.close();
    await clock.advance(60_000);
    expect({ ends, state: subscription.state }).toEqual({ ends: 1, state: 'closed' });
  });
});

describe('the log is replaced while a subscription waits for its rights', () => {
  it('it gets the new log from its oldest on', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog({ clock, retention: { maxRecords: 2 } });
    let answer: (() => void) | undefined;
    const resolve = () => new Promise<Acl>((done) => (answer = () => done(dependent())));
    const broker = new EventBroker({ clock, log, acl: { resolve } });
    for (let i = 0; i < 20; i++) await broker.publish(event(`old ${i}`));
    await clock.settle();
    const opening = broker.subscribe({ namespace: '*', token: 't' });
    await clock.settle();
    log.recreate();
    await clock.settle();
    // However often the store is asked.
    for (let i = 0; i < 5; i++) {
      answer?.();
      await clock.settle();
    }
    const subscription = await opening;
    const lines = payloadsOf(subscription);
    for (let i = 1; i <= 25; i++) await broker.publish(event(`new ${i}`));
    await clock.settle();
    expect(lines[0]).toBe('new 1');
  });
});

describe('rights that were given and have expired', () => {
  it('open nothing', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    await broker.publish(event('secret'));
    const acl = Acl.fromRules([], { rights: nomadRights, management: true, expiresAt: clock.now() - 3_600_000 });
    const got = await broker.subscribe({ namespace: '*', acl }).then(
      (one) => one.poll()?.events[0]?.payload,
      (error: BrokerError) => error.code,
    );
    expect(got).not.toBe('secret');
  });
});

describe('what the buffer holds', () => {
  it('counts filter keys', async () => {
    const broker = new EventBroker({ buffer: { maxBytes: 1_000_000 } });
    for (let i = 0; i < 50; i++) {
      const filterKeys = Array.from({ length: 1000 }, (_, k) => `${i} ${k} ${'k'.repeat(100)}`);
      await broker.publish({ ...event(i), filterKeys });
    }
    // Each batch holds 100 KB of keys.
    expect(broker.stats().bufferedBatches).toBeLessThan(20);
  });
});

describe('publish with a signal, while the log is down', () => {
  it('gives up waiting', async () => {
    const clock = new VirtualClock();
    const { log, handler } = tellingLog(new MemoryEventLog({ clock }));
    const broker = new EventBroker({ clock, log, publishWhenDown: 'wait' });
    await broker.publish(event(0));
    await clock.settle();
    handler().status('down');
    const controller = new AbortController();
    let state = 'waits';
    void broker.publish(event(1), { signal: controller.signal }).then(
      () => (state = 'published'),
      () => (state = 'gave up'),
    );
    await clock.settle();
    controller.abort();
    await clock.advance(60_000);
    expect(state).toBe('gave up');
  });

  it('leaves nothing on the signal once it has waited, and does not begin to with one that is aborted', async () => {
    const clock = new VirtualClock();
    const { log, handler } = tellingLog(new MemoryEventLog({ clock }));
    const broker = new EventBroker({ clock, log, publishWhenDown: 'wait' });
    await broker.publish(event(0));
    await clock.settle();
    handler().status('down');
    const controller = new AbortController();
    const waiting = broker.publish(event(1), { signal: controller.signal });
    await clock.settle();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    handler().status('up');
    expect(await waiting).toBe(2);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    handler().status('down');
    controller.abort(new Error('given up'));
    await expect(broker.publish(event(2), { signal: controller.signal })).rejects.toThrow('given up');
  });
});

describe('a host that ends the response of a slow client', () => {
  it.each(['auto', 'response'] as const)(
    'is taken at its word with the writer %s: nothing follows the last chunk',
    async (writer) => {
      const broker = new EventBroker();
      const handle = eventStreamHandler({ broker, writer, heartbeatMs: 0 });
      const responses: ServerResponse[] = [];
      const server = createServer((request, response) => {
        responses.push(response);
        void handle(request, response);
      });
      const socket = await connectTo(server);
      socket.write('GET /?namespace=* HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      const [head] = (await once(socket.setEncoding('latin1'), 'data')) as [string];
      socket.pause();
      const [response] = responses as [ServerResponse];
      // Until something waits in the process, but less than what counts as slow.
      while (response.socket?.writableLength === 0) {
        await broker.publish(event('x'.repeat(60_000)));
        await new Promise(setImmediate);
      }
      response.end();
      await broker.publish(event('after the end'));
      await new Promise(setImmediate);
      let text = head;
      socket.on('data', (chunk: string) => (text += chunk));
      await once(socket.resume(), 'close');
      server.close();
      expect(text).toMatch(/\r\n0\r\n\r\n$/);
      expect(text).not.toContain('after the end');
    },
  );
});

describe('a record that cannot be read', () => {
  it('costs nobody the records after it', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog({ clock });
    const broker = new EventBroker({ clock, log });
    const lines = payloadsOf(await broker.subscribe({ namespace: '*' }));
    await clock.settle();
    await broker.publish(event(1));
    await clock.settle();
    const other = new EventBroker({ clock, log: log.share() });
    await Promise.all([log.append(Buffer.from('{"v":2}\n')), other.publish(event(2)), other.publish(event(3))]);
    await clock.advance(60_000);
    await other.publish(event(4));
    await clock.advance(60_000);
    expect(lines).toEqual([1, 2, 3, 4]);
  });

  it('does not hold up a reader of the backlog for ever, silently', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog({ clock });
    const writer = new EventBroker({ clock, log: log.share() });
    await writer.publish(event(1));
    await log.append(Buffer.from('{"v":2}\n'));
    await writer.publish(event(3));
    const broker = new EventBroker({ clock, log });
    const subscription = await broker.subscribe({ namespace: '*' });
    const lines = payloadsOf(subscription);
    await clock.advance(600_000);
    expect(lines.length).toBeGreaterThan(1);
  });
});

describe('a transport that acts upon the broker in the flush before a restart', () => {
  it('closes the broker: the others get what came before, or are told that they did not', async () => {
    const clock = new VirtualClock();
    const inner = new MemoryEventLog({ clock });
    const capabilities = { ...inner.capabilities, dense: false };
    const { log, handler } = tellingLog(inner, { capabilities });
    const broker = new EventBroker({ clock, log });
    let isDone = false;
    let armed = false;
    const act = () => {
      if (armed && !isDone) {
        isDone = true;
        void broker.close();
      }
      return true;
    };
    const first = await broker.subscribe({ namespace: '*' });
    const second = await broker.subscribe({ namespace: '*' });
    const lines = [payloadsOf(first, act), payloadsOf(second, act)];
    await clock.settle();
    armed = true;
    await broker.publish(event(1));
    // The tail's call comes in a microtask; then the log tells of a gap before the next turn.
    for (let i = 0; i < 20; i++) await Promise.resolve();
    handler().gap({ after: 1, first: 5 });
    await clock.settle();
    // Who is told to resume from `error.index + 1` never sees what it was not written below that.
    expect([first, second].map(({ error }) => (error?.index ?? 0) >= 1)).toEqual([true, true]);
    expect(lines.map((one) => one.includes(1))).toEqual([true, true]);
  });
});

describe('a response whose writeHead throws', () => {
  it('ends, and so does its subscription', async () => {
    const broker = new EventBroker();
    const handle = eventStreamHandler({ broker });
    const server = createServer((request, response) => {
      response.writeHead = () => {
        throw new Error('on-headers');
      };
      void handle(request, response);
    });
    const ended = once(broker as never, 'unsubscribe');
    const socket = await connectTo(server);
    socket.write('GET /?namespace=* HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.all([ended, once(socket.resume(), 'close')]);
    server.close();
    expect(broker.stats().subscriptions).toBe(0);
  });
});

describe('AclSource.changed that throws once', () => {
  it('with a log: ends what depends on the change, and the log is followed on', async () => {
    const clock = new VirtualClock();
    const log = new MemoryEventLog({ clock });
    let acl = dependent();
    let fails = false;
    const changed = () => {
      if (fails) throw new Error('cache');
    };
    const broker = new EventBroker({ clock, log, acl: { resolve: async () => acl, changed } });
    const lines = payloadsOf(await broker.subscribe({ namespace: '*', token: 't' }));
    await clock.settle();
    acl = dependent(false);
    fails = true;
    const results = [
      broker.aclChanged({ policy: 'p' }).then(() => 'acknowledged'),
      broker.publish(event('secret')).then(() => 'acknowledged'),
    ];
    expect(await Promise.all(results)).toEqual(['acknowledged', 'acknowledged']);
    fails = false;
    await clock.advance(60_000);
    expect(lines).toEqual(['acl_unavailable']);
  });
});

describe("a log that calls its tail within a transport's write", () => {
  it('with news of ACLs: the others get what came before', async () => {
    const clock = new VirtualClock();
    const { log, handler } = tellingLog(new MemoryEventLog({ clock }));
    const acl = dependent();
    const broker = new EventBroker({ clock, log, acl: { resolve: async () => acl } });
    let armed = false;
    // A log in the process that tells at once, and a transport that writes to it.
    const act = () => {
      if (armed) {
        armed = false;
        const body = Buffer.from('{"v":1,"events":[],"acl":["policy:p"]}\n');
        void handler().records([{ index: 2, kind: 'acl', time: 0, body }]);
      }
      return true;
    };
    const lines = [];
    for (let i = 0; i < 3; i++) lines.push(payloadsOf(await broker.subscribe({ namespace: '*', token: 't' }), act));
    await clock.settle();
    armed = true;
    await broker.publish(event(1));
    await clock.settle();
    expect(lines).toEqual([[1], [1], [1]]);
  });
});

describe('a dense log whose read ends before its last record', () => {
  it('is not taken for a reader that has passed them', async () => {
    const clock = new VirtualClock();
    const inner = new MemoryEventLog({ clock });
    let isShort = true;
    const log = logAround(inner, {
      async *read(from, to) {
        const end = isShort ? Math.min(to, from + 1) : to;
        isShort = false;
        yield* inner.read(from, end);
      },
    });
    const writer = new EventBroker({ clock, log: inner.share() });
    for (let i = 1; i <= 5; i++) await writer.publish(event(i));
    const broker = new EventBroker({ clock, log });
    const lines = payloadsOf(await broker.subscribe({ namespace: '*' }));
    await clock.advance(60_000);
    expect(lines).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('AclSource.changed that throws, without a log', () => {
  it('the fence holds all the same', async () => {
    const clock = new VirtualClock();
    let acl = dependent();
    const changed = () => {
      throw new Error('cache');
    };
    const broker = new EventBroker({ clock, acl: { resolve: async () => acl, changed } });
    const lines = payloadsOf(await broker.subscribe({ namespace: '*', token: 't' }));
    await clock.settle();
    acl = dependent(false);
    await broker.aclChanged({ policy: 'p' }).catch(() => undefined);
    await broker.publish(event('secret'));
    await clock.settle();
    expect(lines).not.toContain('secret');
  });
});

describe('a payload that closes the broker while it is read', () => {
  it('is not acknowledged', async () => {
    const broker = new EventBroker();
    const payload = {
      get a() {
        void broker.close();
        return 1;
      },
    };
    await expect(broker.publish(event(payload))).rejects.toThrow('closed');
  });
});

describe('a log that does not say what it can do', () => {
  it.each([
    [{ compareAndAppend: undefined }, { expectedIndex: 0 }],
    [{ dedupeWindowMs: -1 }, { id: 'one' }],
  ])('is taken not to: %j', async (unsaid, options) => {
    const inner = new MemoryEventLog();
    const log = logAround(inner, { capabilities: { ...inner.capabilities, ...unsaid } as never });
    const publishing = new EventBroker({ log }).publish(event(1), options);
    await expect(publishing).rejects.toMatchObject({ code: 'not_supported' });
  });
});
