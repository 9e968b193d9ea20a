import { expect, it } from 'vitest';
import { MemoryEventLog } from 'fenceline/testing';

import type { LogStatus, TailHandler } from '../../src/core/log/event-log.ts';
import { FollowedTail } from '../../src/logs/followed-tail.ts';
import { unheardRejections } from '../core/unheard-rejections.ts';

const turns = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await new Promise(setImmediate);
};

/** Throws at each word of how the log is that is one of these. */
function throwingAt(...statuses: readonly LogStatus[]) {
  const told: LogStatus[] = [];
  const handler: TailHandler = {
    records: () => {
      throw new Error('records');
    },
    gap: () => undefined,
    reset: () => undefined,
    status: (status) => {
      told.push(status);
      if (statuses.includes(status)) throw new Error(status);
    },
  };
  return { told, handler };
}

/** Follows a server that is in trouble as soon as it is up. */
class TroubledTail extends FollowedTail {
  protected override async follow(): Promise<void> {
    this.handler.status('up');
    await turns();
    throw new Error('trouble');
  }

  protected override async recover(): Promise<void> {
    this.handler.status('down');
    await turns();
  }

  protected override onEnd(): void {
    // It holds nothing.
  }
}

it('a handler that throws at its tail’s last word too ends no process', async () => {
  const unheard = unheardRejections();
  const log = new MemoryEventLog();
  const [atAll, atLast, followed] = [throwingAt('up', 'down'), throwingAt('down'), throwingAt('up', 'down')];
  await log.tail(0, atAll.handler);
  await log.tail(0, atLast.handler);
  new TroubledTail(followed.handler);
  await turns();
  await log.append(new Uint8Array(1));
  await turns();
  expect(await unheard()).toEqual([]);
  expect([atAll.told, atLast.told, followed.told]).toEqual([
    ['up', 'down'],
    ['up', 'down'],
    ['up', 'down'],
  ]);
});

it('a handler may throw anything, also what throws when it is looked at', async () => {
  const unheard = unheardRejections();
  const log = new MemoryEventLog();
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const { told, handler } = throwingAt();
  const records = (): never => {
    throw proxy;
  };
  await log.tail(0, { ...handler, records });
  await turns();
  await log.append(new Uint8Array(1));
  await turns();
  expect(await unheard()).toEqual([]);
  expect(told).toEqual(['up', 'down']);
});
