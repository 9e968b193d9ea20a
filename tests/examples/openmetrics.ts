// Reads the text format of OpenMetrics 1.0, and refuses what its specification forbids: what a strict scraper does.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
  readonly samples: readonly Sample[];
}

/** What the name of a sample may add to its family's. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_count', '_sum', '_created'],
};

/** @throws Error that names the line and the rule */
export function parseOpenMetrics(text: string): ReadonlyMap<string, MetricFamily> {
  if (!text.endsWith('# EOF\n') && !text.endsWith('# EOF')) throw new Error('The last line must be # EOF.');
  const families = new Map<string, { -readonly [K in keyof MetricFamily]: MetricFamily[K] } & { samples: Sample[] }>();
  let current = '';
  const lines = text.replace(/\n$/, '').split('\n').slice(0, -1);
  for (const line of lines) {
    const refuse = (rule: string): never => {
      throw new Error(`${rule}: ${line}`);
    };
    const meta = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line);
    if (meta) {
      const [, kind = '', name = '', rest = ''] = meta;
      if (name !== current) {
        if (families.has(name)) refuse('A family must not be interleaved with others');
        families.set(name, { name, type: '', help: '', unit: '', samples: [] });
        current = name;
      }
      const family = families.get(name);
      const field = kind.toLowerCase() as 'help' | 'type' | 'unit';
      if (family === undefined || family[field] !== '') refuse('Metadata must stand once');
      else if (family.samples.length > 0) refuse('Metadata must stand before the samples');
      else family[field] = rest;
      if (kind === 'TYPE' && !(rest in suffixes)) refuse('Unknown type');
      continue;
    }
    const [, name = '', labels = '', value = ''] =
      /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+(?:\.\d+)?)?$/.exec(line) ??
      refuse('Neither metadata nor a sample');
    const family = families.get(current) ?? refuse('A sample must follow its family’s metadata');
    if (!(suffixes[family.type] ?? []).some((suffix) => name === family.name + suffix))
      refuse(`Not the name of a sample of ${family.name}, a ${family.type}`);
    if (!/^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/.test(value)) refuse('Not a number');
    const sample = { name, labels: parseLabels(labels, refuse), value: Number(value.replace('Inf', 'Infinity')) };
    if (family.type !== 'gauge' && sample.value < 0) refuse('Must not be negative');
    if (family.samples.some((other) => other.name === name && same(other.labels, sample.labels)))
      refuse('A sample must stand once');
    family.samples.push(sample);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function parseLabels(text: string, refuse: (rule: string) => never): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest) ?? refuse('Not a list of labels');
    const [whole, name = '', value = ''] = match;
    if (name in labels) refuse('A label must stand once');
    labels[name] = value;
    rest = rest.slice(whole.length);
  }
  return labels;
}

function checkFamily({ name, type, help, unit, samples }: MetricFamily): void {
  if (type === '' || help === '') throw new Error(`${name} has no type or no help.`);
  if (unit !== '' && !name.endsWith(`_${unit}`)) throw new Error(`${name} must end with its unit, ${unit}.`);
  if (type === 'counter' && name.endsWith('_total')) throw new Error(`${name}: a family is named without _total.`);
  if (type === 'histogram') checkHistogram(name, samples);
}

/** Buckets of equal labels rise to +Inf, which is the count. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  for (const count of samples.filter((sample) => sample.name === `${name}_count`)) {
    const buckets = samples
      .filter((sample) => sample.name === `${name}_bucket`)
      .map(({ labels: { le = '', ...labels }, value }) => ({
        le: Number(le.replace('Inf', 'Infinity')),
        labels,
        value,
      }))
      .filter(({ labels }) => same(labels, count.labels));
    const isRising = buckets.every(({ le, value }, at) => {
      const before = buckets[at - 1];
      return before === undefined || (before.le < le && before.value <= value);
    });
    const last = buckets.at(-1);
    if (!isRising || last?.le !== Infinity || last.value !== count.value)
      throw new Error(`${name}: buckets must rise to +Inf, which is the count.`);
    if (!samples.some((sample) => sample.name === `${name}_sum` && same(sample.labels, count.labels)))
      throw new Error(`${name} has no sum.`);
  }
}

const same = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean =>
  JSON.stringify(Object.entries(one).toSorted()) === JSON.stringify(Object.entries(other).toSorted());
