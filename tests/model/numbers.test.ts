import { describe, expect, it } from 'vitest';
import { EventBroker, AclResolver, MemoryAclStore } from 'fenceline';
import { eventStreamHandler, operatorHandler } from 'fenceline/http';
import { LmdbEventLog } from 'fenceline/lmdb';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { checkNumber, notNegative, positive, whole } from '../../src/model/numbers.ts';

const store = new MemoryAclStore();
const any = (value: unknown): never => value as never;

describe('an option that is a number', () => {
  it.each([
    [notNegative, [0, -0, 0.5, Infinity], [-1, Number.NaN], 'a number ≥ 0'],
    [positive, [Number.MIN_VALUE, 1, Infinity], [0, -1, Number.NaN], 'a number > 0'],
    [whole(1), [1, 2 ** 53 - 1], [0, 1.5, 2 ** 53, Infinity, Number.NaN], 'a whole number ≥ 1'],
  ])('is held to its rule: %o', (rule, good, bad, allowed) => {
    for (const value of good) expect(checkNumber('n', value, rule)).toBe(value);
    for (const value of [...bad, '1', ' 1', [1], null, undefined, true, 1n, new Date(1), { valueOf: () => 1 }])
      expect(() => checkNumber('n', value, rule), String(value)).toThrow(
        new RegExp(`^n must be ${allowed}; got .+\\.$`),
      );
  });

  // JavaScript compares texts, dates and arrays with numbers, so "60" passes for 60 until something is added to it.
  it.each<[name: string, make: () => unknown]>([
    ['stalledMs', () => new EventBroker({ stalledMs: any('60') })],
    ['maxStreamMs', () => new EventBroker({ maxStreamMs: any(['60']) })],
    ['reauthorizeTimeoutMs', () => new EventBroker({ reauthorizeTimeoutMs: any('60') })],
    ['maxSubscriptions', () => new EventBroker({ maxSubscriptions: any('60') })],
    ['limits.historyReads', () => new EventBroker({ limits: { historyReads: any('60') } })],
    ['buffer.maxBytes', () => new EventBroker({ buffer: { maxBytes: any('60') } })],
    ['flush.maxShare', () => new EventBroker({ flush: { maxShare: any('1') } })],
    ['drainMs', () => new EventBroker().close({ drainMs: any('60') })],
    ['heartbeatMs', () => eventStreamHandler({ broker: new EventBroker(), heartbeatMs: any('60') })],
    ['maxCached', () => new AclResolver({ store, maxCached: any('60') })],
    ['maxStreams', () => operatorHandler({ broker: new EventBroker(), maxStreams: any('60') })],
    ['retention.maxAgeMs', () => new MemoryEventLog({ retention: { maxAgeMs: any('60') } })],
    ['dedupeWindowMs', () => new MemoryEventLog({ dedupeWindowMs: any('60') })],
    ['maxRecordBytes', () => new MemoryEventLog({ maxRecordBytes: any('60') })],
    ['pollMs', () => LmdbEventLog.open({ path: '/no', pollMs: any('60') })],
    ['mapSizeBytes', () => LmdbEventLog.open({ path: '/no', mapSizeBytes: any('60') })],
    ['maxBytes', () => new MemoryEventLog().read(1, 1, { maxBytes: any('60') })],
  ])('is no text: %s', async (name, make) => {
    const made = Promise.resolve().then(make);
    await expect(made).rejects.toThrow(TypeError);
    await expect(made).rejects.toThrow(new RegExp(`^${name} must be .*; got (?:"|an array)`));
  });
});
