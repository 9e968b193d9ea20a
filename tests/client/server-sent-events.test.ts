import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventBatch, type StreamOptions, streamEvents } from '../../src/client/index.ts';
import { EventDecoder } from '../../src/client/event-decoder.ts';
import { BrokerServer } from './broker-server.ts';
import { batchLine, FakeServer } from './fake-server.ts';
import { HoldingProxy } from './holding-proxy.ts';
import { failure, indexes, open } from './stream-setting.ts';
import { settled, VirtualClock } from './virtual-clock.ts';

describe('server-sent events become lines of ndjson:', () => {
  const decode = (text: string): unknown[] => {
    const decoder = new EventDecoder(1000);
    const whole = text.split('\n').slice(0, -1);
    return whole.flatMap((line) => {
      const made = decoder.take(line);
      return made === undefined ? [] : [JSON.parse(made) as unknown];
    });
  };

  it.each<[string, string, unknown[]]>([
    ['a batch', 'id: e:7\ndata: {"Index":7,"Events":[]}\n\n', [{ Index: 7, Events: [] }]],
    ['a gap', 'event: gap\ndata: {"From":1}\n\n', [{ Gap: { From: 1 } }]],
    ['an error', 'event: error\ndata: {"Code":"x"}\n\n', [{ Error: { Code: 'x' } }]],
    ['a heartbeat', ':\n\n', [{}]],
    ['a bookmark', ': 812\nid: a:b:812\n\n', [{ Index: 812, Epoch: 'a:b' }]],
    ['the delay for browsers, which says nothing', 'retry: 2000\n\n', []],
    ['data of two lines', 'data: {"Index":7,\ndata:"Events":[]}\n\n', [{ Index: 7, Events: [] }]],
    ['carriage returns', ':\r\n\r\ndata: {}\r\n\r\n', [{}, {}]],
    [
      'the separators of lines that JSON may hold',
      'data: {"a":"\u2028\u2029"}\nid: e\u2028:7\n\n',
      [{ a: '\u2028\u2029' }],
    ],
    ['an id with one of them', 'id: e\u2028:7\n\n', [{ Index: 7, Epoch: 'e\u2028' }]],
    ['an event of an unknown name, also one that objects have', 'event: constructor\ndata: {}\n\n', [{}]],
    ['an event that was cut off, which is none', 'data: {}\n', []],
    ['an event after another, which inherits nothing', 'event: gap\ndata: {}\n\ndata: {}\n\n', [{ Gap: {} }, {}]],
  ])('%s', (_, text, lines) => {
    expect(decode(text)).toEqual(lines);
  });

  it('an event that does not end is refused as a line is', () => {
    expect(() => decode(`data: ${'x'.repeat(600)}\ndata: ${'x'.repeat(600)}\n`)).toThrow(/maxLineBytes/);
  });
});

describe('a 200 without a byte until the peer counts as dead', () => {
  const accepts = ({ requests }: FakeServer): (string | null)[] => requests.map(({ headers }) => headers.get('Accept'));
  const events = (): Response => {
    const text = `: 4\nid: e1:4\n\nid: e1:5\ndata: ${JSON.stringify(batchLine(5))}\n\n`;
    return new Response(text, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
  };

  it('is asked next for server-sent events, and so is it from then on', async () => {
    const server = new FakeServer().stream([]).answer(events).answer(events);
    const setting = open(server);
    const next = setting.stream.next();
    await setting.clock.advance(80_000);
    expect((await next).value).toMatchObject({ index: 5, events: [{ key: 'k5' }] });
    expect(setting.stream.position).toEqual({ index: 6, epoch: 'e1' });
    void setting.stream.next();
    await setting.clock.advance(1_000);
    expect(accepts(server).slice(0, 3)).toEqual([null, 'text/event-stream', 'text/event-stream']);
    setting.stream.close();
  });

  it('is asked in turns for the one and the other, while neither comes', async () => {
    const server = new FakeServer()
      .stream([])
      .stream([])
      .stream([])
      .stream([batchLine(1)]);
    const setting = open(server);
    const next = setting.stream.next();
    await setting.clock.advance(240_000);
    expect((await next).value?.index).toBe(1);
    expect(accepts(server)).toEqual([null, 'text/event-stream', null, 'text/event-stream']);
  });

  it('of a server that names its epoch in the head is not waited for so long', async () => {
    const setting = open(new FakeServer().stream([], 'e1').answer(events));
    const next = setting.stream.next();
    await setting.clock.advance(12_499);
    expect(setting.server.requests.length).toBe(1);
    await setting.clock.advance(1 + 250);
    expect((await next).value?.index).toBe(5);
    expect(accepts(setting.server)).toEqual([null, 'text/event-stream']);
    setting.stream.close();
  });

  it('is asked for lines again where the server has no events (406)', async () => {
    const server = new FakeServer()
      .stream([], 'e1')
      .refusal(406, 'Not Acceptable')
      .stream([batchLine(1)], 'e1');
    const setting = open(server);
    const next = setting.stream.next();
    await setting.clock.advance(20_000);
    expect((await next).value?.index).toBe(1);
    expect(accepts(server)).toEqual([null, 'text/event-stream', null]);
    expect(setting.states.filter(({ name }) => name === 'closed')).toEqual([]);
  });

  it('is read as lines where the server has no events and says nothing', async () => {
    const server = new FakeServer().stream([], 'e1').stream([batchLine(1)], 'e1');
    const setting = open(server);
    const next = setting.stream.next();
    await setting.clock.advance(20_000);
    expect((await next).value?.index).toBe(1);
    expect(accepts(server)).toEqual([null, 'text/event-stream']);
  });

  it('is no reason for a 406 that nobody asked for to be tried again', async () => {
    expect(await failure(open(new FakeServer().refusal(406)))).toMatchObject({ code: 'http_status', status: 406 });
  });

  it('is no reason to ask otherwise when a byte came', async () => {
    const server = new FakeServer().stream([{}]).stream([batchLine(1)]);
    const setting = open(server);
    const next = setting.stream.next();
    await setting.clock.advance(80_000);
    expect((await next).value?.index).toBe(1);
    expect(accepts(server)).toEqual([null, null]);
  });

  it.each(['e1', undefined])('is no reason to ask otherwise where the reader cut it off (epoch %s)', async (epoch) => {
    const server = new FakeServer()
      .stream([], epoch)
      .stream([batchLine(1)], epoch)
      .stream([batchLine(2)], epoch);
    const setting = open(server);
    const next = setting.stream.next();
    await setting.clock.advance(11_000);
    setting.stream.reconnect();
    expect((await next).value?.index).toBe(1);
    setting.stream.reconnect();
    expect((await setting.stream.next()).value?.index).toBe(2);
    expect(accepts(server)).toEqual([null, null, null]);
    setting.stream.close();
    expect(setting.clock.pending).toBe(0);
  });

  it('brings the events before one that cannot be read, in the same chunk', async () => {
    const [before, rest] = [`data: ${JSON.stringify(batchLine(5))}\n\n`, 'data: {}\n\n'];
    const bytes = Buffer.concat([Buffer.from(before), Buffer.of(0xff), Buffer.from(rest)]);
    const answer = () =>
      new Response(bytes, { headers: { 'Content-Type': 'text/event-stream', 'X-Fenceline-Epoch': 'e1' } });
    const setting = open(new FakeServer().answer(answer).stream([batchLine(6)], 'e1'));
    expect(await indexes(setting, 1)).toEqual([5]);
    expect(await indexes(setting, 1)).toEqual([6]);
    expect(setting.states.map((state) => state.name === 'waiting' && state.reason.code)).toContain('malformed');
  });

  it('the error that ends a stream of events ends it as that of ndjson', async () => {
    const text = ':\n\nevent: error\ndata: {"Code":"bad_request","Message":"no","Retry":"never"}\n\n';
    const answer = () => new Response(text, { headers: { 'Content-Type': 'text/event-stream' } });
    expect(await failure(open(new FakeServer().answer(answer)))).toMatchObject({ code: 'bad_request' });
  });

  it('an answer of events that nobody asked for is read as what it is', async () => {
    expect(await indexes(open(new FakeServer().answer(events)), 1)).toEqual([5]);
  });
});

describe.each(['', 'x-fenceline-epoch'])(
  'behind a proxy that lets only events through (hides the header %j)',
  (hidden) => {
    let server: BrokerServer;
    let proxy: HoldingProxy;

    beforeEach(async () => {
      server = await BrokerServer.open(64);
      proxy = await HoldingProxy.open(server.port);
      proxy.hiddenHeader = hidden;
    });

    afterEach(async () => {
      await proxy.close();
      await server.close();
    });

    it('a fenceline server is read, and resumed', async () => {
      const clock = new VirtualClock();
      const answers: Response[] = [];
      const counted: typeof fetch = async (input, init) => {
        const response = await fetch(input, init);
        answers.push(response);
        return response;
      };
      const options: StreamOptions = {
        fetch: counted,
        clock,
        topics: ['T'],
        random: () => 1,
        namespace: ['default', 'b'],
      };
      const stream = streamEvents(`http://127.0.0.1:${proxy.port}/`, options);
      const read = async (): Promise<EventBatch | undefined> => (await stream.next()).value;
      server.publish(1);
      const first = read();
      while (answers.length === 0) await settled();
      // A server that names its epoch in the head sends its first byte at once.
      await clock.advance(hidden === '' ? 12_500 : 75_000);
      await clock.advance(250);
      expect((await first)?.index).toBe(1);
      expect(stream.position).toEqual({ index: 2, epoch: server.epoch });
      server.publish(2);
      expect((await read())?.index).toBe(3);
      expect(proxy.accepted).toEqual(['*/*', 'text/event-stream']);
      stream.close();
    });
  },
);
