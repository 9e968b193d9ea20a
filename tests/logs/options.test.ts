import { describe, expect, it } from 'vitest';

import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';
import { PostgresEventLog } from '../../src/logs/postgres/index.ts';
import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { RedisEventLog } from '../../src/logs/redis/index.ts';
import { FaultyAclStore, FaultyEventLog, MemoryEventLog } from '../../src/testing/index.ts';
import { MemoryAclStore } from '../../src/index.ts';

// As plain JavaScript would pass them.
const any = (options: object) => options as never;
const path = '/nowhere';
const connection = any({ subscribe: () => undefined });
const redis = { duplicate: () => undefined, callBuffer: () => undefined };
const body = new Uint8Array(1);

describe('a misspelt option of a log', () => {
  it.each<[string, () => unknown, string]>([
    ['retentions', () => new MemoryEventLog(any({ retentions: {} })), 'MemoryEventLog'],
    ['maxrecords', () => new MemoryEventLog({ retention: any({ maxrecords: 1 }) }), 'retention'],
    ['maxbytes', () => new MemoryEventLog().trim(any({ maxbytes: 1 })), 'retention'],
    ['kinds', () => new MemoryEventLog().append(body, any({ kinds: 'acl' })), 'append'],
    ['expectHead', () => new MemoryEventLog().append(body, any({ expectHead: 0 })), 'append'],
    ['unpin', () => new MemoryEventLog().append(body, any({ unpin: [] })), 'append'],
    ['maxbytes', () => new MemoryEventLog().read(1, 1, any({ maxbytes: 1 })), 'read'],
    ['maxbytes', () => new MemoryEventLog().pinned(any({ maxbytes: 1 })), 'pinned'],
    ['clocks', () => new FaultyEventLog(new MemoryEventLog(), any({ clocks: {} })), 'FaultyEventLog'],
    ['clocks', () => new FaultyAclStore(new MemoryAclStore(), any({ clocks: {} })), 'FaultyAclStore'],
    ['readonly', () => LmdbEventLog.open(any({ path, readonly: true })), 'LmdbEventLog.open'],
    ['maxAge', () => LmdbEventLog.open({ path, retention: any({ maxAge: 1 }) }), 'retention'],
    ['schemas', () => PostgresEventLog.open(any({ name: 'x', schemas: 'x' })), 'PostgresEventLog.open'],
    ['streams', () => JetStreamEventLog.open(any({ connection, streams: 'x' })), 'JetStreamEventLog.open'],
    ['replica', () => JetStreamEventLog.open({ connection, stream: 'x', create: any({ replica: 3 }) }), 'create'],
    [
      'maxAge',
      () => JetStreamEventLog.open({ connection, stream: 'x', create: { retention: any({ maxAge: 1 }) } }),
      'retention',
    ],
    ['streams', () => RedisEventLog.open(any({ client: connection, streams: 'x' })), 'RedisEventLog.open'],
    ['maxAge', () => RedisEventLog.open(any({ client: redis, stream: 'x', retention: { maxAge: 1 } })), 'retention'],
  ])('%s is refused, with the one that is meant', async (name, use, where) => {
    const message = expect.stringMatching(new RegExp(`^${where} has no option "${name}"\\. Did you mean "\\w+"\\?`));
    const refused: unknown = await Promise.resolve()
      .then(use)
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TypeError);
    expect(refused).toMatchObject({ message });
  });
});

describe('a size that cannot be meant', () => {
  it.each([0, -1, Number.NaN])('is %d', async (size) => {
    expect(() => new MemoryEventLog({ maxRecordBytes: size })).toThrow(/^maxRecordBytes must be a number > 0/);
    await expect(LmdbEventLog.open({ path, mapSizeBytes: size })).rejects.toThrow(/^mapSizeBytes must be a number > 0/);
  });
});
