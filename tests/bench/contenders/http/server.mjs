import http from 'node:http';

export const ndjsonHeaders = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-cache' };

export const request = 'GET /events?key={key} HTTP/1.1\r\nHost: localhost\r\n\r\n';

export const keyIn = ({ url }) => url.slice(url.indexOf('key=') + 'key='.length);

/** A node:http server on a free port. */
export async function serve(onRequest) {
  const server = http.createServer(onRequest);
  server.requestTimeout = 0;
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return { port: server.address().port, request };
}

/** Subscribers, by key where each wants one. */
export class Subscribers {
  #isSelective;
  #all = new Set();
  #byKey = new Map();

  constructor(isSelective) {
    this.#isSelective = isSelective;
  }

  add(key, subscriber) {
    this.#all.add(subscriber);
    if (this.#isSelective) this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(subscriber));
  }

  remove(key, subscriber) {
    this.#all.delete(subscriber);
    this.#byKey.get(key)?.delete(subscriber);
  }

  of(key) {
    return this.#isSelective ? (this.#byKey.get(key) ?? []) : this.#all;
  }

  get all() {
    return this.#all;
  }
}
