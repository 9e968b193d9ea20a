// What the simulated cluster is made of: Nomad's objects, with the members that a reader would look for.
import { readFileSync } from 'node:fs';

import type { Allocation, Deployment, Evaluation, Job, Node, Service } from 'fenceline/nomad';

/** A job that the cluster runs. */
export interface JobSpec {
  readonly id: string;
  readonly namespace: string;
  readonly type: 'service' | 'batch';
  /** How many allocations it wants. */
  readonly count: number;
}

interface StreamLine {
  readonly Events: readonly { readonly Payload: { readonly Node: Node } }[];
}

/** The registration of a real node, as a Nomad server streamed it. */
export function sampleNode(): Node {
  const file = readFileSync(new URL('node-registration.json', import.meta.url), 'utf8');
  const [event] = (JSON.parse(file) as StreamLine).Events;
  if (event === undefined) throw new Error('node-registration.json holds no event.');
  return event.Payload.Node;
}

/** A node like another one, under a name of its own. */
export function likeNode(node: Node, id: string, name: string): Node {
  const attributes = { ...(node['Attributes'] as object), 'unique.hostname': name };
  const { CreateIndex: _created, ModifyIndex: _modified, ...rest } = node;
  return { ...rest, ID: id, Name: name, Status: 'ready', Attributes: attributes };
}

export function newJob({ id, namespace, type, count }: JobSpec, version: number, now: number): Job {
  const task = { Name: id, Driver: 'docker', Config: { image: `example/${id}:${version + 1}` } };
  return {
    ID: id,
    Name: id,
    Namespace: namespace,
    Type: type,
    Priority: 50,
    Datacenters: ['dc1'],
    Status: 'pending',
    Version: version,
    TaskGroups: [{ Name: id, Count: count, Tasks: [task] }],
    SubmitTime: inNanoseconds(now),
  };
}

export function newEvaluation(id: string, job: Job, triggeredBy: string, deployment?: Deployment): Evaluation {
  return {
    ID: id,
    Namespace: job.Namespace ?? 'default',
    Priority: 50,
    Type: job.Type,
    TriggeredBy: triggeredBy,
    JobID: job.ID,
    DeploymentID: deployment?.ID ?? '',
    Status: 'pending',
  };
}

export function newDeployment(id: string, job: Job, count: number): Deployment {
  return {
    ID: id,
    Namespace: job.Namespace ?? 'default',
    JobID: job.ID,
    JobVersion: job.Version,
    Status: 'running',
    StatusDescription: 'Deployment is running',
    TaskGroups: { [job.ID]: { DesiredTotal: count, PlacedAllocs: count, HealthyAllocs: 0 } },
  };
}

/** Where and for what an allocation is placed. */
export interface Placement {
  readonly job: Job;
  readonly node: Node;
  readonly evaluation: Evaluation;
  /** For example `web.web[0]`. */
  readonly name: string;
}

export function newAllocation(id: string, { job, node, evaluation, name }: Placement, now: number): Allocation {
  return {
    ID: id,
    Namespace: job.Namespace ?? 'default',
    EvalID: evaluation.ID,
    Name: name,
    NodeID: node.ID,
    NodeName: node.Name,
    JobID: job.ID,
    Job: job,
    TaskGroup: job.ID,
    DeploymentID: evaluation.DeploymentID ?? '',
    DesiredStatus: 'run',
    ClientStatus: 'pending',
    CreateTime: inNanoseconds(now),
  };
}

/** The service that an allocation offers: its ID is the same each time it is asked for. */
export function serviceOf(allocation: Allocation): Service {
  return {
    ID: `_nomad-task-${allocation.ID}-http`,
    ServiceName: `${allocation.JobID}-http`,
    Namespace: allocation.Namespace ?? 'default',
    NodeID: allocation.NodeID ?? '',
    Datacenter: 'dc1',
    JobID: allocation.JobID ?? '',
    AllocID: allocation.ID,
    Tags: ['http'],
    Address: '127.0.0.1',
    Port: 20_000 + (Number.parseInt(allocation.ID.slice(0, 4), 16) % 12_000),
  };
}

/** As Nomad counts: since 1970. */
function inNanoseconds(ms: number): number {
  return ms * 1_000_000;
}
