import { describe, expect, it } from 'vitest';

import { nomadTopicTable } from '../../src/nomad/index.ts';
import { read } from './documents.ts';
import { topicTable } from './topic-table.ts';

const [head = '', rule = '', ...rows] = topicTable().split('\n');
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('the table of Nomad’s topics', () => {
  it('stands in its guide as the code makes it', () => {
    expect(read('docs/from-nomad.md')).toContain(topicTable());
  });

  it('has a row for each topic, then one for all', () => {
    const names = rows.map((row) => cells(row)[0]?.split(' ')[0]);
    expect(names).toEqual([...Object.keys(nomadTopicTable), '*'].map((name) => `\`${name}\``));
  });

  it('is complete: every topic fills every column, and names each of its types', () => {
    for (const [i, { types }] of Object.values(nomadTopicTable).entries()) {
      const row = cells(rows[i] ?? '');
      expect(row).toHaveLength(cells(head).length);
      expect(row).not.toContain('');
      for (const type of types) expect(row[1]).toContain(`\`${type}\``);
    }
  });

  it('has lines of one width, as the formatter wants it', () => {
    expect(new Set([head, rule, ...rows].map((line) => line.length)).size).toBe(1);
    expect(rule).toMatch(/^\|( -{3,} \|)+$/);
  });

  it.each([
    [
      'Allocation',
      'ID',
      'JobID, DeploymentID',
      'yes',
      '`Allocation`, its `Job` emptied, and `Timeout: true` and `TimeoutReason` where it timed out',
      'namespace: `read-job`',
    ],
    ['ACLToken', 'AccessorID', '–', 'no', '`ACLToken`, its `SecretID` emptied', 'management'],
    ['Job', 'ID', '–', 'yes', '`Job`, and `Deleted: true` when purged', 'namespace: `read-job`'],
    ['NodePool', 'Name', '–', 'no', '`NodePool`', 'management'],
  ])('tells of %s what the library does', (name, ...expected) => {
    const row = rows.map(cells).find(([topic]) => topic === `\`${name}\``);
    expect(row?.slice(2)).toEqual(expected);
  });
});
