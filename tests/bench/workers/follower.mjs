// Another process on a log, which serves it over HTTP, and a client of that: tells when it had each event, on the clock
// that all processes of a machine share.
import { once } from 'node:events';
import http from 'node:http';
import { EventBroker } from 'fenceline';
import { streamEvents } from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { nowMicros } from '../lib/events.mjs';
import { serveParent } from '../lib/processes.mjs';
import { joiners } from './log-store.mjs';

const told = new Map();

serveParent(async ({ engine, address, until }) => {
  if (until === undefined) return follow(engine, address);
  while (!told.has(until)) await new Promise((resolve) => setTimeout(resolve, 5));
  return told;
});

async function follow(engine, address) {
  const broker = new EventBroker({ log: await joiners[engine](address) });
  await broker.ready();
  const server = http.createServer(eventStreamHandler({ broker })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  void read(`http://127.0.0.1:${server.address().port}/`);
}

async function read(url) {
  for await (const { index } of streamEvents(url)) told.set(index, nowMicros());
}
