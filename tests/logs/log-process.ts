// A process of its own for processes-on-one-log.ts: `serve` serves the log and prints its origin; `publish` publishes
// numbered jobs until its input ends, and prints each with its index once it is acknowledged. ACLs are asked of the
// test's own store, over HTTP.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { AclResolver, defineTopics, EventBroker, type AclPolicy, type AclStore, type AclToken } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { nomadRights } from 'fenceline/nomad';

import { openSharedLog } from './shared-log.ts';

const [mode, engine = '', port, storeUrl, name = ''] = process.argv.slice(2);

const ask = async (path: string): Promise<unknown> => {
  const response = await fetch(`${storeUrl}${path}`);
  return response.status === 404 ? undefined : response.json();
};
const store: AclStore = {
  tokenBySecretId: async (secret) => (await ask(`/token/${secret}`)) as AclToken | undefined,
  policyByName: async (policy) => (await ask(`/policy/${policy}`)) as AclPolicy | undefined,
  roleById: () => undefined,
};

const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } }, ACLPolicy: { aclChange: 'policy' } });
const { log } = await openSharedLog(engine, Number(port));
const broker = new EventBroker({
  topics,
  log,
  acl: new AclResolver({ rights: nomadRights, store }),
  buffer: { maxBatches: 16 },
  publishWhenDown: 'wait',
});

if (mode === 'serve') {
  const server = http.createServer(eventStreamHandler({ broker }));
  server.listen(0, '127.0.0.1', () => console.log(`origin http://127.0.0.1:${(server.address() as AddressInfo).port}`));
} else await publish();

async function publish(): Promise<void> {
  process.stdin.resume();
  // As a server does. What waits for a log that is down does not keep a process alive, and its input may have ended.
  setInterval(() => undefined, 60_000);
  for (let n = 1; !process.stdin.readableEnded; n++) {
    const key = `${name}-${n}`;
    // The same id again and again until it is acknowledged: an outage must not double it.
    const index = await acknowledged(() =>
      broker.publish({ topic: 'Job', type: 'JobRegistered', key, namespace: 'default', payload: {} }, { id: key }),
    );
    console.log(`${index} ${key}`);
  }
  process.exit(0);
}

async function acknowledged(attempt: () => Promise<number>): Promise<number> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
