import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { BrokerError } from '../../src/model/errors.ts';
import { ConnectionWatch } from '../../src/logs/jetstream/connection-watch.ts';
import { deliveryOf } from '../../src/logs/jetstream/delivery-info.ts';
import type { NatsConnectionLike, NatsMessageLike } from '../../src/logs/jetstream/nats-connection.ts';
import { settingsOf } from '../../src/logs/jetstream/options.ts';
import { RecordPull } from '../../src/logs/jetstream/record-pull.ts';
import { StreamRead } from '../../src/logs/jetstream/stream-read.ts';
import { StreamTail } from '../../src/logs/jetstream/stream-tail.ts';
import { TailRecorder } from '../../src/testing/index.ts';

/**
 * What happens when a record is to be sent: it arrives, is lost on the way, its consumer dies, or history is trimmed
 * just before.
 */
type Turn = 'send' | 'lose' | 'die' | { readonly trimTo: number };

const BODY = new Uint8Array(10);
const NO_MESSAGES = 404;

/**
 * A server in words: a stream of `head` records, and consumers whose every delivery goes by a script. What comes after
 * it is sent.
 */
class ScriptedStream {
  first = 1;
  readonly head: number;
  readonly connectionWatch: ConnectionWatch;
  readonly #script: Turn[];
  readonly #connection: NatsConnectionLike;
  readonly #consumers = new Map<string, { next: number; delivered: number; isDead: boolean }>();
  #receive: (message: NatsMessageLike) => void = () => undefined;

  constructor(head: number, script: readonly Turn[]) {
    this.head = head;
    this.#script = [...script];
    this.#connection = {
      isClosed: () => false,
      status: () => ({ async *[Symbol.asyncIterator]() {} }),
      publish: (consumer, request, options) => {
        const { batch } = JSON.parse(request ?? '{}') as { batch: number };
        queueMicrotask(() => this.#serve(consumer, batch, options?.reply ?? ''));
      },
      subscribe: (_, options) => {
        this.#receive = (message) => options?.callback?.(null, message);
        return { unsubscribe: () => undefined };
      },
    };
    this.connectionWatch = new ConnectionWatch(this.#connection);
  }

  get settings() {
    return settingsOf({ connection: this.#connection, stream: 'events', requestTimeoutMs: 60_000 });
  }

  state = async () => ({ epoch: 'one', first: this.first, head: this.head });
  timeOf = async (index: number) => (index < this.first ? undefined : index);
  holdsAny = async (from: number, to: number) => to >= this.first && from <= this.head;

  pull = async (from: number): Promise<RecordPull> => {
    const nextSubject = `consumer-${this.#consumers.size}`;
    this.#consumers.set(nextSubject, { next: from, delivered: 0, isDead: false });
    return new RecordPull(this.settings, this.connectionWatch, from, { nextSubject, remove: async () => true });
  };

  #serve(name: string, batch: number, inbox: string): void {
    const consumer = this.#consumers.get(name);
    if (!consumer || consumer.isDead) return this.#receive({ subject: inbox, data: BODY, headers: { code: 503 } });
    for (let sent = 0; sent < batch; sent++) {
      const turn = this.#script.shift() ?? 'send';
      if (typeof turn === 'object') this.first = Math.max(this.first, Math.min(turn.trimTo, this.head + 1));
      consumer.next = Math.max(consumer.next, this.first);
      if (turn === 'die') consumer.isDead = true;
      if (consumer.isDead || consumer.next > this.head) break;
      const index = consumer.next++;
      consumer.delivered += 1;
      const reply = `$JS.ACK.events.${name}.1.${index}.${consumer.delivered}.${index}000000.${this.head - index}`;
      if (turn !== 'lose') this.#receive({ subject: 'events', reply, data: BODY });
    }
    this.#receive({ subject: inbox, data: BODY, headers: { code: NO_MESSAGES } });
  }
}

/** Timers of `work` are over as soon as nothing else happens. */
async function withoutWaiting(work: () => Promise<void>): Promise<void> {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const progress = { isOver: false };
    const ended = work().finally(() => (progress.isOver = true));
    ended.catch(() => undefined);
    while (!progress.isOver) await vi.advanceTimersToNextTimerAsync();
    await ended;
  } finally {
    vi.useRealTimers();
  }
}

const scripts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Turn>('send') },
    fc.constant<Turn>('lose'),
    fc.constant<Turn>('die'),
    fc.record({ trimTo: fc.integer({ min: 1, max: 33 }) }),
  ),
  { maxLength: 40 },
);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('a read of a stream that loses deliveries and is trimmed', () => {
  it('gives records without a hole from the first one, up to the last one or to a gap that is there', () =>
    withoutWaiting(() =>
      fc.assert(
        fc.asyncProperty(scripts, fc.integer({ min: 1, max: 40 }), async (script, maxBytes) => {
          const stream = new ScriptedStream(30, script);
          const seen: number[] = [];
          const read = new StreamRead(stream, true, 1, 30, { maxBytes }, new AbortController().signal);
          const ended: unknown = await (async () => {
            for await (const chunk of read.chunks()) seen.push(...chunk.map(({ index }) => index));
          })().catch((error: unknown) => error);
          expect(seen).toEqual(range(1, seen.length));
          const isGap = BrokerError.is(ended) && ended.code === 'gap' && stream.first > seen.length + 1;
          expect(isGap || (ended === undefined && seen.length === 30), String(ended)).toBe(true);
        }),
      ),
    ));

  it('hands over what came before a hole, and then tells the gap', async () => {
    const stream = new ScriptedStream(30, ['send', 'send', { trimTo: 20 }]);
    const chunks = new StreamRead(stream, true, 1, 30, {}, new AbortController().signal).chunks();
    expect((await chunks.next()).value).toMatchObject([{ index: 1 }, { index: 2 }]);
    await expect(chunks.next()).rejects.toMatchObject({ code: 'gap' });
  });
});

describe('a read whose consumers are lost again and again', () => {
  it('makes them ever more slowly, and gives up after the time of a request', () =>
    withoutWaiting(async () => {
      const { settings, connectionWatch, state, holdsAny } = new ScriptedStream(30, []);
      const made: number[] = [];
      const pull = async (from: number) => {
        made.push(performance.now());
        return new RecordPull(settings, connectionWatch, from, { nextSubject: 'nobody', remove: async () => true });
      };
      const stream = { settings: { ...settings, requestTimeoutMs: 2_000 }, state, holdsAny, pull };
      const read = new StreamRead(stream, true, 1, 30, {}, new AbortController().signal).chunks().next();
      await expect(read).rejects.toMatchObject({ code: 'log_unavailable', cause: { name: 'PullLost' } });
      expect(made).toEqual([0, 0, 100, 300, 700, 1500, 2500]);
    }));
});

describe('a tail of a stream that loses deliveries and is trimmed', () => {
  it('tells each record once and in order, and no gap but what was trimmed', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const stream = new ScriptedStream(30, script);
        const recorder = new TailRecorder();
        const tail = new StreamTail(stream, 0, 'one', recorder, () => undefined);
        await recorder.until(() => recorder.statuses.at(-1) === 'up').finally(() => tail.stop());
        let position = 0;
        for (const call of recorder.calls) {
          if (call.type === 'records') for (const { index } of call.batch) expect(index).toBe((position += 1));
          if (call.type !== 'gap') continue;
          expect(call.after).toBe(position);
          expect(call.first).toBeLessThanOrEqual(stream.first);
          position = call.first - 1;
        }
        expect(position).toBe(30);
      }),
      { numRuns: 50 },
    );
  });
});

describe('what a server says of a delivery', () => {
  it.each([
    ['plain', '$JS.ACK.events.c1.1.7.3.1795398048806733268.6'],
    ['with a domain', '$JS.ACK.hub.hash.events.c1.1.7.3.1795398048806733268.6'],
    ['with a domain and a last token', '$JS.ACK.hub.hash.events.c1.1.7.3.1795398048806733268.6.x'],
  ])('is read from a reply subject %s', (_, reply) => {
    expect(deliveryOf(reply)).toEqual({ index: 7, delivery: 3, time: 1_795_398_048_806, pending: 6 });
  });

  it('keeps its millisecond, also at the end of one', () => {
    const { time } = deliveryOf('$JS.ACK.events.c1.1.7.3.1795399521142999950.6');
    expect(time).toBe(1_795_399_521_142);
  });
});
