// What publishing costs against the number of subscriptions.
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const none = { name: 'no subscription', subscriptions: 0, isMatching: false };
const subjects = [
  none,
  { name: '1 that matches', subscriptions: 1, isMatching: true },
  { name: '100 that match', subscriptions: 100, isMatching: true },
  { name: '10,000 that match', subscriptions: 10_000, isMatching: true },
  { name: '10,000 that do not', subscriptions: 10_000, isMatching: false },
];

export const title = 'Publishing';

export async function run({ isQuick, rounds, say }) {
  const seconds = isQuick ? 0.4 : 1;
  const figures = await alternate(
    subjects,
    rounds,
    (subject) => measureWorker('publishing', { ...subject, seconds }),
    say,
  );
  return rowsOf('', figures, { publishesPerCpuSecond: ({ publishesPerCpuSecond }) => publishesPerCpuSecond });
}

export const report = (rows) => [
  'Publishes of one event of 250 B per CPU second, in bursts of 16, against the number of subscriptions; matching ones encode it as ndjson and take it in process, without a socket.',
  list(rows, [
    { title: 'publishes per CPU second', measure: 'publishesPerCpuSecond' },
    { title: '× no subscription', measure: 'publishesPerCpuSecond', reference: none.name },
  ]),
];
