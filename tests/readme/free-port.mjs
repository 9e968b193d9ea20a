// Loaded before a program of a document: where it says 8080 it gets a free port, so that tests can run side by side.
// The test is told which, and what the program itself asks for on 8080 goes there too.
import net from 'node:net';

/** By the port that was asked for: the one that it got, once it listens. */
const ports = new Map();
const { listen } = net.Server.prototype;

net.Server.prototype.listen = function listenOnFreePort(port, ...rest) {
  const asked = typeof port === 'object' ? port.port : Number(port);
  const listening = new Promise((resolve) => this.once('listening', () => resolve(this.address().port)));
  ports.set(String(asked), listening);
  void listening.then((port) => process.send?.({ asked, port }));
  return listen.call(this, typeof port === 'object' ? { ...port, port: 0 } : 0, ...rest);
};

const { fetch } = globalThis;
globalThis.fetch = async (input, init) => fetch(input instanceof Request ? input : await moved(String(input)), init);

async function moved(url) {
  const [, host, port, rest] = /^(http:\/\/(?:127\.0\.0\.1|localhost):)(\d+)(.*)$/.exec(url) ?? [];
  return ports.has(port) ? `${host}${await ports.get(port)}${rest}` : url;
}
