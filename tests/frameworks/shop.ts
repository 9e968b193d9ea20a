// What each app begins with: topics, rights, one broker, and what a session cookie allows.
import { Acl, AclDenial, defineRights, defineTopics, EventBroker, payloadOf } from 'fenceline';
import { jwtVerify } from 'jose';

export interface Order {
  readonly step: string;
}

const rights = defineRights({ namespace: { capabilities: ['read-orders'] } });
export const topics = defineTopics(
  {
    Order: {
      payload: payloadOf<Order>(),
      requires: { namespace: 'read-orders' },
      retain: 'latest',
      removedBy: ['OrderDelivered'],
    },
  },
  { rights },
);

function openShop() {
  const broker = new EventBroker({ topics });
  // The framework closes its listener and waits for open responses; this ends them, each with the place to resume from.
  process.once('SIGTERM', () => void broker.close({ drainMs: Number(process.env['DRAIN_MS'] ?? 20_000) }));
  return { broker, loggedOut: new Set<string>() };
}

// Bundlers and hot reload load a module more than once, and all of its copies share this one broker.
const shared = globalThis as typeof globalThis & { shop?: ReturnType<typeof openShop> };
export const { broker, loggedOut } = (shared.shop ??= openShop());

const key = new TextEncoder().encode(process.env['JWT_SECRET']);

interface Session {
  readonly sub: string;
  readonly tenant: string;
  readonly exp: number;
}

export async function sessionOf(cookies: string | null | undefined): Promise<Session> {
  const [, token = ''] = /(?:^|; )session=([^;]+)/.exec(cookies ?? '') ?? [];
  const { payload } = await jwtVerify<Session>(token, key).catch(() => {
    throw new AclDenial('unknown');
  });
  if (loggedOut.has(payload.sub)) throw new AclDenial('unknown', payload.sub);
  return payload;
}

/** Asked when a stream is opened, and again whenever the broker is told that something about this user changed. */
export async function aclOf(cookies: string | null | undefined): Promise<Acl> {
  const { sub, tenant, exp } = await sessionOf(cookies);
  const rules = { namespace: { [tenant]: { capabilities: ['read-orders'] } } } as const;
  return Acl.fromRules([rules], { accessorId: sub, expiresAt: exp * 1000, rights });
}

export async function logOut(cookies: string | null | undefined): Promise<void> {
  const { sub } = await sessionOf(cookies);
  loggedOut.add(sub); // first the change,
  await broker.aclChanged({ token: sub }); // then its news: the open streams of this user end
}
