import { createServer, type AddressInfo, type Server } from 'node:net';

import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';

import { PostgresEventLog } from '../../src/logs/postgres/index.ts';

/** A message of PostgreSQL's protocol: its letter, its length, what it says. */
function message(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const authenticated = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const gone = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Greets each connection and ends it in the same packet, as a busy process sees a server that is killed. */
async function dyingServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, gone])));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe("the host's pool", () => {
  it('lends a connection that breaks as it is lent: told as an outage, and the process goes on', async () => {
    const uncaught: unknown[] = [];
    const listener = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', listener);
    const pool = new pg.Pool({ host: '127.0.0.1', port: await dyingServer(), user: 'u', database: 'd', max: 2 });
    await expect(PostgresEventLog.open({ pool, name: 'events' })).rejects.toMatchObject({ code: 'log_unavailable' });
    await pool.end();
    process.removeListener('uncaughtException', listener);
    expect(uncaught).toEqual([]);
  });
});
