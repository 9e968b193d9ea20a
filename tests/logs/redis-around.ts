import { afterEach } from 'vitest';

import { RedisEventLog } from '../../src/logs/redis/index.ts';
import type { RedisEventLogOptions } from '../../src/logs/redis/index.ts';
import { BrokerError } from '../../src/model/errors.ts';
import { TailRecorder } from '../../src/testing/index.ts';
import { connectTo, RedisServer } from '../servers/redis-server.ts';
import type { ClientKind, TestClient } from '../servers/redis-server.ts';

const cleanups: (() => unknown)[] = [];

/** Ends what was started, the last first. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
}

export function cleanUpAfterEach(): void {
  afterEach(cleanUp);
}

export function whenOver(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export async function startServer(...settings: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...settings);
  whenOver(() => server.stop());
  return server;
}

export async function connect(server: RedisServer, kind: ClientKind = 'ioredis'): Promise<TestClient> {
  const connected = await connectTo(kind, server.url);
  whenOver(() => connected.close());
  return connected;
}

/** The log `events` over a client of its own. */
export async function openOn(
  server: RedisServer,
  kind?: ClientKind,
  options: Partial<RedisEventLogOptions> = {},
): Promise<RedisEventLog> {
  const { client } = await connect(server, kind);
  const log = await RedisEventLog.open({ client, stream: 'events', ...options });
  whenOver(() => log.close());
  return log;
}

export async function follow(log: RedisEventLog, after = 0): Promise<TailRecorder> {
  const recorder = new TailRecorder();
  await log.tail(after, recorder);
  return recorder;
}

export const bodyOf = (text: string): Uint8Array => Buffer.from(text);

/** Tries again whatever is an outage. */
export async function insist<R>(attempt: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!BrokerError.is(error) || error.code !== 'log_unavailable') throw error;
    }
  }
}

export async function readTexts(log: RedisEventLog, from: number, to = Infinity): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of log.read(from, to)) texts.push(...chunk.map(({ body }) => Buffer.from(body).toString()));
  return texts;
}
