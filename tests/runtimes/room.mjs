// A broker in a Durable Object, one in a Worker's module, and what cannot work there.
import { DurableObject } from 'cloudflare:workers';
import { EventBroker } from 'fenceline';
import { fetchHandler } from 'fenceline/fetch';
import { LmdbEventLog } from 'fenceline/lmdb';

import { shop } from './orders.mjs';

/** Nothing random may be made while modules are loaded: a broker that did would end the Worker here. */
const inModule = new EventBroker();

export class Room extends DurableObject {
  #shop = shop();
  #stream = fetchHandler({
    broker: this.#shop.broker,
    heartbeatMs: 1000,
    acl: (request) => this.#shop.rightsOf(request.headers.get('X-User')),
  });

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const { publish, revoke, broker } = this.#shop;
    if (pathname === '/publish') return Response.json(await publish(Number(searchParams.get('n'))));
    if (pathname === '/revoke') return Response.json((await revoke()) ?? null);
    if (pathname === '/subscriptions') return Response.json(broker.stats().subscriptions);
    return this.#stream(request);
  }
}

export default {
  async fetch(request, { ROOM }) {
    const { pathname } = new URL(request.url);
    if (pathname === '/module') return Response.json(inModule.stats().epoch);
    if (pathname === '/lmdb') return Response.json(await LmdbEventLog.open({ path: 'log' }).catch(({ code }) => code));
    return ROOM.get(ROOM.idFromName('room')).fetch(request);
  },
};
