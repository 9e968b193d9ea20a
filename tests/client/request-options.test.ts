import { parse } from 'lossless-json';
import { describe, expect, it } from 'vitest';
import { type StreamOptions, streamEvents } from '../../src/client/index.ts';
import { batchLine, errorLine, FakeServer } from './fake-server.ts';
import { failure, indexes, open } from './stream-setting.ts';

describe('credentials', () => {
  it.each<StreamOptions['credentials']>(['omit', 'same-origin', 'include', undefined])(
    'go to fetch as they are: %s',
    async (credentials) => {
      const setting = open(new FakeServer().stream([batchLine(1)]), { credentials });
      await indexes(setting, 1);
      expect(setting.server.requests[0]?.credentials).toBe(credentials);
    },
  );

  it('that were not given are not named to fetch: some runtimes refuse the name', async () => {
    const server = new FakeServer().stream([batchLine(1)]);
    let init: object = {};
    const fetch: typeof globalThis.fetch = (input, options) => {
      init = options ?? {};
      return server.fetch(input, options);
    };
    await indexes(open(server, { fetch }), 1);
    expect(Object.keys(init)).not.toContain('credentials');
  });
});

describe('a relative URL', () => {
  it('is refused where there is no page, in words that show no URL', () => {
    const call = () => streamEvents('/v1/event/stream?secret=s3cret');
    expect(call).toThrow(TypeError);
    expect(call).toThrow('a relative one needs a page');
    expect(call).not.toThrow(/s3cret/);
  });
});

describe('retryStatuses', () => {
  const refused = (status: number, body: unknown, options: StreamOptions) =>
    open(
      new FakeServer()
        .refusal(status, body)
        .refusal(status, body)
        .refusal(status, body)
        .stream([batchLine(1)]),
      options,
    );

  it.each<[number, unknown]>([
    [404, 'Not Found'],
    [403, 'Forbidden'],
    [400, errorLine('bad_request', 'never')],
    [410, errorLine('gap', 'resubscribe')],
  ])('ask again after %i, whatever is said beside it', async (status, body) => {
    expect(await indexes(refused(status, body, { retryStatuses: [status] }), 1)).toEqual([1]);
  });

  it('change nothing for others', async () => {
    const setting = refused(404, 'Not Found', { retryStatuses: [400] });
    expect(await failure(setting)).toMatchObject({ code: 'http_status', status: 404 });
    expect(await indexes(refused(503, 'busy', { retryStatuses: [] }), 1)).toEqual([1]);
  });
});

describe('parse', () => {
  const line = (amount: string): string => JSON.stringify(batchLine(7)).replace('"n":7', `"n":${amount}`);
  const big = '9007199254740993';

  it('gets the text of each line, so that integers keep what JSON.parse rounds', async () => {
    const bigint = (text: string): number | bigint => {
      const number = Number(text);
      return Number.isInteger(number) && !Number.isSafeInteger(number) && /^-?\d+$/.test(text) ? BigInt(text) : number;
    };
    const server = () => new FakeServer().stream([`${line(big)}\n`]);
    const read = async (options: StreamOptions) => (await open(server(), options).stream.next()).value?.events[0];
    expect((await read({}))?.payload).toEqual({ n: 9007199254740992 });
    const event = await read({ parse: (text) => parse(text, undefined, bigint) });
    expect(event).toMatchObject({ index: 7, payload: { n: 9007199254740993n } });
  });

  it('that throws makes the line a malformed one', async () => {
    const parse = (): never => {
      throw new Error('mine');
    };
    const setting = open(new FakeServer().stream([batchLine(1)]), { parse });
    expect(await failure(setting)).toMatchObject({ code: 'malformed' });
  });

  it('that makes another kind of number of an index does not move the position', async () => {
    const setting = open(new FakeServer().stream([batchLine(1)]), { parse: (text) => parse(text, undefined, BigInt) });
    expect(await failure(setting)).toMatchObject({ code: 'malformed' });
    expect(setting.stream.position).toEqual({ index: 0 });
  });
});
