// Hono on @hono/node-server: a web ReadableStream per subscriber, all given the same encoded bytes.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { wireBatch } from '../../lib/events.mjs';
import { request, Subscribers } from './server.mjs';

export async function create({ isSelective, heartbeatMs }) {
  const subscribers = new Subscribers(isSelective);
  const encoder = new TextEncoder();
  const beat = encoder.encode('{}\n');
  const open = (key) => {
    let own;
    let timer;
    return new ReadableStream({
      start(controller) {
        own = controller;
        controller.enqueue(beat);
        subscribers.add(key, controller);
        if (heartbeatMs > 0) timer = setInterval(() => controller.enqueue(beat), heartbeatMs);
      },
      cancel() {
        clearInterval(timer);
        subscribers.remove(key, own);
      },
    });
  };
  const app = new Hono();
  const headers = { 'content-type': 'application/x-ndjson' };
  app.get('/events', (context) => new Response(open(context.req.query('key')), { headers }));
  const server = await new Promise((resolve) => {
    const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(started));
  });
  let index = 0;
  return {
    port: server.address().port,
    request,
    publish(event) {
      const line = encoder.encode(`${JSON.stringify(wireBatch(event, ++index))}\n`);
      for (const controller of subscribers.of(event.key)) controller.enqueue(line);
    },
  };
}
