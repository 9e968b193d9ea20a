import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { expect } from 'vitest';

import { streamEvents } from '../../src/client/index.ts';
import { AclResolver, defineTopics, EventBroker, MemoryAclStore } from '../../src/index.ts';
import { nomadRights } from '../../src/nomad/index.ts';
import { openSharedLog } from './shared-log.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rules = { namespace: { default: { policy: 'read' as const } } };
const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } }, ACLPolicy: { aclChange: 'policy' } });

/** What ends the servers and processes of the run that is under way. */
const cleanups: (() => unknown)[] = [];

/** What a test needs of the server that holds the log. */
export interface LogServer {
  readonly port: number;
  run(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** A process of log-process.ts, and its lines so far. */
class Worker {
  readonly lines: string[] = [];
  readonly process: ChildProcess;
  /** Its exit code. */
  readonly exited: Promise<number | null>;
  #wake: () => void = () => undefined;

  constructor(mode: string, engine: string, server: LogServer, store: string, name: string) {
    const args = [
      '--import',
      './tests/tooling/typescript.mjs',
      'tests/logs/log-process.ts',
      mode,
      engine,
      String(server.port),
      store,
      name,
    ];
    this.process = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    cleanups.push(() => this.process.kill('SIGKILL'));
    this.exited = once(this.process, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.process.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (line) => {
      this.lines.push(line);
      this.#wake();
    });
  }

  async printed(count: number): Promise<readonly string[]> {
    while (this.lines.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.lines;
  }
}

/** The ACL store that all processes ask. */
async function serveStore(store: MemoryAclStore): Promise<string> {
  const server = http.createServer((request, response) => {
    const [, kind, name = ''] = (request.url ?? '').split('/');
    const found = kind === 'token' ? store.tokenBySecretId(name) : store.policyByName(name);
    if (found === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(found));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => (server.close(), server.closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Seen {
  readonly index: number;
  readonly topic: string;
  readonly type: string;
  readonly key: string;
}

/** A tenant that reads one server: whenever its stream ends, or is refused, it asks again. */
class Tenant {
  /** The indexes that each connection got. */
  readonly connections: number[][] = [];
  readonly #origin: string;
  readonly #abort = new AbortController();
  #onServed: () => void = () => undefined;
  #onDenied: () => void = () => undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async watch(): Promise<void> {
    while (!this.#abort.signal.aborted) await this.#connect().catch(() => undefined);
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Resolves with the next event that it gets. */
  served(): Promise<void> {
    return new Promise((resolve) => (this.#onServed = resolve));
  }

  /** Resolves when it is refused: then no stream of it is open. */
  denied(): Promise<void> {
    return new Promise((resolve) => (this.#onDenied = resolve));
  }

  async #connect(): Promise<void> {
    const headers = { 'X-Nomad-Token': 'tenant' };
    const response = await fetch(`${this.#origin}/?topic=Job&index=latest`, { headers, signal: this.#abort.signal });
    if (response.status === 403) this.#onDenied();
    const got: number[] = [];
    this.connections.push(got);
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = lines.pop() ?? '';
      const batches = lines.filter((line) => line.startsWith('{"Index"'));
      got.push(...batches.map((line) => (JSON.parse(line) as { Index: number }).Index));
      if (batches.length > 0) this.#onServed();
    }
  }
}

/** How long a stream on which something is published all the time stood still at most, as its client sees it. */
class StallWatch {
  longestMs = 0;
  #lastAt: number | undefined;
  #isOver = false;

  delivered(): void {
    if (this.#isOver) return;
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, now - (this.#lastAt ?? now));
    this.#lastAt = now;
  }

  /** Nothing is published any more: to stand still is right from now on. */
  end(): void {
    this.delivered();
    this.#isOver = true;
  }
}

const seconds = (...timesMs: number[]): string => `${(Math.max(...timesMs) / 1000).toFixed(2)} s`;

/**
 * Three publishing and three serving processes, a tenant whose rights come and go, and six kills of the server; halfway
 * a publishing process is killed too, and another one takes its place.
 */
export async function fenceHoldsAcrossProcesses(engine: string, start: () => Promise<LogServer>): Promise<void> {
  try {
    await runProcesses(engine, start);
  } finally {
    // Not in an `afterEach` of this file: it is imported once, and so would clean up after one of its tests alone.
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  }
}

async function runProcesses(engine: string, start: () => Promise<LogServer>): Promise<void> {
  const server = await start();
  cleanups.push(() => server.stop());
  const store = new MemoryAclStore();
  store.upsertToken({ accessorId: 'a-root', secretId: 'root', type: 'management', policies: [], roles: [] });
  store.upsertToken({ accessorId: 'a-tenant', secretId: 'tenant', type: 'client', policies: ['p'], roles: [] });
  await store.upsertPolicy({ name: 'p', rules });
  const storeUrl = await serveStore(store);

  const { log, close } = await openSharedLog(engine, server.port);
  cleanups.push(close);
  const admin = new EventBroker({
    topics,
    log,
    acl: new AclResolver({ rights: nomadRights, store }),
    publishWhenDown: 'wait',
  });
  cleanups.push(() => admin.close());

  const serving = ['s1', 's2', 's3'].map((name) => new Worker('serve', engine, server, storeUrl, name));
  const origins = await Promise.all(
    serving.map(async (one) => ((await one.printed(1))[0] ?? '').replace('origin ', '')),
  );
  const tenants = origins.map((origin) => new Tenant(origin));
  const watching = tenants.map((tenant) => tenant.watch());
  const readings = origins.map(() => [] as Seen[]);
  let last = Infinity;
  const stalls = origins.map(() => new StallWatch());
  const reading = origins.map(async (origin, i) => {
    for await (const { index, events, gap } of streamEvents(origin, {
      token: 'root',
      minDelayMs: 1,
      maxDelayMs: 50,
    })) {
      expect(gap).toBeUndefined();
      stalls[i]?.delivered();
      for (const { topic, type, key } of events) readings[i]?.push({ index, topic, type, key });
      if (index >= last) break;
    }
  });

  const publisherOf = (name: string) => new Worker('publish', engine, server, storeUrl, name);
  const killed = publisherOf('killed');
  const publishers = [publisherOf('p1'), publisherOf('p2')];
  const change = async (type: string, commit: () => unknown): Promise<number> => {
    for (;;) {
      try {
        return await admin.publish({ topic: 'ACLPolicy', type, key: 'p', payload: {} }, { commit });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  // Connected, all of them, before the first kill.
  await Promise.all([killed, ...publishers].map((publisher) => publisher.printed(1)));
  const outagesMs: number[] = [];
  for (let round = 1; round <= 6; round++) {
    if (round === 4) {
      killed.process.kill('SIGKILL');
      publishers.push(publisherOf('p3'));
      // Connected too: a log is not opened on a server that is down.
      await publishers.at(-1)?.printed(1);
    }
    await Promise.all(tenants.map((tenant) => tenant.served()));
    await change('ACLPolicyDeleted', () => store.deletePolicy('p'));
    // Given back earlier, the rights would be there again when a process that lags asks for them.
    await Promise.all(tenants.map((tenant) => tenant.denied()));
    const killedAt = performance.now();
    await server.kill();
    await server.run();
    outagesMs.push(performance.now() - killedAt);
    await change('ACLPolicyUpserted', () => store.upsertPolicy({ name: 'p', rules }));
  }
  for (const stall of stalls) stall.end();
  for (const { process } of publishers) process.stdin?.end();
  // A publisher that loses its server waits until it is back; none has died.
  expect(await Promise.all(publishers.map(({ exited }) => exited))).toEqual([0, 0, 0]);
  const upTo = await change('ACLPolicyUpserted', () => undefined);
  // A reader may have had that one before its index was known here: the next one ends it.
  last = upTo;
  await change('ACLPolicyUpserted', () => undefined);
  await Promise.all(reading);
  for (const tenant of tenants) tenant.stop();
  await Promise.all(watching);

  const longest = seconds(...stalls.map(({ longestMs }) => longestMs));
  console.log(
    `note: longest stall ${longest} over ${outagesMs.length} restarts of the server of ${engine}, ` +
      `each of ${seconds(...outagesMs)} at most`,
  );

  const [first = [], ...others] = readings.map((seen) => seen.filter(({ index }) => index <= upTo));
  for (const other of others) expect(other).toEqual(first);
  const acknowledged = [killed, ...publishers].flatMap(({ lines }) => lines);
  const jobs = first.filter(({ topic }) => topic === 'Job').map(({ index, key }) => `${index} ${key}`);
  expect(new Set(jobs).size).toBe(jobs.length);
  expect(acknowledged.filter((line) => !jobs.includes(line))).toEqual([]);
  // What the process that was killed had under way is there or not: it did not live to hear of it.
  const unheard = jobs.filter((line) => !acknowledged.includes(line));
  expect(unheard.filter((line) => !line.includes(' killed-'))).toEqual([]);
  expect(unheard.length).toBeLessThanOrEqual(1);

  const revocations = first.filter(({ type }) => type === 'ACLPolicyDeleted').map(({ index }) => index);
  expect(revocations.length).toBeGreaterThanOrEqual(6);
  for (const got of tenants.flatMap(({ connections }) => connections)) {
    const [from = 0, to = 0] = [got[0], got.at(-1)];
    expect(revocations.filter((index) => from < index && index < to)).toEqual([]);
  }
}
