import { defineRights, defineTopics, payloadOf } from 'fenceline';

/** One event of a lane: a lane is published in order, one event after the other, without a hole in `n`. */
export interface Made {
  readonly lane: string;
  readonly n: number;
  /** When it was handed to `publish`, milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

export const rights = defineRights({ namespace: { capabilities: ['read'] } });

/** The same in the process that publishes and in those that serve. */
export const topics = defineTopics(
  {
    Job: { payload: payloadOf<Made>(), requires: { namespace: 'read' } },
    Item: {
      payload: payloadOf<{ readonly n: number }>(),
      requires: { namespace: 'read' },
      retain: 'latest',
      removedBy: ['ItemRemoved'],
    },
    Token: { aclChange: 'token' },
  },
  { rights },
);

export const tenants = ['t0', 't1', 't2', 't3'] as const;
