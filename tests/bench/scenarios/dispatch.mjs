// One reader in the same process.
import { graphqlSubscriptions, locals } from '../contenders/local/index.mjs';
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const cases = [
  { name: 'payload of one number', bytes: 0 },
  { name: 'payload of 250 B', bytes: 250 },
];

export const title = 'In process: one reader';

export async function run({ isQuick, rounds, say }) {
  const time = isQuick ? { seconds: 0.3, warmSeconds: 0.3 } : { seconds: 1, warmSeconds: 0.5 };
  const rows = [];
  for (const { name, bytes } of cases) {
    const measure = ({ module }) => measureWorker('dispatch', { module, bytes, ...time });
    const figures = await alternate(locals, rounds, measure, say);
    rows.push(...rowsOf(name, figures, { eventsPerCpuSecond: ({ eventsPerCpuSecond }) => eventsPerCpuSecond }));
  }
  return rows;
}

export const report = (rows) => [
  'Only fenceline copies and freezes the payload, keeps a backlog and gives each event an index; the others hand on the caller’s own object.',
  list(rows, [
    { title: 'events per CPU second', measure: 'eventsPerCpuSecond' },
    { title: '× graphql-subscriptions', measure: 'eventsPerCpuSecond', reference: graphqlSubscriptions.name },
  ]),
];
