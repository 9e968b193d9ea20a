import { describe, expect, it } from 'vitest';
import { EventBroker } from 'fenceline';
import { streamEvents } from 'fenceline/client';
import { MemoryEventLog } from 'fenceline/testing';

describe('what can be closed', () => {
  it('closes at the end of `await using`', async () => {
    const broker = new EventBroker({ log: new MemoryEventLog() });
    const subscription = await broker.subscribe();
    await subscription[Symbol.asyncDispose]();
    expect(subscription.state).toBe('closed');
    await broker[Symbol.asyncDispose]();
    await expect(broker.subscribe()).rejects.toMatchObject({ code: 'closed' });
    const stream = streamEvents('http://localhost/');
    await stream[Symbol.asyncDispose]();
    expect(stream.state.name).toBe('closed');
    const log = new MemoryEventLog();
    await log[Symbol.asyncDispose]();
    await expect(log.state()).rejects.toMatchObject({ code: 'closed' });
  });
});
