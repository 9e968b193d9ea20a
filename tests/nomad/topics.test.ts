import { describe, expect, it } from 'vitest';

import { nomadTopics, nomadTopicTable } from '../../src/nomad/index.ts';
import type { NomadTopic } from '../../src/nomad/index.ts';
import { referenceRows, typesOf } from './reference-rows.ts';

const table: Readonly<Record<string, NomadTopic>> = nomadTopicTable;

describe('nomadTopics', () => {
  it.each(Object.entries(referenceRows))('lists of %s the types and the requirement of the reference', (name, row) => {
    expect(nomadTopics.definition(name)).toMatchObject({ types: typesOf(name), key: row.key });
    expect(nomadTopics.requirement(name)).toEqual(row.needs);
  });

  it.each(Object.entries(referenceRows))('keys %s as the reference does', (name, row) => {
    expect(table[name]).toMatchObject({
      key: row.key,
      filterKeys: row.filterKeys,
      isNamespaced: row.namespaced,
      member: row.member,
    });
  });

  it('knows the topics of the reference and no other', () => {
    const names = [...Object.keys(referenceRows), 'NodeDrain', 'ACLRoles', 'CSIPlugin', 'Operator'];
    expect(nomadTopics.names?.toSorted()).toEqual(names.toSorted());
    expect(() => nomadTopics.checkKnown('Jobs', 'topic')).toThrow(
      'known topics: ACLToken, ACLPolicy, ACLRole, ACLRoles, Job,',
    );
  });

  it('needs for plugins read-job and for the operator topic operator:read', () => {
    expect(nomadTopics.requirement('CSIPlugin')).toEqual({ namespace: 'read-job' });
    expect(nomadTopics.requirement('Operator')).toEqual({ operator: 'read' });
  });

  it('takes NodeDrain for the Node events of that type, with the same needs, and publishes nothing under it', () => {
    expect(nomadTopics.namesOf('Node', 'NodeDrain')).toEqual(['Node', 'NodeDrain']);
    expect(nomadTopics.namesOf('Node', 'NodeRegistration')).toEqual(['Node']);
    expect(nomadTopics.requirement('NodeDrain')).toEqual(nomadTopics.requirement('Node'));
    expect(() => nomadTopics.checkKnown('NodeDrain', 'topic')).not.toThrow();
    expect(() => nomadTopics.checkPublished('NodeDrain', 'event')).toThrow('is an alias of "Node"');
  });

  it('takes ACLRoles, as the documentation spells it, for ACLRole, with the same needs', () => {
    for (const type of typesOf('ACLRole'))
      expect(nomadTopics.namesOf('ACLRole', type)).toEqual(['ACLRole', 'ACLRoles']);
    expect(nomadTopics.requirement('ACLRoles')).toBe('management');
    expect(() => nomadTopics.checkPublished('ACLRoles', 'event')).toThrow('is an alias of "ACLRole"');
  });

  it('has three topics that change ACLs: tokens, policies and roles', () => {
    const changing = Object.keys(table).flatMap((name) => nomadTopics.aclObject(name) ?? []);
    expect(changing).toEqual(['token', 'policy', 'role']);
    expect(nomadTopics.aclObject('ACLToken')).toBe('token');
    expect(nomadTopics.aclObject('ACLRole')).toBe('role');
    expect(nomadTopics.aclObject('ACLAuthMethod')).toBeUndefined();
  });
});
