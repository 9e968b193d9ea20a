import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceRows } from '../nomad/reference-rows.ts';
import { AclWorld, secretOf } from './acl-world.ts';
import { HttpEndpoint } from './http-stream.ts';
import { failureOf } from './reading.ts';

/** What a row of the table needs, as the columns below tell it. */
type Need = 'management' | 'read-job' | 'volume' | 'node' | 'operator';

interface Column {
  readonly name: string;
  readonly arrange: (world: AclWorld) => void;
  /** Whose token is shown; undefined for none. */
  readonly who: string | undefined;
  /** What it lets see in the namespace `default`. */
  readonly allows: readonly Need[];
}

const everything = {
  namespace: { '*': { policy: 'read' } },
  node: { policy: 'read' },
  operator: { policy: 'read' },
} as const;
const allButManagement: readonly Need[] = ['read-job', 'volume', 'node', 'operator'];

const columns: readonly Column[] = [
  { name: 'no token and no anonymous policy', arrange: () => undefined, who: undefined, allows: [] },
  {
    name: 'no token, and an anonymous policy that reads everything',
    arrange: (world) => world.policy('anonymous', everything),
    who: undefined,
    allows: allButManagement,
  },
  {
    name: 'a token that nobody knows, beside an anonymous policy',
    arrange: (world) => world.policy('anonymous', everything),
    who: 'stranger',
    allows: [],
  },
  withPolicy('the right namespace', { namespace: { default: { policy: 'read' } } }, ['read-job', 'volume']),
  withPolicy('the wrong namespace', { namespace: { prod: { policy: 'write' } } }, []),
  withPolicy('a glob over the namespace', { namespace: { 'def*': { policy: 'read' } } }, ['read-job', 'volume']),
  withPolicy('a glob over other namespaces', { namespace: { 'prod-*': { policy: 'read' } } }, []),
  withPolicy('one capability', { namespace: { default: { capabilities: ['read-job'] } } }, ['read-job']),
  withPolicy('another capability', { namespace: { default: { capabilities: ['list-jobs'] } } }, []),
  withPolicy('deny beside a wider read', { namespace: { '*': { policy: 'read' }, default: { policy: 'deny' } } }, []),
  withPolicy('node read', { node: { policy: 'read' } }, ['node']),
  withPolicy('node write', { node: { policy: 'write' } }, ['node']),
  withPolicy('node deny', { ...everything, node: { policy: 'deny' } }, ['read-job', 'volume', 'operator']),
  withPolicy('operator read', { operator: { policy: 'read' } }, ['operator']),
  withPolicy('everything through a policy', everything, allButManagement),
  {
    name: 'everything through a role link',
    arrange: (world) => {
      world.policy('all', everything);
      world.role('r1', 'all');
      world.token('t', { roles: ['r1'] });
    },
    who: 't',
    allows: allButManagement,
  },
  {
    name: 'node through a policy and jobs through a role, with a role and a policy that do not exist',
    arrange: (world) => {
      world.policy('nodes', { node: { policy: 'read' } });
      world.policy('jobs', { namespace: { default: { capabilities: ['read-job'] } } });
      world.role('r1', 'jobs', 'no such policy');
      world.token('t', { policies: ['nodes', 'nor this'], roles: ['r1', 'no such role'] });
    },
    who: 't',
    allows: ['read-job', 'node'],
  },
  {
    name: 'two policies of which one denies',
    arrange: (world) => {
      world.policy('all', everything);
      world.policy('less', { namespace: { default: { policy: 'deny' } }, node: { policy: 'deny' } });
      world.token('t', { policies: ['all', 'less'] });
    },
    who: 't',
    allows: ['operator'],
  },
  {
    name: 'a token without any policy',
    arrange: (world) => world.token('t'),
    who: 't',
    allows: [],
  },
  {
    name: 'everything, expired a millisecond ago',
    arrange: (world) => {
      world.policy('all', everything);
      world.token('t', { policies: ['all'], expiresInMs: -1 });
    },
    who: 't',
    allows: [],
  },
  {
    name: 'everything, expiring at this very instant',
    arrange: (world) => {
      world.policy('all', everything);
      world.token('t', { policies: ['all'], expiresInMs: 0 });
    },
    who: 't',
    allows: [],
  },
  {
    name: 'everything, a millisecond before expiry',
    arrange: (world) => {
      world.policy('all', everything);
      world.token('t', { policies: ['all'], expiresInMs: 1 });
    },
    who: 't',
    allows: allButManagement,
  },
  {
    name: 'management',
    arrange: (world) => world.token('t', { management: true }),
    who: 't',
    allows: [...allButManagement, 'management'],
  },
  {
    name: 'management that has expired',
    arrange: (world) => world.token('t', { management: true, expiresInMs: -1 }),
    who: 't',
    allows: [],
  },
];

function withPolicy(name: string, rules: Parameters<AclWorld['policy']>[1], allows: readonly Need[]): Column {
  const arrange = (world: AclWorld): void => {
    world.policy('p', rules);
    world.token('t', { policies: ['p'] });
  };
  return { name, arrange, who: 't', allows };
}

function needOf(requirement: (typeof referenceRows)[string]['needs']): Need {
  if (requirement === 'management') return 'management';
  if (typeof requirement === 'string') throw new Error(`No column tells of ${requirement}.`);
  if ('node' in requirement) return 'node';
  if ('operator' in requirement) return 'operator';
  if (!('namespace' in requirement)) throw new Error('No column tells of node pools.');
  return requirement.namespace === 'read-job' ? 'read-job' : 'volume';
}

const rows: readonly (readonly [topic: string, need: Need])[] = [
  ...Object.entries(referenceRows).map(([topic, { needs }]) => [topic, needOf(needs)] as const),
  ['*', 'management'],
];

describe.each(columns)('with $name', ({ arrange, who, allows }) => {
  const world = new AclWorld();
  arrange(world);
  const token = who === undefined ? undefined : secretOf(who);
  let endpoint: HttpEndpoint;
  beforeAll(async () => {
    endpoint = await HttpEndpoint.serve({ broker: world.broker });
  });
  afterAll(() => endpoint.close());

  it.each(rows)('topic %s, which needs %s, is as the table says in process', async (topic, need) => {
    const subscribing = world.subscribe(who, { topics: [topic as 'Job'] });
    if (allows.includes(need)) return (await subscribing).close();
    expect(await failureOf(() => subscribing)).toMatchObject({
      code: 'permission_denied',
      message: 'Permission denied.',
    });
  });

  it.each(rows)('topic %s, which needs %s, is as the table says over HTTP', async (topic, need) => {
    const stream = await endpoint.open(`topic=${topic}`, token === undefined ? {} : { 'X-Nomad-Token': token });
    expect(stream.status).toBe(allows.includes(need) ? 200 : 403);
    if (allows.includes(need)) expect(await stream.text()).toBe('{}');
    else
      expect(await stream.text()).toBe(
        '{"Error":{"Code":"permission_denied","Message":"Permission denied.","Retry":"resubscribe"}}',
      );
    stream.close();
  });

  it('several topics need all of theirs', async () => {
    const isAllowed = allows.includes('read-job') && allows.includes('node');
    const subscribing = world.subscribe(who, { topics: ['Job:web', 'Node' as 'Job'] });
    if (isAllowed) return (await subscribing).close();
    expect((await failureOf(() => subscribing)).code).toBe('permission_denied');
  });
});

describe('a subscription to all namespaces', () => {
  it.each([
    [{ default: { policy: 'read' } }, false],
    [{ '*': { policy: 'read' } }, true],
    [{ 'def*': { policy: 'read' }, 'p*': { policy: 'read' } }, false],
    [{ '*': { policy: 'deny' }, default: { policy: 'read' } }, false],
  ] as const)('with %j is allowed: %s', async (namespace, isAllowed) => {
    const world = new AclWorld();
    world.policy('p', { namespace });
    world.token('t', { policies: ['p'] });
    const subscribing = world.subscribe('t', { namespace: '*' });
    if (isAllowed) return (await subscribing).close();
    expect((await failureOf(() => subscribing)).code).toBe('permission_denied');
  });

  it('hides the namespaces that a closer rule denies, and covers those that come to be', async () => {
    const world = new AclWorld();
    world.policy('p', {
      namespace: { '*': { policy: 'read' }, 'secret-*': { policy: 'deny' }, 'secret-fan': { policy: 'read' } },
    });
    world.token('t', { policies: ['p'] });
    const subscription = await world.subscribe('t', { namespace: '*' });
    for (const namespace of ['default', 'secret-plans', 'brand-new', 'secret-fan']) await world.job(namespace);
    const seen: (string | undefined)[] = [];
    for (let batch = subscription.poll(); batch; batch = subscription.poll()) seen.push(batch.events[0]?.namespace);
    expect(seen).toEqual(['default', 'brand-new', 'secret-fan']);
  });

  it('needs the rights in each when several are named', async () => {
    const world = new AclWorld();
    world.policy('p', { namespace: { a: { policy: 'read' }, b: { policy: 'read' } } });
    world.token('t', { policies: ['p'] });
    (await world.subscribe('t', { namespace: ['a', 'b'] })).close();
    expect((await failureOf(() => world.subscribe('t', { namespace: ['a', 'c'] }))).code).toBe('permission_denied');
  });
});

describe('the host is told why, and the client is not', () => {
  it.each([
    ['stranger', { reason: 'unknown' }],
    ['old', { reason: 'expired', accessorId: 'old' }],
    [
      'poor',
      {
        reason: 'insufficient',
        accessorId: 'poor',
        message: 'Job in default: No rule applies to namespace "default".',
        finding: { topic: 'Job', requirement: { namespace: 'read-job' }, namespace: 'default', isMet: false },
      },
    ],
  ])('for %s', async (who, cause) => {
    const world = new AclWorld();
    world.token('old', { expiresInMs: -1 });
    world.token('poor');
    const notices: unknown[] = [];
    world.broker.on('denied', (notice) => notices.push(notice));
    const error = await failureOf(() => world.subscribe(who));
    expect(JSON.stringify(error)).toBe(
      '{"Error":{"Code":"permission_denied","Message":"Permission denied.","Retry":"resubscribe"}}',
    );
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({ topics: 'Job:*', namespaces: ['default'] });
    expect((notices[0] as { cause: unknown }).cause).toMatchObject(cause);
    const { accessorId, finding } = cause as { accessorId?: string; finding?: object };
    expect(notices[0]).toMatchObject({ accessorId, finding });
  });
});
