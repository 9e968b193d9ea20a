import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { linesUntil, RunningExample } from './run-example.ts';
import { parseOpenMetrics, type MetricFamily } from './openmetrics.ts';

const running: RunningExample[] = [];
const start = (name: string): RunningExample => {
  const example = new RunningExample(name);
  running.push(example);
  return example;
};
afterEach(() => running.splice(0).forEach((example) => example.kill()));

const guide = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');

type Metrics = ReadonlyMap<string, MetricFamily>;

/** Each name as it is scraped: of a counter its `_total`. */
const namesOf = (metrics: Metrics): readonly string[] =>
  [...metrics.values()].map(({ name, type }) => (type === 'counter' ? `${name}_total` : name));

const valueOf = (metrics: Metrics, family: string, sample: string, labels = {}): number | undefined =>
  metrics
    .get(family)
    ?.samples.find((one) => one.name === sample && JSON.stringify(one.labels) === JSON.stringify(labels))?.value;

describe('13-prometheus', () => {
  it('answers in OpenMetrics, with the names of the guide and no other, and counts what happens', async () => {
    const example = start('13-prometheus');
    const url = await example.url();
    const stream = new URL('/v1/event/stream', url).href;
    await linesUntil(stream, (line) => line.includes('"Events"'));
    expect((await fetch(`${stream}?topic=Nonsense`)).status).toBe(400);
    const scrape = async (): Promise<Metrics> => {
      const response = await fetch(url);
      expect(response.headers.get('Content-Type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
      return parseOpenMetrics(await response.text());
    };
    let metrics = await scrape();
    // That the reader has left is noticed by its socket.
    const ended = () => valueOf(metrics, 'fenceline_streams_ended', 'fenceline_streams_ended_total', { code: 'none' });
    while (ended() === undefined) metrics = await scrape();
    expect(ended()).toBe(1);
    expect(valueOf(metrics, 'fenceline_subscriptions', 'fenceline_subscriptions')).toBe(0);
    expect(valueOf(metrics, 'fenceline_latest_index', 'fenceline_latest_index')).toBeGreaterThan(0);
    expect(valueOf(metrics, 'fenceline_delivered_bytes', 'fenceline_delivered_bytes_total')).toBeGreaterThan(0);
    const refused = `fenceline_subscribe_duration_seconds`;
    expect(valueOf(metrics, refused, `${refused}_count`, { code: 'bad_request' })).toBe(1);
    expect(valueOf(metrics, refused, `${refused}_count`, { code: 'none' })).toBe(1);

    const documented = [...guide.matchAll(/^\| `(fenceline_\w+)/gm)].map(([, name]) => name);
    expect(namesOf(metrics).toSorted()).toEqual(documented.toSorted());
    expect(await example.stop()).toBe(0);
  });
});

describe('26-opentelemetry', () => {
  it('prints a span for each publish and subscribe, and the metrics', async () => {
    const example = start('26-opentelemetry');
    expect(await example.ended()).toBe(0);
    const { output } = example;
    expect(output.match(/^ {2}name: 'fenceline\.publish'/gm)).toHaveLength(4);
    expect(output.match(/^ {2}name: 'fenceline\.subscribe'/gm)).toHaveLength(2);
    expect(output).toContain(`'fenceline.index': 4`);
    expect(output).toContain(`status: { code: 2, message: 'bad_request' }`);
    const metrics = [...output.matchAll(/^ {4}name: '([\w.]+)'/gm)].map(([, name]) => name);
    expect(metrics.toSorted()).toEqual([
      'fenceline.backlog',
      'fenceline.delivered',
      'fenceline.delivered.events',
      'fenceline.gaps',
      'fenceline.streams.ended',
      'fenceline.subscriptions',
    ]);
    expect(output).toMatch(/name: 'fenceline\.gaps',[^]*?attributes: \{ reason: 'slow' \},[^]*?value: 1/);
    expect(output).toMatch(/name: 'fenceline\.streams\.ended',[^]*?attributes: \{ code: 'none' \},[^]*?value: 1/);
  });
});
