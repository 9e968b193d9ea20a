import { describe, expect, expectTypeOf, it } from 'vitest';

import type { NewEvent } from '../../src/model/event.ts';
import { nomadEvents } from '../../src/nomad/index.ts';
import type { AllocationPayload, Job, Node, NomadEvent, NomadTopicName } from '../../src/nomad/index.ts';

/** A host's own type: no index signature, and members that the library does not know. */
interface HostNode {
  ID: string;
  rack: number;
}

function summary(event: NomadEvent): string {
  switch (event.topic) {
    case 'Node':
      expectTypeOf(event.payload).toEqualTypeOf<{ readonly Node: Node }>();
      return `node ${event.payload.Node.ID}`;
    case 'Job':
      expectTypeOf(event.payload).toEqualTypeOf<{ readonly Job: Job; readonly Deleted?: true }>();
      return event.payload.Deleted === true ? 'purged' : `job ${event.payload.Job.ID}`;
    case 'Variable':
      return `${event.payload.Metadata.Path} ${event.payload.Deleted}`;
    default:
      return event.topic;
  }
}

describe('the types of Nomad events', () => {
  it('narrow the payload with the topic', () => {
    const { payload } = nomadEvents.jobRegistered({ ID: 'web' });
    const rest = { type: 'JobRegistered', key: 'web', namespace: 'default', filterKeys: [], index: 1 };
    expect(summary({ topic: 'Job', payload, ...rest })).toBe('job web');
  });

  it('are those of the topic in what a constructor makes', () => {
    expectTypeOf(nomadEvents.nodeDrain).returns.toEqualTypeOf<NewEvent<'Node', { readonly Node: Node }>>();
    expectTypeOf(nomadEvents.planResult.allocation).returns.toEqualTypeOf<NewEvent<'Allocation', AllocationPayload>>();
    expectTypeOf<NomadTopicName>().extract<'NodeDrain'>().toBeNever();
    expectTypeOf<NomadTopicName>().extract<'Node' | 'Operator'>().toEqualTypeOf<'Node' | 'Operator'>();
  });

  it("take a host's own type as well as a literal with any further members", () => {
    const own: HostNode = { ID: 'n1', rack: 4 };
    expect(nomadEvents.nodeRegistration(own).payload.Node).toEqual({ ID: 'n1', rack: 4 });
    expect(nomadEvents.nodeRegistration({ ID: 'n1', Rack: 4 }).key).toBe('n1');
  });

  it('refuse an object without its key, or a key of another type', () => {
    // @ts-expect-error a node needs its ID
    expect(() => nomadEvents.nodeRegistration({ Name: 'nomad-4' })).toThrow(TypeError);
    // @ts-expect-error an ID is a string
    expect(() => nomadEvents.jobRegistered({ ID: 7 })).toThrow(TypeError);
    // @ts-expect-error a policy is keyed by its name
    expect(() => nomadEvents.aclPolicyUpserted({ ID: 'x' })).toThrow(TypeError);
  });
});
