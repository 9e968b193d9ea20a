// What the immutable copy of a payload costs, against the other ways to make one.
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const copy = { name: 'the copy that publishing makes', way: 'snapshot' };
const subjects = [
  copy,
  { name: 'a payload that is frozen all the way down: looked through, not copied', way: 'frozen' },
  { name: '`structuredClone`, not frozen', way: 'structuredClone' },
  { name: '`JSON.parse(JSON.stringify(…))`, not frozen', way: 'json' },
];
const cases = [250, 2000, 20_000];

export const title = 'Copying a payload';

export async function run({ isQuick, rounds, say }) {
  const seconds = isQuick ? 0.2 : 0.5;
  const rows = [];
  for (const bytes of cases) {
    const measure = ({ way }) => measureWorker('copying', { way, bytes, seconds });
    const figures = await alternate(subjects, rounds, measure, say);
    const measures = { microseconds: (of) => of.microseconds, kilobytes: (of) => of.bytesHeld / 1024 };
    rows.push(...rowsOf(`${bytes.toLocaleString('en')} B of JSON`, figures, measures));
  }
  return rows;
}

export const report = (rows) => [
  'A payload of orders with a few lines each. The heap is what one thousand copies hold, garbage collected.',
  list(rows, [
    { title: 'CPU µs', measure: 'microseconds' },
    { title: '× the copy', measure: 'microseconds', reference: copy.name },
    { title: 'KB held by each', measure: 'kilobytes' },
  ]),
];
