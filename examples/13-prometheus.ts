// Metrics from the broker's statistics and notifications, with prom-client. Run it: npm run example
// examples/13-prometheus.ts
import http from 'node:http';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { Counter, Gauge, Registry } from 'prom-client';
import { takeOrders, topics } from './orders.ts';
import { serve } from './serving.ts';

const broker = new EventBroker({ topics });
const registry = new Registry();
const registers = [registry];

/** A gauge that is read when it is scraped: a snapshot costs little. */
function gauge(name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

gauge('fenceline_subscriptions', 'Open subscriptions', () => broker.stats().subscriptions);
gauge('fenceline_buffered_bytes', 'Bytes in the backlog', () => broker.stats().bufferedBytes);
gauge('fenceline_latest_index', 'Index of the newest batch', () => broker.stats().latestIndex);

const ended = new Counter({
  name: 'fenceline_streams_ended_total',
  help: 'Ended streams by reason',
  labelNames: ['code'],
  registers,
});
broker.on('unsubscribe', ({ error }) => ended.inc({ code: error?.code ?? 'none' }));
const gaps = new Counter({
  name: 'fenceline_gaps_total',
  help: 'Gaps that were told',
  labelNames: ['reason'],
  registers,
});
broker.on('gap', ({ gap }) => gaps.inc({ reason: gap.reason }));
const lagging = new Counter({ name: 'fenceline_lagging_total', help: 'Times that a reader fell behind', registers });
broker.on('lagging', () => lagging.inc());

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
