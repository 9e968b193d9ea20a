import { renderChart } from './chart.ts';
import type { Growth, Minute } from './measurements.ts';

/** All that a soak found, as it is kept in result.json: the table and the chart are made of it. */
export interface SoakResult {
  readonly at: string;
  readonly seed: number;
  readonly wantedMinutes: number;
  readonly engine: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string; readonly os: string };
  /** What other work the machine had, as who ran it says. */
  readonly note: string;
  readonly minutes: readonly Minute[];
  readonly readers: readonly {
    readonly kind: string;
    readonly readers: number;
    readonly batches: number;
    readonly connections: number;
    readonly gaps: number;
  }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly growth: Growth;
  readonly violations: Readonly<Record<'loss' | 'double' | 'leak' | 'state' | 'end' | 'left', number>>;
}

/** What of a result was wrong, in a word for each; nothing when all was well. */
export function failuresOf({ violations, growth }: SoakResult): readonly string[] {
  const found = Object.entries(violations).filter(([, count]) => count > 0);
  return [
    ...found.map(([kind, count]) => `${count} × ${kind}`),
    ...(growth.toBytes > growth.allowedBytes ? [`the heap has grown to ${megabytes(growth.toBytes)} MB`] : []),
  ];
}

/** The report as Markdown, with the chart beside it. */
export function renderMarkdown(result: SoakResult, chart: string): string {
  const { at, seed, wantedMinutes, engine, machine, note, counts, growth, minutes, violations } = result;
  const failures = failuresOf(result);
  const conditions = [at.slice(0, 10), `node ${machine.node}`, `${machine.cores} × ${machine.cpu}`, `seed ${seed}`];
  return [
    `${wantedMinutes} minutes over ${engine}: ${failures.length === 0 ? 'nothing was wrong' : failures.join(', ')}.`,
    table(
      ['what must not be', 'found'],
      [
        ['an event that a reader should have had, and that no gap told of', violations.loss],
        ['an event or an index that came twice, or out of order', violations.double],
        ['an event past a revocation, past the end of a token, or of a tenant that was not allowed', violations.leak],
        ['a state that was told as current and was not', violations.state],
        ['a stream that ended for a reason that it should not have had', violations.end],
        ['a subscription or interest that was left when all had gone', violations.left],
      ],
    ),
    `The heap of the server that ran through, after its collector ran: ${megabytes(growth.fromBytes)} MB in the ` +
      `second quarter, ${megabytes(growth.toBytes)} MB in the last. Allowed: ${megabytes(growth.allowedBytes)} MB.`,
    `![Latencies and memory by minute](${chart})`,
    table(
      ['minute', 'published', 'delivered', 'p50 ms', 'p99 ms', 'heap MB', 'resident MB'],
      minutes.map((one) => [
        one.minute,
        grouped(one.published),
        grouped(one.delivered),
        rounded(one.p50),
        rounded(one.p99),
        rounded(one.heapMegabytes),
        rounded(one.residentMegabytes),
      ]),
    ),
    table(
      ['readers', 'how many', 'batches', 'connections', 'gaps told'],
      result.readers.map((one) => [
        one.kind,
        one.readers,
        grouped(one.batches),
        grouped(one.connections),
        grouped(one.gaps),
      ]),
    ),
    table(
      ['what was done to them', 'times'],
      Object.entries(counts).map(([name, count]) => [name, grouped(count)]),
    ),
    `<sub>${conditions.join(', ')}${note === '' ? '' : `. ${note}`}</sub>`,
  ].join('\n\n');
}

/** Latencies above, memory below. */
export function renderSoakChart({ minutes, engine }: SoakResult): string {
  const values = (of: (minute: Minute) => number): readonly number[] => minutes.map(of);
  return renderChart(
    `Soak over ${engine}`,
    [
      {
        title: 'From publish to reader, ms',
        lines: [
          { name: 'p50', color: '#2a7', values: values(({ p50 }) => p50) },
          { name: 'p99', color: '#c50', values: values(({ p99 }) => p99) },
        ],
      },
      {
        title: 'Memory of a server, MB, by minute',
        lines: [
          { name: 'heap', color: '#36c', values: values(({ heapMegabytes }) => heapMegabytes) },
          { name: 'resident', color: '#93a', values: values(({ residentMegabytes }) => residentMegabytes) },
        ],
      },
    ],
    minutes.map(({ minute }) => minute),
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const grouped = (value: number): string => value.toLocaleString('en-US');
const rounded = (value: number): string => (value < 100 ? value.toFixed(1) : grouped(Math.round(value)));
