import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { eventStreamHandler } from '../../src/adapters/http.ts';
import { streamEvents } from '../../src/client/index.ts';
import { Acl, AclResolver, defineTopics, EventBroker, MemoryAclStore } from '../../src/index.ts';
import { JetStreamEventLog } from '../../src/logs/jetstream/index.ts';
import { describeWithNats, NatsServer } from '../servers/nats-server.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const topics = defineTopics({
  Job: { requires: { namespace: 'read-job' } },
  ACLPolicy: { aclChange: 'policy' },
});
const job = (key: string) => ({ topic: 'Job', type: 'JobRegistered', key, namespace: 'default', payload: {} }) as const;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** So few batches that most resumes are served from the log. */
const buffer = { maxBatches: 8 };

/** What one server process consists of: its own connection, log, broker and HTTP server. */
class ServingProcess {
  readonly broker;
  readonly #connection: NatsConnection;
  readonly #log: JetStreamEventLog;
  readonly #http: Server;

  private constructor(connection: NatsConnection, log: JetStreamEventLog, acl?: AclResolver) {
    this.#connection = connection;
    this.#log = log;
    this.broker = new EventBroker({ topics, log, buffer, publishWhenDown: 'wait', ...(acl ? { acl } : {}) });
    this.#http = createServer(eventStreamHandler({ broker: this.broker }));
  }

  static async start(nats: NatsServer, stream: string, acl?: AclResolver): Promise<ServingProcess> {
    const connection = await nats.connect();
    const started = new ServingProcess(connection, await JetStreamEventLog.open({ connection, stream }), acl);
    started.#http.listen(0, '127.0.0.1');
    await once(started.#http, 'listening');
    return started;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Ends all streams without a last word, as a proxy that moves its clients does. */
  cut(): void {
    this.#http.closeAllConnections();
  }

  async stop(): Promise<void> {
    await this.broker.close();
    this.#http.closeAllConnections();
    this.#http.close();
    await this.#log.close();
    await this.#connection.close();
  }
}

/** The `fetch` of a client whose address leads to one process now and to another later, as behind a load balancer. */
function balancer(first: ServingProcess) {
  let target = first;
  const visited = [first];
  return {
    fetch: (url: string | URL | Request, init?: RequestInit) => {
      const { pathname, search } = new URL(url instanceof Request ? url.url : url);
      return fetch(new URL(pathname + search, target.origin), init);
    },
    moveTo(next: ServingProcess): void {
      const left = target;
      target = next;
      visited.push(next);
      left.cut();
    },
    visited,
  };
}

describeWithNats('brokers on one JetStream', () => {
  let nats: NatsServer;
  let streams = 0;
  const processes: ServingProcess[] = [];

  beforeAll(async () => {
    nats = await NatsServer.start();
  });
  afterAll(() => nats?.stop());
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((each) => each.stop()));
  });

  async function startTwo(acl: () => AclResolver | undefined = () => undefined): Promise<ServingProcess[]> {
    const stream = `broker-${(streams += 1)}`;
    const started = [await ServingProcess.start(nats, stream, acl()), await ServingProcess.start(nats, stream, acl())];
    processes.push(...started);
    return started;
  }

  /**
   * Publishes through both, alternating, four at a time.
   * @param before called before so many
   * @returns keys by their indexes, as they were acknowledged
   */
  async function publishAll(
    brokers: readonly ServingProcess[],
    count: number,
    before: (n: number) => void = () => undefined,
  ): Promise<Map<number, string>> {
    const acknowledged = new Map<number, string>();
    for (let n = 0; n < count; n += 4) {
      before(n);
      const keys = range(n, n + 3).map((i) => `k${i}`);
      const publishes = keys.map(async (key, i) => {
        const index = await brokers[i % brokers.length]?.broker.publish(job(key));
        acknowledged.set(index ?? 0, key);
      });
      await Promise.all(publishes);
    }
    return acknowledged;
  }

  /** Reads through one client until it has `count` batches. @param at called after so many */
  async function readWhile(
    fetchFrom: typeof fetch,
    count: number,
    at: (seen: number) => void = () => undefined,
  ): Promise<{ readonly indexes: number[]; readonly keys: Map<number, string>; readonly gaps: unknown[] }> {
    const [indexes, gaps, keys]: [number[], unknown[], Map<number, string>] = [[], [], new Map()];
    const stream = streamEvents('http://balanced/v1/event/stream', {
      topics: ['Job'],
      index: 1,
      fetch: fetchFrom,
      minDelayMs: 1,
      maxDelayMs: 50,
    });
    for await (const { index, events, gap } of stream) {
      if (gap) gaps.push(gap);
      indexes.push(index);
      keys.set(index, events[0]?.key ?? '');
      at(indexes.length);
      if (indexes.length === count) break;
    }
    return { indexes, keys, gaps };
  }

  it('a client that is moved between two processes gets every batch once, in the order of both', async () => {
    const [a, b] = (await startTwo()) as [ServingProcess, ServingProcess];
    const route = balancer(a);
    const publishing = publishAll([a, b], 200);
    const read = await readWhile(route.fetch, 200, (seen) => {
      if (seen % 20 === 0) route.moveTo(seen % 40 === 0 ? a : b);
    });
    expect(read.indexes).toEqual(range(1, 200));
    expect(read.keys).toEqual(await publishing);
    expect(read.gaps).toEqual([]);
    expect(route.visited.length).toBe(11);
    expect(a.broker.epoch).toBe(b.broker.epoch);
  });

  it('streams stay open over a kill of the NATS server, and nothing is lost or doubled', async () => {
    const [a, b] = (await startTwo()) as [ServingProcess, ServingProcess];
    const [fromA, fromB] = [balancer(a), balancer(b)];
    let connections = 0;
    const counting = (route: { readonly fetch: typeof fetch }): typeof fetch => {
      return (...request) => ((connections += 1), route.fetch(...request));
    };
    let restarts: Promise<void> = Promise.resolve();
    const publishing = publishAll([a, b], 200, (n) => {
      if (n === 40 || n === 120) restarts = restarts.then(() => nats.restart());
    });
    const reads = await Promise.all([readWhile(counting(fromA), 200), readWhile(counting(fromB), 200)]);
    const acknowledged = await publishing;
    await restarts;
    for (const { indexes, keys, gaps } of reads) {
      expect(indexes).toEqual(range(1, 200));
      expect(keys).toEqual(acknowledged);
      expect(gaps).toEqual([]);
    }
    expect(connections, 'no stream was cut off').toBe(2);
  });

  it('nothing that was published after a revocation in one process reaches whom it denies in another', async () => {
    const store = new MemoryAclStore();
    await store.upsertPolicy({ name: 'p', rules: { namespace: { default: { policy: 'read' } } } });
    store.upsertToken({ accessorId: 'a', secretId: 's', type: 'client', policies: ['p'], roles: [] });
    const [writer, serving] = (await startTwo(() => new AclResolver({ rights: nomadRights, store }))) as [
      ServingProcess,
      ServingProcess,
    ];
    const operator = await serving.broker.subscribe({ topics: ['Job'], acl: Acl.management });
    for (const n of range(1, 20)) await writer.broker.publish(job(`k${n}`));
    const tenant = await fetch(`${serving.origin}/v1/event/stream?topic=Job&index=1`, {
      headers: { 'X-Nomad-Token': 's' },
    });
    // What is published right behind the revocation, without waiting for any of it to arrive in the other process.
    store.deletePolicy('p');
    await writer.broker.aclChanged({ policy: 'p' });
    for (const n of range(22, 30)) await writer.broker.publish(job(`k${n}`));
    const lines = (await tenant.text()).trim().split('\n');
    const told = lines.map((line) => JSON.parse(line) as { readonly Index?: number; readonly Error?: unknown });
    expect(told.flatMap(({ Index }) => Index ?? [])).toEqual(range(1, 20));
    expect(told.at(-1)).toMatchObject({ Error: { Code: 'acl_revoked' } });
    const seen: number[] = [];
    for await (const { index } of operator) if (seen.push(index) === 29) break;
    expect(seen).toEqual([...range(1, 20), ...range(22, 30)]);
  });
});
