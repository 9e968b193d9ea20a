import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** Where a peer goes. */
export interface PeerTarget {
  readonly port: number;
  readonly path: string;
  readonly protocol: 'http1' | 'http2';
}

/** What a peer holds until it is told to go. */
export type Leave = () => void;

const request = (path: string, query = '', method = 'GET', headers = '') =>
  `${method} ${path}${query} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;

function rawSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
}

/** Asks for everything and never reads a byte; does not say goodbye either. */
function stalled({ port, path }: PeerTarget): Leave {
  const socket = rawSocket(port);
  socket.pause();
  socket.write(request(path, '?namespace=*', 'GET', 'X-Nomad-Token: good\r\n'));
  return () => socket.destroy();
}

/** Reads for a moment, then resets its connection. */
function resetting({ port, path }: PeerTarget, random: () => number): Leave {
  const socket = rawSocket(port);
  socket.resume();
  socket.write(request(path, '?topic=Job&namespace=*', 'GET', 'X-Nomad-Token: good\r\n'));
  const timer = setTimeout(() => socket.resetAndDestroy(), random() * 300);
  return () => {
    clearTimeout(timer);
    socket.destroy();
  };
}

/** Many requests at once on one connection. */
function pipelining({ port, path }: PeerTarget, random: () => number): Leave {
  const socket = rawSocket(port);
  socket.resume();
  const one = request(path, '?topic=Job&namespace=*', 'GET', 'X-Nomad-Token: good\r\n');
  socket.write(one.repeat(1 + Math.floor(random() * 200)));
  return () => socket.destroy();
}

const typos = [
  ['?index=x'],
  ['?topic='],
  ['?topic=:'],
  ['?gap=no'],
  ['?%zz'],
  [`?${'topic=Job&'.repeat(900)}`],
  [`?${Array.from({ length: 400 }, (_, i) => `namespace=n${i}`).join('&')}&topic=Job&topic=Node`],
  ['', 'POST'],
  ['', 'BREW'],
  ['', 'GET', 'X-Nomad-Token: wrong\r\n'],
  ['', 'GET', 'Authorization: Bearer  \r\n'],
  ['', 'GET', 'Accept: text/event-stream\r\nLast-Event-ID: nonsense\r\n'],
  ['', 'GET', 'Content-Length: nonsense\r\n'],
] as const;

/** Asks for what nobody can give. */
function typoing({ port, path }: PeerTarget, random: () => number): Leave {
  const socket = rawSocket(port);
  socket.resume();
  const [query, method, headers] = typos[Math.floor(random() * typos.length)] ?? [''];
  socket.write(request(path, query, method, headers));
  return () => socket.destroy();
}

/** Reads a little now and then. */
function slow({ port, path }: PeerTarget): Leave {
  const socket = rawSocket(port);
  socket.pause();
  socket.write(request(path, '?topic=Job&namespace=*', 'GET', 'X-Nomad-Token: good\r\n'));
  const timer = setInterval(() => void socket.read(500), 50);
  return () => {
    clearInterval(timer);
    socket.destroy();
  };
}

const resets = Array.from({ length: 14 }, (_, code) => code);

/** Streams over HTTP/2 whose windows fill up; each is reset with a code of its own, or with its connection. */
function http2Streams({ port, path }: PeerTarget, random: () => number): Leave {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const headers = { ':path': `${path}?topic=Job&namespace=*`, 'x-nomad-token': 'good' };
  const timers = Array.from({ length: 4 }, () => {
    const stream = session.request(headers);
    stream.on('error', () => undefined);
    stream.pause();
    const code = resets[Math.floor(random() * resets.length)] ?? constants.NGHTTP2_NO_ERROR;
    return setTimeout(() => stream.close(code), random() * 2000);
  });
  return () => {
    for (const timer of timers) clearTimeout(timer);
    session.destroy();
  };
}

/** By name, so that the table at the end can say how many of each there were. */
export const hostilePeers = { stalled, resetting, pipelining, typoing, slow, http2Streams } as const;
