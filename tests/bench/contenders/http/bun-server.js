// Run by Bun: a WebSocket server that publishes each line that comes on another socket.
/* global Bun */
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request, { upgrade }) => (upgrade.call(server, request) ? undefined : new Response('no', { status: 400 })),
  websocket: {
    open: (socket) => socket.subscribe('events'),
    message: () => undefined,
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    backpressureLimit: 64 * 1024 * 1024,
    closeOnBackpressureLimit: false,
  },
});

const ingest = Bun.listen({
  port: 0,
  hostname: '127.0.0.1',
  socket: {
    open(socket) {
      socket.data = '';
    },
    data(socket, bytes) {
      const lines = (socket.data + bytes.toString('latin1')).split('\n');
      socket.data = lines.pop();
      for (const line of lines) server.publish('events', line);
    },
  },
});

console.log(JSON.stringify({ port: server.port, ingest: ingest.port }));
