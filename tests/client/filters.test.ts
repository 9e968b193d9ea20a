import { describe, expect, it } from 'vitest';
import type { StreamOptions } from '../../src/client/index.ts';
import { batchLine, FakeServer } from './fake-server.ts';
import { failure, indexes, open } from './stream-setting.ts';

async function query(options: StreamOptions, name: string): Promise<string[] | undefined> {
  const setting = open(new FakeServer().stream([batchLine(5)], 'e1'), options);
  await indexes(setting, 1);
  return setting.server.requests[0]?.query.getAll(name);
}

describe('a filter means the same to Nomad and to fenceline, since', () => {
  it.each([
    [['Job', 'Job:web'], ['Job']],
    [
      ['Job:web', 'Job:*', 'Node'],
      ['Job:*', 'Node'],
    ],
    [['Job:web', '*', 'Node:*'], ['*']],
    [['*:*', '*:web'], ['*:*']],
    [
      ['*:web', 'Job:web', 'Job:api'],
      ['*:web', 'Job:api'],
    ],
    [
      ['*:web', 'Job:*'],
      ['*:web', 'Job:*'],
    ],
    [['Job', 'Job:*', 'Job'], ['Job']],
    [
      ['Job:a:b', 'Job:a'],
      ['Job:a:b', 'Job:a'],
    ],
    [[], []],
  ])('of the topics %j those that no wider one covers are sent: %j', async (topics, sent) => {
    expect(await query({ topics }, 'topic')).toEqual(sent);
  });

  it('keys beside a star in an object are covered as well', async () => {
    expect(await query({ topics: { Job: ['web', '*'], Node: ['n1'] } }, 'topic')).toEqual(['Job:*', 'Node:n1']);
  });

  it.each([
    [['a', '*'], ['*']],
    [['a', 'a'], ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  ])('of the namespaces %j those are sent that say more than the others: %j', async (namespace, sent) => {
    expect(await query({ namespace }, 'namespace')).toEqual(sent);
  });
});

describe('several namespaces', () => {
  const options = { namespace: ['a', 'b'] };

  it.each<[string, readonly unknown[]]>([
    ['a heartbeat', [{}, batchLine(5)]],
    ['a batch', [batchLine(5)]],
  ])(
    'end the stream at a server that takes only the first, with nothing handed over: %s comes first',
    async (_, parts) => {
      const setting = open(new FakeServer().stream(parts), options);
      const error = await failure(setting);
      expect(error).toMatchObject({
        code: 'not_supported',
        retry: 'never',
        message: expect.stringContaining('for each'),
      });
      expect(setting.server.requests.length).toBe(1);
    },
  );

  it.each<[string, readonly unknown[], string?]>([
    ['in a header', [{}, batchLine(5)], 'e1'],
    ['in its first heartbeat', [{ Index: 4, Epoch: 'e1' }, batchLine(5)]],
    ['not at all, but sends bookmarks, as fenceline did before', [{ Index: 4 }, batchLine(5)]],
  ])('are fine with one that names its epoch %s', async (_, parts, epoch) => {
    expect(await indexes(open(new FakeServer().stream(parts, epoch), options), 1)).toEqual([5]);
  });
});
