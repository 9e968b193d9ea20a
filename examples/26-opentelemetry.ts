// Spans and metrics for OpenTelemetry, from the broker's diagnostics channels and figures. Here they are printed; give
// the providers your own exporters. Run it: npm run example examples/26-opentelemetry.ts
import { subscribe, tracingChannel } from 'node:diagnostics_channel';
import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BrokerError, EventBroker, type DiagnosticsMessages } from 'fenceline';
import { topics } from './orders.ts';

const traces = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] });
const reader = new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() });
const metrics = new MeterProvider({ readers: [reader] });
const [tracer, meter] = [traces.getTracer('fenceline'), metrics.getMeter('fenceline')];

type Traced = 'fenceline.publish' | 'fenceline.subscribe';

/** One span for each call, from its start to its answer. */
function span<Name extends Traced>(
  channel: Name,
  kind: SpanKind,
  describe: (span: Span, message: DiagnosticsMessages[Name]) => void,
): void {
  const spans = new WeakMap<object, Span>();
  tracingChannel(channel).subscribe({
    start: (message) => void spans.set(message, tracer.startSpan(channel, { kind })),
    end: () => undefined,
    asyncStart: () => undefined,
    error: (message) => {
      const { error } = message as DiagnosticsMessages[Name];
      const code = BrokerError.is(error) ? error.code : 'mistake';
      spans.get(message)?.setStatus({ code: SpanStatusCode.ERROR, message: code }).setAttribute('error.type', code);
    },
    asyncEnd: (message) => {
      const one = spans.get(message);
      if (one === undefined) return;
      describe(one, message as DiagnosticsMessages[Name]);
      one.end();
    },
  });
}

span('fenceline.publish', SpanKind.PRODUCER, (one, { topics: names = [], events = 0, result }) => {
  one.setAttribute('messaging.system', 'fenceline').setAttribute('messaging.operation.type', 'send');
  one.setAttribute('messaging.destination.name', names.join(','));
  one.setAttribute('messaging.batch.message_count', events);
  if (result !== undefined) one.setAttribute('fenceline.index', result);
});

span('fenceline.subscribe', SpanKind.SERVER, (one, { topics: filter, namespaces, accessorId }) => {
  one.setAttribute('messaging.system', 'fenceline').setAttribute('messaging.operation.type', 'receive');
  if (filter !== undefined) one.setAttribute('messaging.destination.name', filter);
  if (namespaces !== undefined) one.setAttribute('fenceline.namespaces', [...namespaces]);
  if (accessorId !== undefined) one.setAttribute('enduser.id', accessorId);
});

function count<Name extends keyof DiagnosticsMessages>(
  channel: Name,
  name: string,
  unit: string,
  read: (message: DiagnosticsMessages[Name]) => readonly [amount: number, labels?: Record<string, string>],
): void {
  const counter = meter.createCounter(name, { unit });
  subscribe(channel, (message) => counter.add(...read(message as DiagnosticsMessages[Name])));
}

count('fenceline.deliver', 'fenceline.delivered', 'By', ({ bytes = 0 }) => [bytes]);
count('fenceline.deliver', 'fenceline.delivered.events', '{event}', ({ events = 0 }) => [events]);
count('fenceline.gap', 'fenceline.gaps', '{gap}', ({ gap }) => [1, { reason: gap.reason }]);
count('fenceline.revoke', 'fenceline.revocations', '{stream}', ({ error }) => [1, { code: error.code }]);
count('fenceline.stall', 'fenceline.stalls', '{stall}', () => [1]);
count('fenceline.close', 'fenceline.streams.ended', '{stream}', ({ error }) => [1, { code: error?.code ?? 'none' }]);

const broker = new EventBroker({ topics, buffer: { maxBatches: 2 } });
meter
  .createObservableGauge('fenceline.subscriptions', { unit: '{stream}' })
  .addCallback((observed) => observed.observe(broker.stats().subscriptions));
meter
  .createObservableGauge('fenceline.backlog', { unit: 'By' })
  .addCallback((observed) => observed.observe(broker.stats().bufferedBytes));

// What there is to see: four orders, a reader that misses two of them, and one that is refused.
const orders = await broker.subscribe({ topics: ['Order'] });
for (const [id, total] of [
  ['o-1', 12],
  ['o-2', 90],
  ['o-3', 70],
  ['o-4', 5],
] as const) {
  const event = { topic: 'Order', type: 'OrderPlaced', key: id, namespace: 'default', payload: { id, total } } as const;
  await broker.publish(event);
}
while (orders.poll()) continue;
await broker.subscribe({ topics: ['Nonsense' as 'Order'] }).catch(() => undefined);
orders.close();
await broker.close();
await metrics.shutdown();
await traces.shutdown();
