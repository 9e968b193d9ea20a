import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AclResolver, type BufferOptions, EventBroker, MemoryAclStore } from '../../src/index.ts';
import { eventStreamHandler, operatorHandler, topicsHandler } from '../../src/adapters/http.ts';
import { explorerHandler } from '../../src/explorer/index.ts';
import { nomadEvents, nomadRights, nomadTopicsRetaining, type NomadPayloads } from '../../src/nomad/index.ts';

type Broker = EventBroker<NomadPayloads>;

export interface StreamServerOptions {
  /** Default a free one. */
  readonly port?: number;
  /**
   * With a token `reader-secret` that may read the namespace `default`, and one of management's, `root-secret`.
   */
  readonly withAcl?: boolean;
  readonly buffer?: BufferOptions;
  /** Always server-sent events. */
  readonly isSse?: boolean;
  /** The most streams that the operator's endpoint lists. */
  readonly maxStreams?: number;
}

/** Kept as state. */
const retained = ['Job', 'Node', 'Allocation', 'Service', 'Deployment', 'Evaluation'] as const;

/** An event stream with the explorer at `/`, on a real socket. */
export class StreamServer {
  readonly broker: Broker;
  readonly #store: MemoryAclStore;
  readonly #server: http.Server;
  #isStopped = false;
  port = 0;
  /** Requests for the stream so far, but for those that ask where it is now. */
  requests = 0;

  private constructor(broker: Broker, store: MemoryAclStore, { maxStreams = 500, isSse = false }: StreamServerOptions) {
    this.broker = broker;
    this.#store = store;
    const stream = eventStreamHandler({ broker, ...(isSse && { format: 'sse' }) });
    const operator = operatorHandler({ broker, maxStreams });
    const topics = topicsHandler({ broker });
    const explorer = explorerHandler({ operatorUrl: '/v1/operator/streams', topicsUrl: '/v1/event/topics' });
    this.#server = http.createServer((request, response) => {
      if (request.url === '/v1/event/topics') return void topics(request, response);
      if (request.url === '/v1/operator/streams') return void operator(request, response);
      if (!request.url?.startsWith('/v1/event/stream')) return explorer(request, response);
      if (!request.url.includes('index=latest')) this.requests++;
      void stream(request, response);
    });
  }

  static async start(options: StreamServerOptions = {}): Promise<StreamServer> {
    const { port = 0, withAcl = false, buffer = {} } = options;
    const store = await storeWithReader();
    const acl = withAcl ? { acl: new AclResolver({ rights: nomadRights, store }) } : {};
    const broker = new EventBroker({ topics: nomadTopicsRetaining(retained), ...acl, buffer });
    const server = new StreamServer(broker, store, options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    server.port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  publish(id = 'web', namespace = 'default', version?: number): Promise<number> {
    const job = { ID: id, Namespace: namespace, ...(version !== undefined && { Version: version }) };
    return this.broker.publish(nomadEvents.jobRegistered(job));
  }

  publishNode(id: string): Promise<number> {
    return this.broker.publish(nomadEvents.nodeRegistration({ ID: id }));
  }

  deregister(id: string): Promise<number> {
    return this.broker.publish(nomadEvents.jobDeregistered({ ID: id, Namespace: 'default' }));
  }

  /** The job is gone, and not just stopped. */
  purge(id: string): Promise<number> {
    return this.broker.publish(nomadEvents.jobDeregistered({ ID: id, Namespace: 'default' }, { purge: true }));
  }

  /** A token is gone, and the broker is told in the same step. */
  async revoke(AccessorID = 'a-reader'): Promise<void> {
    const event = nomadEvents.aclTokenDeleted({ AccessorID });
    await this.broker.publish(event, { commit: () => this.#store.deleteToken(AccessorID) });
  }

  /** Resolves when nobody is subscribed. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.broker.stats().subscriptions === 0) resolve();
      };
      this.broker.on('unsubscribe', () => setImmediate(check));
      check();
    });
  }

  /** Frees the port: a server started on it again is a new epoch. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.broker.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function storeWithReader(): Promise<MemoryAclStore> {
  const store = new MemoryAclStore();
  await store.upsertPolicy({ name: 'readers', rules: { namespace: { default: { policy: 'read' } } } });
  store.upsertToken({
    accessorId: 'a-reader',
    secretId: 'reader-secret',
    type: 'client',
    policies: ['readers'],
    roles: [],
  });
  store.upsertToken({ accessorId: 'root', secretId: 'root-secret', type: 'management' });
  return store;
}
