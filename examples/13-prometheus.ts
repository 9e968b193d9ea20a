// Metrics with OpenMetrics names, by prom-client, from the broker's figures and its diagnostics channels; the list of
// them is in docs/observability.md. Run it: npm run example examples/13-prometheus.ts
import { subscribe, tracingChannel } from 'node:diagnostics_channel';
import http from 'node:http';
import { BrokerError, EventBroker, type DiagnosticsMessages } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from 'prom-client';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const broker = new EventBroker({ topics });
const registry = new Registry<OpenMetricsContentType>();
registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
const registers = [registry];

/** Asked when it is scraped: a snapshot of the figures costs little. */
function gauge(name: string, help: string, read: () => number): void {
  const collect = function (this: Gauge): void {
    this.set(read());
  };
  new Gauge({ name, help, registers, collect });
}

/** As {@link gauge}, for what the broker itself counts. */
function counter(name: string, help: string, read: () => number): void {
  const collect = function (this: Counter): void {
    this.reset();
    this.inc(read());
  };
  new Counter({ name, help, registers, collect });
}

gauge('fenceline_subscriptions', 'Open subscriptions.', () => broker.stats().subscriptions);
gauge('fenceline_interests', 'Distinct filters among them.', () => broker.stats().interests);
gauge('fenceline_backlog_batches', 'Batches in the backlog.', () => broker.stats().bufferedBatches);
gauge('fenceline_backlog_bytes', 'Memory that the backlog takes.', () => broker.stats().bufferedBytes);
gauge('fenceline_oldest_index', 'Index of the oldest batch in the backlog.', () => broker.stats().oldestIndex);
gauge('fenceline_latest_index', 'Index of the newest batch.', () => broker.stats().latestIndex);
gauge('fenceline_retained_keys', 'Objects that are kept as state.', () => broker.stats().retainedKeys);
gauge('fenceline_log_up', 'Whether the log is up; 1 without one.', () => Number((broker.stats().log ?? 'up') === 'up'));
counter('fenceline_published_batches_total', 'Batches published.', () => broker.stats().publishedBatches);
counter('fenceline_published_events_total', 'Events in them.', () => broker.stats().publishedEvents);
counter('fenceline_rule_faults_total', 'Times that a topic’s rule failed.', () => broker.stats().ruleFaults);
counter('fenceline_listener_errors_total', 'Times that a listener threw.', () => broker.stats().listenerErrors);

// A look at each stream: about a millisecond for a thousand.
gauge('fenceline_lag_max', 'Indexes that the reader furthest behind is behind.', () =>
  broker.subscriptions().reduce((most, { lag }) => Math.max(most, lag), 0),
);
gauge('fenceline_waiting_bytes', 'Bytes that peers have not taken yet.', () =>
  broker.subscriptions().reduce((sum, { waitingBytes = 0 }) => sum + waitingBytes, 0),
);

/** Every reason by its code: none may go uncounted. */
new Counter({
  name: 'fenceline_streams_ended_total',
  help: 'Streams that have ended, by the code of the reason; none where client or host ended them.',
  labelNames: ['code'],
  registers,
  collect() {
    this.reset();
    for (const [code, count] of Object.entries(broker.stats().ended)) this.inc({ code }, count);
  },
});

/** Others may have brokers of their own in this process: their messages are not counted here. */
function on<Name extends keyof DiagnosticsMessages>(
  channel: Name,
  call: (message: DiagnosticsMessages[Name]) => void,
): void {
  subscribe(channel, (message) => {
    if ((message as DiagnosticsMessages[Name]).broker === broker) call(message as DiagnosticsMessages[Name]);
  });
}

function count<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
  return new Counter({ name, help, labelNames, registers });
}

const gaps = count('fenceline_gaps_total', 'Gaps that were told.', 'reason');
on('fenceline.gap', ({ gap }) => gaps.inc({ reason: gap.reason }));
const revocations = count('fenceline_revocations_total', 'Streams whose rights were taken away.', 'code');
on('fenceline.revoke', ({ error }) => revocations.inc({ code: error.code }));
const stalls = count('fenceline_stalls_total', 'Times that a transport pushed back.');
on('fenceline.stall', () => stalls.inc());
const delivered = count('fenceline_delivered_bytes_total', 'Bytes handed to transports.');
on('fenceline.deliver', ({ bytes = 0 }) => delivered.inc(bytes));

/** How long it takes, by the code of the error; `none` where there is none. */
function time(channel: 'fenceline.publish' | 'fenceline.subscribe', name: string, help: string): void {
  const buckets = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
  const taken = new Histogram({ name, help, labelNames: ['code'], buckets, registers });
  const began = new WeakMap<object, number>();
  tracingChannel(channel).subscribe({
    start: (message) => void began.set(message, performance.now()),
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (message) => {
      const { error, broker: teller } = message as DiagnosticsMessages[typeof channel];
      const start = began.get(message);
      if (teller !== broker || start === undefined) return;
      const code = BrokerError.is(error) ? error.code : error === undefined ? 'none' : 'mistake';
      taken.observe({ code }, (performance.now() - start) / 1000);
    },
    error: () => undefined,
  });
}

time('fenceline.publish', 'fenceline_publish_duration_seconds', 'From a publish to its index.');
time('fenceline.subscribe', 'fenceline_subscribe_duration_seconds', 'From a request to its stream, or its refusal.');

takeOrders(broker);
const stream = eventStreamHandler({ broker });
const server = http.createServer((request, response) => {
  if (request.url !== '/metrics') {
    void stream(request, response);
    return;
  }
  registry.metrics().then(
    (text) => response.setHeader('Content-Type', registry.contentType).end(text),
    (error: Error) => response.writeHead(500).end(error.message),
  );
});
serve(server, broker, '/metrics');
