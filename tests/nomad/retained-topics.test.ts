import { describe, expect, it } from 'vitest';
import { EventBroker } from '../../src/index.ts';
import {
  nomadEvents as on,
  nomadTopics,
  nomadTopicsRetaining,
  type NewNomadEvent,
  type RetainableNomadTopic,
} from '../../src/nomad/index.ts';

/**
 * An object of each topic that is there, and the event after which it is not; between them, what does not remove it.
 */
const lives: Readonly<Record<RetainableNomadTopic, readonly NewNomadEvent[]>> = {
  ACLToken: [on.aclTokenUpserted({ AccessorID: 'k' }), on.aclTokenDeleted({ AccessorID: 'k' })],
  ACLPolicy: [on.aclPolicyUpserted({ Name: 'k' }), on.aclPolicyDeleted({ Name: 'k' })],
  ACLRole: [on.aclRoleUpserted({ ID: 'k' }), on.aclRoleDeleted({ ID: 'k' })],
  // Stopped, a job is still there; its evaluation has the job's own type.
  Job: [
    on.jobRegistered({ ID: 'k' }),
    on.jobDeregistered({ ID: 'k', Status: 'dead' }),
    on.change('Job', 'EvaluationUpdated', { ID: 'k', Status: 'dead' }),
    on.jobBatchDeregistered({ ID: 'k', Status: 'dead' }, { purge: true }),
  ],
  Allocation: [
    on.planResult.allocation({ ID: 'k', ClientStatus: 'pending', DesiredStatus: 'run' }),
    on.allocationUpdated({ ID: 'k', ClientStatus: 'running', DesiredStatus: 'run' }),
    on.allocationUpdated({ ID: 'k', ClientStatus: 'unknown', DesiredStatus: 'run' }),
    on.allocationUpdateDesiredStatus({ ID: 'k', ClientStatus: 'running', DesiredStatus: 'stop' }),
    on.allocationUpdated({ ID: 'k', ClientStatus: 'failed', DesiredStatus: 'stop' }),
  ],
  Deployment: [
    on.planResult.deployment({ ID: 'k', Status: 'running' }),
    on.deploymentStatusUpdate({ ID: 'k', Status: 'paused' }),
    on.deploymentStatusUpdate({ ID: 'k', Status: 'cancelled' }),
  ],
  Evaluation: [
    on.evaluationUpdated({ ID: 'k', Status: 'pending' }),
    on.evaluationUpdated({ ID: 'k', Status: 'blocked' }),
    on.evaluationUpdated({ ID: 'k', Status: 'canceled' }),
  ],
  Node: [on.nodeRegistration({ ID: 'k' }), on.nodeDrain({ ID: 'k' }), on.nodeDeregistration({ ID: 'k' })],
  Service: [on.serviceRegistration({ ID: 'k' }), on.serviceDeregistration({ ID: 'k' })],
  NodePool: [on.nodePoolUpserted({ Name: 'k' }), on.nodePoolDeleted({ Name: 'k' })],
  ACLAuthMethod: [on.aclAuthMethodUpserted({ Name: 'k' }), on.aclAuthMethodDeleted({ Name: 'k' })],
  ACLBindingRule: [on.aclBindingRuleUpserted({ ID: 'k' }), on.aclBindingRuleDeleted({ ID: 'k' })],
  CSIVolume: [
    on.csiVolumeRegistered({ ID: 'k' }),
    on.csiVolumeClaim({ ID: 'k' }),
    on.csiVolumeDeregistered({ ID: 'k' }),
  ],
  Variable: [on.variableUpdated({ Path: 'k' }), on.variableUpdated({ Path: 'k' }, { deleted: true })],
};
const retainable = Object.keys(lives) as RetainableNomadTopic[];

describe('nomadTopicsRetaining', () => {
  it.each(retainable)('keeps the newest event of a %s until the last of its life', async (topic) => {
    await using broker = new EventBroker({ topics: nomadTopicsRetaining([topic]) });
    const life = lives[topic];
    for (const event of life) {
      await broker.publish(event);
      const { events, index } = broker.state({ namespace: '*' });
      expect(events.map((kept) => [kept.topic, kept.key, kept.index])).toEqual(
        event === life.at(-1) ? [] : [[topic, 'k', index]],
      );
    }
    expect(broker.stats()).toMatchObject({ retainedKeys: 0, ruleFaults: 0 });
  });

  it('keeps of the topics that are named, and nothing of others', async () => {
    await using broker = new EventBroker({ topics: nomadTopicsRetaining(['Job', 'Node']) });
    for (const [event] of Object.values(lives)) if (event) await broker.publish(event);
    expect(broker.state({ namespace: '*' }).events.map(({ topic }) => topic)).toEqual(['Job', 'Node']);
  });

  it('leaves nomadTopics as they are, and all else of them as it is', () => {
    const topics = nomadTopicsRetaining(retainable);
    expect(nomadTopics.retained).toEqual([]);
    expect(topics.names).toEqual(nomadTopics.names);
    expect(topics.requirement('Job')).toEqual(nomadTopics.requirement('Job'));
    expect(topics.namesOf('Node', 'NodeDrain')).toEqual(['Node', 'NodeDrain']);
    expect(topics.aclObject('ACLToken')).toBe('token');
  });

  it.each([
    [['Jobs'], 'cannot keep "Jobs". Did you mean "Job"?'],
    [['HostVolume'], 'cannot keep "HostVolume"'],
    [['toString'], 'cannot keep "toString"'],
    ['Job', 'takes a list of topics; got "Job"'],
  ])('refuses %j, and says which can be kept', (topics, message) => {
    expect(() => nomadTopicsRetaining(topics as never)).toThrow(TypeError);
    expect(() => nomadTopicsRetaining(topics as never)).toThrow(message);
  });
});
