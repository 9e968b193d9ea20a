import { describe, expect, it } from 'vitest';

import type { NewEvent } from '../../src/model/event.ts';
import { nomadEvents, nomadTopics } from '../../src/nomad/index.ts';
import { referenceRows } from './reference-rows.ts';

type Constructor = (object: object) => NewEvent;

/** `ACLTokenUpserted` → `aclTokenUpserted`. */
function camelCase(type: string): string {
  return type.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (start) => start.toLowerCase());
}

function constructorOf(topic: string, type: string): Constructor {
  const group: object = type === 'PlanResult' ? nomadEvents.planResult : nomadEvents;
  const name = camelCase(type === 'PlanResult' ? topic : type);
  const construct = (group as Record<string, Constructor>)[name];
  if (construct === undefined) throw new Error(`There is no constructor ${name}.`);
  return construct;
}

const cases = Object.entries(referenceRows).flatMap(([topic, row]) => row.types.map((type) => ({ topic, type, row })));

const object = {
  Description: 'first',
  ID: 'an-id',
  AccessorID: 'an-accessor',
  Path: 'a/path',
  Name: 'a-name',
  Namespace: 'prod',
  JobID: 'a-job',
  DeploymentID: 'a-deployment',
  ServiceName: 'a-service',
  AuthMethod: 'a-method',
  PluginID: 'a-plugin',
  Last: { Nested: [1, null, 'x'] },
};

const read = (name: string) => (object as Record<string, unknown>)[name];

describe('nomadEvents', () => {
  it.each(cases)('$type of the topic $topic derives what the reference says', ({ topic, type, row }) => {
    const { payload, ...event } = constructorOf(topic, type)(object);
    expect(event).toEqual({
      topic,
      type,
      key: read(row.key),
      namespace: row.namespaced ? 'prod' : '',
      filterKeys: row.filterKeys.map(read),
    });
    expect(Object.keys(payload as object)[0]).toBe(row.member);
    expect((payload as Record<string, unknown>)[row.member]).toEqual(object);
  });

  it.each(cases)('$type of the topic $topic refuses an object without its key, by name', ({ topic, type, row }) => {
    const construct = constructorOf(topic, type);
    for (const key of [undefined, '', 7, null]) {
      const message = `${row.member}.${row.key} must be a string that is not empty; got`;
      expect(() => construct({ ...object, [row.key]: key })).toThrow(TypeError);
      expect(() => construct({ ...object, [row.key]: key })).toThrow(message);
    }
    expect(() => construct(null as never)).toThrow(`${row.member} must be an object; got null.`);
  });

  it('has a constructor for each event type of the topics and no other', () => {
    const named = cases.filter(({ type }) => type !== 'PlanResult').map(({ type }) => camelCase(type));
    expect(Object.keys(nomadEvents).toSorted()).toEqual(
      [...named, 'planResult', 'csiPlugin', 'operator', 'change', 'fromWire'].toSorted(),
    );
    expect(Object.keys(nomadEvents.planResult).toSorted()).toEqual(['allocation', 'deployment', 'evaluation', 'job']);
  });

  it.each(cases)('$type of the topic $topic is publishable', ({ topic, type }) => {
    const event = constructorOf(topic, type)(object);
    expect(() => nomadTopics.checkPublished(event.topic, 'event')).not.toThrow();
  });

  it('puts a namespaced object without namespace into default', () => {
    expect(nomadEvents.jobRegistered({ ID: 'web' }).namespace).toBe('default');
    expect(nomadEvents.jobRegistered({ ID: 'web', Namespace: '' }).namespace).toBe('default');
  });

  it('gives an object without namespace none, even where it has such a member', () => {
    expect(nomadEvents.nodeRegistration({ ID: 'n1', Namespace: 'prod' }).namespace).toBe('');
  });

  it('leaves filter keys out that are empty, absent or null', () => {
    const { filterKeys } = nomadEvents.allocationCreated({ ID: 'a1', JobID: 'web', DeploymentID: '' });
    expect(filterKeys).toEqual(['web']);
    expect(nomadEvents.evaluationUpdated({ ID: 'e1' }).filterKeys).toEqual([]);
    expect(nomadEvents.evaluationUpdated({ ID: 'e1', JobID: null } as never).filterKeys).toEqual([]);
  });

  it('refuses a filter key or a namespace that is no string, by name', () => {
    expect(() => nomadEvents.allocationCreated({ ID: 'a1', JobID: 7 } as never)).toThrow(
      'Allocation.JobID must be a string or left out; got 7.',
    );
    expect(() => nomadEvents.jobRegistered({ ID: 'web', Namespace: {} } as never)).toThrow(
      new TypeError('Job.Namespace must be a string or left out; got a value of type object.'),
    );
  });

  it('says Deleted of a purged job alone', () => {
    const job = { ID: 'web' };
    for (const deregistered of [nomadEvents.jobDeregistered, nomadEvents.jobBatchDeregistered]) {
      expect(deregistered(job, { purge: true }).payload).toEqual({ Job: job, Deleted: true });
      expect(deregistered(job, { purge: false }).payload).toEqual({ Job: job });
      expect(deregistered(job).payload).toEqual({ Job: job });
    }
  });

  it('says of every variable whether it is deleted', () => {
    const metadata = { Path: 'a/b' };
    expect(nomadEvents.variableUpdated(metadata).payload).toEqual({ Metadata: metadata, Deleted: false });
    expect(nomadEvents.variableUpdated(metadata, { deleted: true }).payload).toEqual({
      Metadata: metadata,
      Deleted: true,
    });
  });

  it('makes the event of any object that a change touched, with the type of the change', () => {
    for (const topic of Object.keys(referenceRows).filter((name) => name !== 'Variable')) {
      const change = nomadEvents.change as (...args: readonly unknown[]) => NewEvent;
      const own = constructorOf(topic, referenceRows[topic]?.types[0] ?? '')(object);
      expect(change(topic, 'NodeRegistration', object)).toEqual({ ...own, type: 'NodeRegistration' });
    }
    const purged = nomadEvents.change('Job', 'JobDeregistered', { ID: 'web' }, { Deleted: true });
    expect(purged).toEqual(nomadEvents.jobDeregistered({ ID: 'web' }, { purge: true }));
  });

  it('refuses a type that is no change of Nomad, and names the nearest', () => {
    expect(() => nomadEvents.change('Evaluation', 'JobRegisterd' as never, { ID: 'e' })).toThrow(
      new RegExp('Nomad has no event type "JobRegisterd"\\. Did you mean "JobRegistered"\\? Known: ACLTokenUpserted, '),
    );
  });

  it('says Timeout of an allocation that timed out alone', () => {
    const { allocationUpdated, planResult } = nomadEvents;
    const allocation = { ID: 'a1' };
    for (const construct of [allocationUpdated, planResult.allocation]) {
      expect(construct(allocation).payload).toEqual({ Allocation: allocation });
      expect(construct(allocation, { timeout: true, timeoutReason: 'max_run' }).payload).toEqual({
        Allocation: allocation,
        Timeout: true,
        TimeoutReason: 'max_run',
      });
    }
  });

  it('gives a plugin event the type of the change that touched the plugin', () => {
    expect(nomadEvents.csiPlugin('NodeRegistration', { ID: 'ebs' })).toEqual({
      topic: 'CSIPlugin',
      type: 'NodeRegistration',
      key: 'ebs',
      namespace: '',
      filterKeys: ['ebs'],
      payload: { Plugin: { ID: 'ebs' } },
    });
    expect(() => nomadEvents.csiPlugin('NodeRegistration', {} as never)).toThrow('Plugin.ID must be a string');
  });

  it('passes an operator event on as it is', () => {
    const event = nomadEvents.operator('SchedulerConfigUpdated', 'scheduler', { Preemption: true });
    expect(event).toEqual({
      topic: 'Operator',
      type: 'SchedulerConfigUpdated',
      key: 'scheduler',
      payload: { Preemption: true },
    });
  });
});
