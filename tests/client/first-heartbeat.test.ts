import { describe, expect, it } from 'vitest';
import { batchLine, errorLine, FakeServer, gapLine } from './fake-server.ts';
import { asked, failure, indexes, open } from './stream-setting.ts';

const max = Number.MAX_SAFE_INTEGER;

describe('the first heartbeat', () => {
  const first = { Index: 4, Epoch: 'e1', HeartbeatMs: 10_000 };

  it('names the epoch where no header does, so that the stream resumes after its last batch', async () => {
    const server = new FakeServer().ending([first, batchLine(5)]).stream([first, batchLine(6)]);
    const setting = open(server);
    expect(await indexes(setting, 2)).toEqual([5, 6]);
    expect([asked(server, 'index'), asked(server, 'epoch')]).toEqual([
      ['0', '6'],
      [null, 'e1'],
    ]);
    expect(setting.stream.position).toEqual({ index: 7, epoch: 'e1' });
  });

  it('of another epoch than the reader knows moves nothing before the gap is told', async () => {
    const server = new FakeServer().ending([{ ...first, Index: 500 }]).stream([batchLine(1)]);
    const setting = open(server, { index: 100, epoch: 'old' });
    void setting.stream.next();
    await setting.clock.advance(1_000);
    expect([asked(server, 'index'), asked(server, 'epoch')]).toEqual([
      ['100', '100'],
      ['old', 'old'],
    ]);
    setting.stream.close();
  });

  it.each<[string, object, number | undefined, number]>([
    ['two and a half of what the server says', first, undefined, 25_000],
    ['two and a half of what the caller says', first, 2_000, 5_000],
    ['75 s where nobody says anything', { Index: 4 }, undefined, 75_000],
    ['75 s where what the server says cannot be meant', { Index: 4, HeartbeatMs: -1 }, undefined, 75_000],
  ])('says how long a silent peer lives: %s', async (_, line, heartbeatMs, deadAfterMs) => {
    const setting = open(new FakeServer().stream([line], 'e1'), { heartbeatMs });
    void setting.stream.next();
    await setting.clock.advance(deadAfterMs - 1);
    expect(setting.stream.state.name).toBe('live');
    await setting.clock.advance(1);
    expect(setting.stream.state).toMatchObject({ name: 'waiting', reason: { code: 'timeout' } });
    setting.stream.close();
  });

  it('that is the only one lets the peer be silent for ever', async () => {
    const setting = open(new FakeServer().stream([{ ...first, HeartbeatMs: 0 }], 'e1'));
    const next = setting.stream.next();
    await setting.clock.advance(1e9);
    setting.server.connections[0]?.send(batchLine(5));
    expect((await next).value?.index).toBe(5);
    expect(setting.server.requests.length).toBe(1);
  });
});

describe('an index that none can follow', () => {
  it.each<[string, readonly unknown[]]>([
    ['a bookmark', [{ Index: max }]],
    ['a gap', [gapLine(5, max, 'trimmed')]],
    ['a batch', [batchLine(max)]],
  ])('in %s makes no position that every server refuses', async (_, parts) => {
    const server = new FakeServer().ending(parts, 'e1').stream([{}], 'e1');
    const setting = open(server, { index: 5, epoch: 'e1', onGap: () => undefined });
    void setting.stream.next();
    void setting.stream.next();
    await setting.clock.advance(1_000);
    expect(asked(server, 'index')).toEqual(['5', String(max)]);
    setting.stream.close();
  });
});

describe('a refusal for a gap', () => {
  const refused = (gap: unknown) => ({
    Error: { ...(errorLine('gap', 'resubscribe') as { Error: object }).Error, Gap: gap },
  });

  it('says what is missing', async () => {
    const server = new FakeServer().refusal(410, refused({ From: 5, To: 20, Reason: 'trimmed' }));
    const error = await failure(open(server, { index: 5, onGap: 'fail' }));
    expect(error).toMatchObject({ code: 'gap', status: 410, gap: { from: 5, to: 20, reason: 'trimmed' } });
  });

  it.each([undefined, null, 7, {}, { From: 'a', To: 2, Reason: 'trimmed' }])(
    'is one also with %j for it',
    async (gap) => {
      const error = await failure(open(new FakeServer().refusal(410, refused(gap)), { onGap: 'fail' }));
      expect([error.code, error.gap]).toEqual(['gap', undefined]);
    },
  );
});

describe('a 200 whose body cannot be read', () => {
  const used = (): Response => {
    const response = new Response('{}\n');
    void response.text();
    return response;
  };
  const locked = (): Response => {
    const response = new Response('{}\n');
    response.body?.getReader();
    return response;
  };

  it.each<[string, () => Response]>([
    ['is none', () => new Response(null)],
    ['was read already', used],
    ['is read elsewhere', locked],
  ])('ends the stream, since asking again heals nothing: it %s', async (_, answer) => {
    const setting = open(new FakeServer().answer(answer));
    expect(await failure(setting)).toBeInstanceOf(TypeError);
    expect([setting.server.requests.length, setting.stream.state.name]).toEqual([1, 'closed']);
  });
});

describe('await using', () => {
  it('closes the stream', async () => {
    const setting = open(new FakeServer().stream([batchLine(1)], 'e1'));
    await setting.stream.next();
    await setting.stream[Symbol.asyncDispose]();
    expect([setting.stream.state.name, setting.server.connections[0]?.isFreed]).toEqual(['closed', true]);
  });
});
