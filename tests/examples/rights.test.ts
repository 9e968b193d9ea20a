import { afterEach, describe, expect, it } from 'vitest';
import { RunningExample } from './run-example.ts';

const running: RunningExample[] = [];
afterEach(() => running.splice(0).forEach((example) => example.kill()));

async function start(name: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const example = new RunningExample(name, [], environment);
  running.push(example);
  return new URL(await example.url()).origin;
}

interface Line {
  readonly Index?: number;
  readonly Events?: readonly { readonly Namespace: string; readonly Payload: { readonly owner: string } }[];
  readonly Error?: { readonly Code: string };
}

/** A stream that is read line by line, until a test has seen what it waits for. */
class Stream {
  readonly status: number;
  readonly seen: Line[] = [];
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = '';
  #lines: Line[] = [];

  private constructor(response: Response) {
    this.status = response.status;
    this.#chunks = (response.body as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Stream> {
    return new Stream(await fetch(url, { headers }));
  }

  /** Reads on to the first line that is like this, or to the end. */
  async until(isIt: (line: Line) => boolean): Promise<Line | undefined> {
    for (;;) {
      for (let line = this.#lines.shift(); line; line = this.#lines.shift()) {
        this.seen.push(line);
        if (isIt(line)) return line;
      }
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      const parts = (this.#rest + Buffer.from(value).toString()).split('\n');
      this.#rest = parts.pop() ?? '';
      this.#lines = parts.map((part) => JSON.parse(part) as Line);
    }
  }

  async batch(namespace: string): Promise<Line> {
    const line = await this.until(({ Events }) => Events?.some((event) => event.Namespace === namespace) ?? false);
    if (line === undefined) throw new Error(`The stream ended: ${JSON.stringify(this.seen.at(-1))}`);
    return line;
  }

  async error(): Promise<string | undefined> {
    return (await this.until((line) => line.Error !== undefined))?.Error?.Code;
  }

  close(): Promise<unknown> | undefined {
    return this.#chunks.return?.();
  }
}

const namespacesOf = (lines: readonly Line[]): readonly string[] => [
  ...new Set(lines.flatMap(({ Events = [] }) => Events.map(({ Namespace }) => Namespace))),
];

describe('a JWT in a cookie', () => {
  const logIn = async (origin: string, user: string): Promise<Record<string, string>> => {
    const response = await fetch(`${origin}/login/${user}`, { method: 'POST' });
    return { cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
  };

  it('opens the stream of its tenant; logging out everywhere ends all of the user, and no other', async () => {
    const origin = await start('16-jwt-cookie');
    const alice = await logIn(origin, 'alice');
    const all = [alice, await logIn(origin, 'alice'), await logIn(origin, 'bob')];
    const streams = await Promise.all(all.map((headers) => Stream.open(`${origin}/events`, headers)));
    for (const stream of streams) await stream.batch('acme');
    expect((await fetch(`${origin}/logout-everywhere`, { method: 'POST', headers: alice })).status).toBe(204);
    expect(await streams[0]?.error()).toBe('acl_revoked');
    expect(await streams[1]?.error()).toBe('acl_revoked');
    await streams[2]?.batch('acme');
    await streams[2]?.close();
    for (const { seen } of streams) expect(namespacesOf(seen)).toEqual(['acme']);
    expect((await Stream.open(`${origin}/events`, alice)).status).toBe(403);
  });

  it('whose time is over ends the stream, and opens none', async () => {
    const origin = await start('16-jwt-cookie', { JWT_LIVES_FOR: '2 seconds' });
    const alice = await logIn(origin, 'alice');
    expect(await (await Stream.open(`${origin}/events`, alice)).error()).toBe('acl_expired');
    expect((await Stream.open(`${origin}/events`, alice)).status).toBe(403);
    expect((await Stream.open(`${origin}/events`)).status).toBe(403);
  });
});

describe('sessions with tenants and roles', () => {
  it('show all tenants of a user, and a role that is given or taken in the open stream', async () => {
    const origin = await start('17-sessions');
    const { session } = (await (await fetch(`${origin}/login/alice`, { method: 'POST' })).json()) as {
      session: string;
    };
    const stream = await Stream.open(`${origin}/events`, { 'x-session': session });
    const role = (tenant: string, name: string): Promise<Response> =>
      fetch(`${origin}/roles/alice/${tenant}/${name}`, { method: 'PUT' });
    await stream.batch('acme');
    expect(namespacesOf(stream.seen)).toEqual(['acme']);
    await role('beta', 'clerk');
    await stream.batch('beta');
    await role('beta', 'none');
    await role('acme', 'none');
    expect(await stream.error()).toBe('acl_revoked');
    expect((await Stream.open(`${origin}/events`, { 'x-session': 'guessed' })).status).toBe(403);
  });
});

describe('an owner’s rule', () => {
  it('shows each user their own orders', async () => {
    const origin = await start('18-own-orders');
    for (const user of ['alice', 'carol']) {
      const stream = await Stream.open(`${origin}/events`, { 'x-user': user });
      await stream.until(({ Events }) => Events !== undefined);
      await stream.until(({ Events }) => Events !== undefined);
      await stream.close();
      const owners = stream.seen.flatMap(({ Events = [] }) => Events.map(({ Payload }) => Payload.owner));
      expect(owners).toEqual([user, user]);
    }
    expect((await Stream.open(`${origin}/events`)).status).toBe(403);
    const more = await Stream.open(`${origin}/events?topic=Invoice`, { 'x-user': 'alice' });
    expect(more.status).toBe(403);
  });
});

describe('a support agent', () => {
  it('sees a customer while a ticket is open, from its index to that of its end', async () => {
    const origin = await start('19-support-agent');
    const stream = await Stream.open(`${origin}/events`, { 'x-agent': 'dora' });
    const ticket = async (method: string): Promise<number> => {
      const text = await (await fetch(`${origin}/tickets/dora/beta`, { method })).text();
      return Number(/\d+/.exec(text)?.[0]);
    };
    await stream.batch('acme');
    const opened = await ticket('PUT');
    await stream.batch('beta');
    const closed = await ticket('DELETE');
    await stream.until(({ Index = 0 }) => Index > closed + 6);
    await stream.close();
    const beta = stream.seen.filter(({ Events = [] }) => Events.some(({ Namespace }) => Namespace === 'beta'));
    expect(beta.length).toBeGreaterThan(0);
    for (const { Index = 0 } of beta) {
      expect(Index).toBeGreaterThan(opened);
      expect(Index).toBeLessThan(closed);
    }
    expect((await Stream.open(`${origin}/events`, { 'x-agent': 'nobody' })).status).toBe(403);
  });
});
