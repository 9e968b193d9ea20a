import type { Allocation, Deployment, Evaluation, Job, NewNomadEvent, Node } from 'fenceline/nomad';
import { nomadEvents } from 'fenceline/nomad';

import type { JobSpec } from './objects.ts';
import { likeNode, newAllocation, newDeployment, newEvaluation, newJob, sampleNode, serviceOf } from './objects.ts';
import type { Random } from './random.ts';

/** The events of one change: they are published as one batch. */
export type Change = readonly NewNomadEvent[];

/** Some of a cluster's life, change by change. */
type Story = Generator<Change, void>;

interface RunningJob {
  readonly spec: JobSpec;
  readonly job: Job;
  readonly allocations: readonly Allocation[];
}

const nodeNames = ['nomad-5', 'nomad-6', 'nomad-7'];

const services: readonly JobSpec[] = [
  { id: 'web', namespace: 'default', type: 'service', count: 3 },
  { id: 'api', namespace: 'default', type: 'service', count: 2 },
  { id: 'web', namespace: 'prod', type: 'service', count: 4 },
  { id: 'payments', namespace: 'prod', type: 'service', count: 2 },
  { id: 'cache', namespace: 'team-a', type: 'service', count: 1 },
];

const nightlyReport: JobSpec = { id: 'report', namespace: 'team-a', type: 'batch', count: 2 };

/** A small cluster that lives by a random number generator: each seed tells its own story, the same every time. */
export class Cluster {
  readonly #random: Random;
  readonly #now: () => number;
  readonly #nodes = new Map<string, Node>();
  /** By namespace and ID. */
  readonly #jobs = new Map<string, RunningJob>();
  readonly #versions = new Map<string, number>();

  constructor(random: Random, now: () => number) {
    this.#random = random;
    this.#now = now;
  }

  /** Never ends. The first change is the registration of the sample node. */
  *life(): Story {
    const first = sampleNode();
    yield* this.#join(first);
    for (const name of nodeNames) yield* this.#join(likeNode(first, this.#random.id(), name));
    for (const spec of services) yield* this.#deploy(spec);
    for (;;) yield* this.#next();
  }

  #next(): Story {
    const stopped = services.filter((spec) => !this.#jobs.has(nameOf(spec)));
    const deployed = [...this.#jobs.values()];
    const node = this.#random.pick([...this.#nodes.values()]);
    const joined = [...this.#nodes.values()].slice(1);
    const stories: (() => Story)[] = [
      () => this.#deploy(this.#random.pick(stopped.length > 0 ? stopped : services)),
      () => this.#crash(this.#random.pick(deployed)),
      () => this.#crash(this.#random.pick(deployed)),
      () => this.#runBatch(nightlyReport),
      () => this.#report(node),
      () => this.#drain(node),
      // The sample node, which is the first, stays.
      () => this.#renew(this.#random.pick(joined)),
    ];
    // Most jobs stay up: otherwise there would soon be nothing to tell of.
    if (stopped.length === 0) stories.push(() => this.#stop(this.#random.pick(deployed)));
    return this.#random.pick(stories)();
  }

  *#join(node: Node): Story {
    this.#nodes.set(node.ID, node);
    yield [nomadEvents.nodeRegistration(node)];
  }

  /** A job is registered, or a new version of it: what ran of the old version stops, the new one starts. */
  *#deploy(spec: JobSpec): Story {
    const old = this.#jobs.get(nameOf(spec))?.allocations ?? [];
    const job = this.#nextVersion(spec);
    const deployment = newDeployment(this.#random.id(), job, spec.count);
    const evaluation = newEvaluation(this.#random.id(), job, 'job-register', deployment);
    yield [nomadEvents.jobRegistered(job)];
    yield [nomadEvents.evaluationUpdated(evaluation)];
    const placed = this.#place(job, evaluation, namesIn(spec));
    yield this.#plan(evaluation, [...old.map(toStop), ...placed], deployment);
    yield* this.#end(old.map(toStop), 'complete');
    this.#jobs.set(nameOf(spec), { spec, job, allocations: yield* this.#begin(placed) });
    yield* this.#succeed(deployment, job);
    yield [nomadEvents.evaluationUpdated({ ...evaluation, Status: 'complete' })];
  }

  *#succeed(deployment: Deployment, job: Job): Story {
    yield [nomadEvents.deploymentAllocHealth(deployment)];
    // Later versions are tried on a few allocations first, and then promoted.
    if (job.Version !== 0) yield [nomadEvents.deploymentPromotion(deployment)];
    const done = { Status: 'successful', StatusDescription: 'Deployment completed successfully' };
    yield [nomadEvents.deploymentStatusUpdate({ ...deployment, ...done })];
  }

  /** An allocation fails, and another one takes its place. */
  *#crash({ spec, job, allocations }: RunningJob): Story {
    const failed = this.#random.pick(allocations);
    const ended = yield* this.#end([failed], 'failed');
    const kept = allocations.filter((allocation) => allocation !== failed);
    yield* this.#replace({ spec, job, allocations: kept }, ended, 'alloc-failure');
  }

  /** Places as many allocations as the job has lost. */
  *#replace({ spec, job, allocations }: RunningJob, lost: readonly Allocation[], triggeredBy: string): Story {
    const evaluation = newEvaluation(this.#random.id(), job, triggeredBy);
    yield [nomadEvents.evaluationUpdated(evaluation)];
    const placed = this.#place(
      job,
      evaluation,
      lost.map(({ Name = job.ID }) => Name),
    );
    yield this.#plan(evaluation, [...lost.map(toStop), ...placed]);
    const begun = yield* this.#begin(placed);
    this.#jobs.set(nameOf(spec), { spec, job, allocations: [...allocations, ...begun] });
    yield [nomadEvents.evaluationUpdated({ ...evaluation, Status: 'complete' })];
  }

  /** A node is emptied, and takes part again. */
  *#drain(node: Node): Story {
    const draining = yield* this.#empty(node);
    yield [nomadEvents.nodeDrain({ ...draining, Drain: false })];
    this.#nodes.set(node.ID, node);
    yield [nomadEvents.nodeEligibility(node)];
  }

  /** A node leaves for good, and a new one of the same name joins. */
  *#renew(node: Node): Story {
    const draining = yield* this.#empty(node);
    this.#nodes.delete(node.ID);
    yield [nomadEvents.nodeDeregistration({ ...draining, Status: 'down' })];
    yield* this.#join(likeNode(node, this.#random.id(), node.Name ?? ''));
  }

  *#empty(node: Node): Generator<Change, Node> {
    const draining = { ...node, Drain: true, SchedulingEligibility: 'ineligible' };
    this.#nodes.set(node.ID, draining);
    yield [nomadEvents.nodeDrain(draining)];
    for (const running of this.#jobs.values()) yield* this.#leave(node, running);
    return draining;
  }

  *#leave(node: Node, { spec, job, allocations }: RunningJob): Story {
    const leaving = allocations.filter(({ NodeID }) => NodeID === node.ID);
    if (leaving.length === 0) return;
    const stopping = leaving.map(toStop);
    yield stopping.map((allocation) => nomadEvents.allocationUpdateDesiredStatus(allocation));
    const ended = yield* this.#end(stopping, 'complete');
    const kept = allocations.filter(({ NodeID }) => NodeID !== node.ID);
    yield* this.#replace({ spec, job, allocations: kept }, ended, 'node-drain');
  }

  /** A batch job runs to its end. */
  *#runBatch(spec: JobSpec): Story {
    const job = this.#nextVersion(spec);
    const evaluation = newEvaluation(this.#random.id(), job, 'job-register');
    yield [nomadEvents.jobRegistered(job)];
    yield [nomadEvents.evaluationUpdated(evaluation)];
    const placed = this.#place(job, evaluation, namesIn(spec));
    yield this.#plan(evaluation, placed);
    for (const allocation of placed) yield [nomadEvents.allocationUpdated({ ...allocation, ClientStatus: 'running' })];
    for (const allocation of placed) yield [nomadEvents.allocationUpdated({ ...allocation, ClientStatus: 'complete' })];
    yield [nomadEvents.evaluationUpdated({ ...evaluation, Status: 'complete' })];
  }

  /** A job is stopped and purged, until it is deployed anew. */
  *#stop({ spec, job, allocations }: RunningJob): Story {
    this.#jobs.delete(nameOf(spec));
    this.#versions.delete(nameOf(spec));
    const evaluation = newEvaluation(this.#random.id(), job, 'job-deregister');
    yield [nomadEvents.jobDeregistered({ ...job, Status: 'dead' }, { purge: true })];
    yield [nomadEvents.evaluationUpdated(evaluation)];
    const stopping = allocations.map(toStop);
    yield this.#plan(evaluation, stopping);
    yield* this.#end(stopping, 'complete');
    yield [nomadEvents.evaluationUpdated({ ...evaluation, Status: 'complete' })];
  }

  *#report(node: Node): Story {
    const message = this.#random.pick(['Driver docker is healthy', 'Node heartbeat missed', 'Node re-registered']);
    const event = { Message: message, Subsystem: 'Cluster', Timestamp: new Date(this.#now()).toISOString() };
    yield [nomadEvents.nodeStreamEvent({ ...node, Events: [event] })];
  }

  /** What the scheduler decided, in one batch: allocations, deployment and evaluation share an index and a type. */
  #plan(evaluation: Evaluation, allocations: readonly Allocation[], deployment?: Deployment): Change {
    return [
      ...allocations.map((allocation) => nomadEvents.planResult.allocation(allocation)),
      ...(deployment === undefined ? [] : [nomadEvents.planResult.deployment(deployment)]),
      nomadEvents.planResult.evaluation(evaluation),
    ];
  }

  #place(job: Job, evaluation: Evaluation, names: readonly string[]): readonly Allocation[] {
    const eligible = [...this.#nodes.values()].filter((node) => node.SchedulingEligibility === 'eligible');
    return names.map((name) =>
      newAllocation(this.#random.id(), { job, node: this.#random.pick(eligible), evaluation, name }, this.#now()),
    );
  }

  /** Allocations come up, one after the other, and offer their services. */
  *#begin(placed: readonly Allocation[]): Generator<Change, readonly Allocation[]> {
    const running = placed.map((allocation) => ({ ...allocation, ClientStatus: 'running' }));
    for (const allocation of running) {
      yield [nomadEvents.allocationUpdated(allocation)];
      yield [nomadEvents.serviceRegistration(serviceOf(allocation))];
    }
    return running;
  }

  /** Their services are taken back, and then they end. @returns them as they ended */
  *#end(
    allocations: readonly Allocation[],
    clientStatus: 'complete' | 'failed',
  ): Generator<Change, readonly Allocation[]> {
    const ended = allocations.map((allocation) => ({ ...allocation, ClientStatus: clientStatus }));
    for (const allocation of ended) {
      yield [nomadEvents.serviceDeregistration(serviceOf(allocation))];
      yield [nomadEvents.allocationUpdated(allocation)];
    }
    return ended;
  }

  #nextVersion(spec: JobSpec): Job {
    const version = this.#versions.get(nameOf(spec)) ?? 0;
    this.#versions.set(nameOf(spec), version + 1);
    return newJob(spec, version, this.#now());
  }
}

function toStop(allocation: Allocation): Allocation {
  return { ...allocation, DesiredStatus: 'stop' };
}

/** Names of all allocations of a job. */
function namesIn({ id, count }: JobSpec): readonly string[] {
  return Array.from({ length: count }, (_, slot) => `${id}.${id}[${slot}]`);
}

function nameOf({ namespace, id }: JobSpec): string {
  return `${namespace}/${id}`;
}
