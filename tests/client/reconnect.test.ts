import { describe, expect, it } from 'vitest';
import type { StreamOptions } from '../../src/client/index.ts';
import { batchLine, FakeServer } from './fake-server.ts';
import { asked, indexes, open } from './stream-setting.ts';
import { settled } from './virtual-clock.ts';

const hour = 3_600_000;

describe('reconnect()', () => {
  it('gives up a live connection and asks at once from the position, without a state of waiting', async () => {
    const server = new FakeServer().stream([batchLine(5)], 'e1').stream([batchLine(6)], 'e1');
    const setting = open(server);
    expect(await indexes(setting, 1)).toEqual([5]);
    const next = setting.stream.next();
    await settled();
    setting.stream.reconnect();
    expect((await next).value?.index).toBe(6);
    expect([asked(server, 'index'), asked(server, 'epoch')]).toEqual([
      ['0', '6'],
      [null, 'e1'],
    ]);
    expect(server.connections[0]?.isFreed).toBe(true);
    expect(setting.states.map(({ name }) => name)).toEqual(['live', 'connecting', 'live']);
    setting.stream.close();
    expect(setting.clock.pending).toBe(0);
  });

  it('drops what came and was not handed over: the server sends it again', async () => {
    const server = new FakeServer()
      .stream([batchLine(5), batchLine(6)], 'e1')
      .stream([batchLine(6), batchLine(7)], 'e1');
    const setting = open(server);
    await indexes(setting, 1);
    setting.stream.reconnect();
    expect(server.connections[0]?.isFreed).toBe(true);
    expect(server.requests.length).toBe(1);
    expect(await indexes(setting, 2)).toEqual([6, 7]);
    expect(asked(server, 'index')).toEqual(['0', '6']);
  });

  it('ends the wait before the next connection, also one that the server asked for', async () => {
    const server = new FakeServer().refusal(503, 'busy', { 'Retry-After': '60' }).stream([batchLine(1)]);
    const setting = open(server);
    const next = setting.stream.next();
    await settled();
    expect(setting.stream.state).toMatchObject({ name: 'waiting', delayMs: 60_250 });
    setting.stream.reconnect();
    expect((await next).value?.index).toBe(1);
  });

  it('is no second denial, and the next one is final as after any wait', async () => {
    const server = new FakeServer().refusal(403);
    const setting = open(server, { token: 't' });
    const next = setting.stream.next();
    await settled();
    setting.stream.reconnect();
    await expect(next).rejects.toMatchObject({ code: 'permission_denied' });
    expect(server.requests.length).toBe(2);
  });

  it('while the token is awaited asks for it again, and does not mind the late one', async () => {
    const answers: ((token: string) => void)[] = [];
    const token = () => new Promise<string>((resolve) => answers.push(resolve));
    const server = new FakeServer().stream([batchLine(1)]);
    const setting = open(server, { token });
    const next = setting.stream.next();
    await settled();
    setting.stream.reconnect();
    await settled();
    answers[0]?.('old');
    answers[1]?.('new');
    expect((await next).value?.index).toBe(1);
    expect(server.requests.map(({ headers }) => headers.get('x-nomad-token'))).toEqual(['new']);
  });

  it('while a snapshot is awaited asks for it again, and the late one does not count', async () => {
    const answers: (() => void)[] = [];
    const snapshot = () =>
      new Promise<{ value: number; index: number }>((resolve) => {
        const value = answers.length;
        answers.push(() => resolve({ value, index: 5 }));
      });
    const setting = open(new FakeServer().stream([batchLine(5)], 'e1'), { snapshot });
    const next = setting.stream.next();
    await settled();
    setting.stream.reconnect();
    await settled();
    answers[0]?.();
    await settled();
    expect(setting.server.requests.length).toBe(0);
    answers[1]?.();
    expect((await next).value).toMatchObject({ index: 4, snapshot: 1 });
    expect(await indexes(setting, 1)).toEqual([5]);
  });

  it.each(['before the first batch is asked for', 'after the end'])('%s asks the server nothing', async (moment) => {
    const { server, stream } = open(new FakeServer().stream([batchLine(1)]));
    if (moment === 'after the end') stream.close();
    const { state } = stream;
    stream.reconnect();
    await settled();
    expect([server.requests.length, stream.state]).toEqual([0, state]);
  });

  it('from within onState is obeyed', async () => {
    const server = new FakeServer().refusal(503).stream([batchLine(1)]);
    const self: { stream?: { reconnect(): void } } = {};
    const onState: StreamOptions['onState'] = ({ name }) => void (name === 'waiting' && self.stream?.reconnect());
    const setting = open(server, { onState });
    self.stream = setting.stream;
    expect((await setting.stream.next()).value?.index).toBe(1);
    expect(setting.clock.now()).toBe(0);
  });
});

describe('a machine that slept', () => {
  it('asks at once where it was waiting to', async () => {
    const server = new FakeServer();
    for (let i = 0; i < 8; i++) server.ending([]);
    const setting = open(server.stream([batchLine(1)]), { minDelayMs: 20_000 });
    const next = setting.stream.next();
    await setting.clock.advance(60_000);
    const before = server.requests.length;
    setting.clock.sleep(hour);
    await setting.clock.advance(10_000);
    expect(server.requests.length).toBe(before + 1);
    setting.stream.close();
    await next;
  });

  it('leaves a server alone that asked for it', async () => {
    const server = new FakeServer().refusal(503, 'busy', { 'Retry-After': '600' }).stream([batchLine(1)]);
    const setting = open(server);
    void setting.stream.next();
    await setting.clock.advance(1_000);
    setting.clock.sleep(60_000);
    await setting.clock.advance(20_000);
    expect(server.requests.length).toBe(1);
    setting.stream.close();
  });

  it('takes a connection for dead that has brought nothing for longer than half of what it may', async () => {
    const server = new FakeServer().stream([batchLine(5)], 'e1').stream([batchLine(6)], 'e1');
    const setting = open(server);
    await indexes(setting, 1);
    const next = setting.stream.next();
    await setting.clock.advance(5_000);
    setting.clock.sleep(hour);
    await setting.clock.advance(5_000);
    expect((await next).value?.index).toBe(6);
    expect(setting.states.map(({ name }) => name)).toEqual(['live', 'connecting', 'live']);
  });

  it('keeps one that is not due yet, and one that was never waited for', async () => {
    const server = new FakeServer().stream([batchLine(5)], 'e1');
    const setting = open(server);
    await indexes(setting, 1);
    setting.clock.sleep(hour);
    void setting.stream.next();
    await setting.clock.advance(5_000);
    setting.clock.sleep(20_000);
    await setting.clock.advance(10_000);
    expect([server.requests.length, setting.stream.state.name]).toEqual([1, 'live']);
    setting.stream.close();
  });
});
