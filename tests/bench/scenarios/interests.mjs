// In process, one event to one of many subscriptions: the cost must not grow with those that do not match.
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const few = { name: '1 of 10', subscriptions: 10 };
const many = { name: '1 of 10,000', subscriptions: 10_000 };

export const title = 'In process: one event to one subscription of many';

export async function run({ rounds, say }) {
  const rows = [];
  for (const by of ['key', 'namespace']) {
    const measure = ({ subscriptions }) => measureWorker('interests', { by, subscriptions });
    const figures = await alternate([few, many], rounds, measure, say);
    rows.push(...rowsOf(`as many ${by}s`, figures, { microsPerEvent: ({ microsPerEvent }) => microsPerEvent }));
  }
  return rows;
}

export const report = (rows) => [
  list(rows, [
    { title: 'CPU µs per event', measure: 'microsPerEvent' },
    { title: '× the cost of 1 of 10', measure: 'microsPerEvent', reference: few.name },
  ]),
];
