import { Acl, defineTopics } from 'fenceline';
import type { Published } from './state-history.ts';
import type { ModelRights } from './state-model.ts';

/** What the histories of the state are played on. */
export const topics = defineTopics({
  Order: {
    requires: { namespace: 'read-orders' },
    visible: ({ level }: { level: number }, { payload }) => (payload as { level: number }).level <= level,
    retain: 'latest',
    removedBy: ['Gone'],
  },
  Job: {
    requires: 'anyone',
    retain: 'latest',
    removedBy: ({ payload }) => (payload as { isGone: boolean }).isGone,
  },
  Log: { requires: 'anyone' },
});

export const newEventOf = ({ topic, namespace, key, tag, level, isGone }: Published) => ({
  topic,
  type: isGone ? 'Gone' : 'Changed',
  key,
  namespace,
  filterKeys: [tag],
  payload: { level, isGone },
});

export function aclOf({ namespaces, level }: ModelRights): Acl {
  const namespace = Object.fromEntries(namespaces.map((name) => [name, { capabilities: ['read-orders'] }]));
  return Acl.fromRules([{ namespace }], { accessorId: 'alice', claims: { level } });
}
