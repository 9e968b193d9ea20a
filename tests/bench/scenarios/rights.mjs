// What a publish costs with 10,000 subscriptions, by how their rights tell them apart.
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const token = { name: 'tokens with equal rights', by: 'token', distinct: 1 };
const cases = {
  'an event for all': [
    token,
    { name: 'claims and a rule, 1 value', by: 'claims', distinct: 1 },
    { name: 'claims and a rule, 10,000 values', by: 'everybody', distinct: 10_000 },
  ],
  'an event for one': [
    { name: 'tokens, a namespace each', by: 'token', distinct: 10_000 },
    { name: 'what is allowed, a namespace each', by: 'scope', distinct: 10_000 },
    { name: 'claims and a rule, 10,000 values', by: 'claims', distinct: 10_000 },
  ],
};

export const title = 'Rights: a publish with 10,000 subscriptions';

export async function run({ rounds, say }) {
  const rows = [];
  for (const [name, subjects] of Object.entries(cases)) {
    const figures = await alternate(subjects, rounds, (subject) => measureWorker('rights', subject), say);
    rows.push(
      ...rowsOf(name, figures, { microsPerPublish: (of) => of.microsPerPublish, interests: (of) => of.interests }),
    );
  }
  return rows;
}

export const report = (rows) => [
  list(rows, [
    { title: 'CPU µs per publish', measure: 'microsPerPublish' },
    { title: 'interests', measure: 'interests' },
  ]),
];
