import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MemoryAclStore } from 'fenceline';

/** The ACL store that all servers ask over HTTP, as slow and as broken as it is told to be. */
export class StoreServer {
  readonly store: MemoryAclStore;
  /** How long each answer takes, in ms. */
  delayMs = 0;
  isDown = false;
  readonly #server = createServer((request, response) => {
    setTimeout(() => this.#answer(request.url ?? '', response), this.delayMs);
  });

  constructor(store: MemoryAclStore) {
    this.store = store;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(url: string, response: ServerResponse): void {
    if (this.isDown) return void response.writeHead(500).end();
    const [, kind, name = ''] = url.split('/');
    const found = kind === 'token' ? this.store.tokenBySecretId(name) : this.store.policyByName(name);
    if (found === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(found));
  }
}
