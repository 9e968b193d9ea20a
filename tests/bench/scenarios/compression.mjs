// What one delivered event costs where each is compressed, and how much is sent.
import { compressed, compressedEach, everyTurn, raw } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const slow = { clients: 1000, bytes: 350, burst: 16, rate: 0.5, warmSeconds: 20 };

/** So few publishes or bursts a second that whoever compresses for each keeps up: nothing is joined. */
const cases = [
  { name: '100 clients, 350 B, single, 4 a second', clients: 100, bytes: 350, burst: 1, rate: 4 },
  { name: '1,000 clients, 350 B, single, 4 a second', clients: 1000, bytes: 350, burst: 1, rate: 4 },
  // Longer, since code that runs so seldom takes long to be compiled.
  { name: '1,000 clients, 350 B, bursts of 16, one in 2 s', ...slow },
];

export const title = 'Compressed streams';

export async function run({ isQuick, rounds, say, only }) {
  const rows = [];
  const duration = isQuick ? { seconds: 2, warmSeconds: 2 } : { seconds: 6, warmSeconds: 4 };
  for (const { name, ...params } of cases) {
    if (!name.includes(only)) continue;
    say(name);
    const measure = (contender) =>
      measureHttp(contender, 'paced', {
        ...duration,
        ...params,
        isWhole: true,
        isGzip: [compressed, compressedEach].includes(contender),
      });
    const figures = await alternate([raw, compressedEach, everyTurn, compressed], rounds, measure, say);
    rows.push(
      ...rowsOf(name, figures, {
        deliveriesPerCpuSecond: ({ deliveries, cpuSeconds }) => deliveries / cpuSeconds,
        cpuMicrosPerDelivery: ({ deliveries, cpuSeconds }) => (cpuSeconds / deliveries) * 1e6,
        bytesPerDelivery: ({ sentBytes, deliveries }) => sentBytes / deliveries,
        noise: ({ noise }) => noise,
      }),
    );
  }
  return rows;
}

export function report(rows) {
  const names = [...new Set(rows.map((row) => row.case))];
  return [
    'Bytes are those on the socket, HTTP’s framing included. ' +
      'The middleware’s flush is zlib’s full one: what follows cannot refer to what came before.',
    ...names.flatMap((name) => [
      `${name}:`,
      list(
        rows.filter((row) => row.case === name),
        [
          { title: 'CPU µs per delivery', measure: 'cpuMicrosPerDelivery' },
          {
            title: 'deliveries per CPU second, × each by itself',
            measure: 'deliveriesPerCpuSecond',
            reference: compressedEach.name,
          },
          { title: 'bytes per delivery', measure: 'bytesPerDelivery' },
          { title: '× each by itself', measure: 'bytesPerDelivery', reference: compressedEach.name },
        ],
      ),
    ]),
  ];
}
