// The client process: raw sockets that send one request each and count MARK in whatever comes back. Cheap enough not to
// be the limit.
import net from 'node:net';
import { reportCredit } from './credit.mjs';
import { keyOf, MARK, nowMicros, STAMP_LENGTH } from './events.mjs';
import { serveParent } from './processes.mjs';
import { Histogram } from './histogram.mjs';
import { WholeBodies } from './whole-bodies.mjs';

const MARK_BYTE = MARK.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const READ_BYTES = 64 * 1024;
const CONNECTING = 200;
const CURRENT = '{"Current":';
const TAIL_LENGTH = 1000;
/** One longer than any read: a sentinel stands behind the fresh bytes, so the scan never leaves them. */
const room = Buffer.alloc(READ_BYTES + 1);
const buffer = room.subarray(0, READ_BYTES);

let settings;
let counts = new Int32Array(0);
let total = 0;
let told = 0;
let bodies;
let closedByServer = 0;
let distance = 0;
let received = 0;
const latencies = new Histogram();

serveParent(async (given) => {
  settings = given;
  counts = new Int32Array(given.clients);
  bodies = given.isWhole ? new WholeBodies(given.clients, given.isGzip) : undefined;
  await connectAll();
  await reportCredit(given.creditPort, takeCounts, {
    cpu,
    latency,
    forget,
    closed: () => ({ closed: closedByServer }),
    received: () => ({ bytes: received }),
    bodies: () => bodies.report(),
  });
});

function connectAll() {
  return new Promise((resolve, reject) => {
    let started = 0;
    let ready = 0;
    const startOne = () => {
      if (started < settings.clients) connect(started++, onReady, reject);
    };
    const onReady = () => {
      if (++ready === settings.clients) resolve();
      else startOne();
    };
    for (let i = 0; i < CONNECTING; i++) startOne();
  });
}

function connect(i, onReady, onError) {
  let head = '';
  let isUp = false;
  const isStalled = i < settings.stalled;
  let tail = '';
  const read = (bytes) => {
    received += bytes;
    let start = 0;
    if (!isUp) {
      const before = head.length;
      head += room.latin1Slice(0, bytes);
      const end = head.indexOf(settings.readyMark);
      if (end < 0) return true;
      if (!/^(HTTP\/1.1 (200|101)|INFO )/.test(head)) onError(new Error(`unexpected answer: ${head.slice(0, 300)}`));
      isUp = true;
      start = Math.max(0, end + settings.readyMark.length - before);
      onReady();
    }
    if (bodies !== undefined) {
      bodies.take(i, room.subarray(start, bytes));
      return true;
    }
    const seen = countMarks(start, bytes);
    counts[i] += seen;
    total += seen;
    // What ends a state holds no mark: it counts as one more.
    if (counts[i] === settings.keys && !tail.includes(CURRENT)) {
      tail += room.latin1Slice(Math.max(start, bytes - TAIL_LENGTH), bytes);
      if (tail.includes(CURRENT)) {
        counts[i]++;
        total++;
      }
    }
    return !(isStalled && counts[i] > 0);
  };
  const socket = net.connect({
    port: settings.port,
    host: '127.0.0.1',
    noDelay: true,
    onread: { buffer, callback: read },
  });
  const request = settings.request.replaceAll('{key}', keyOf(settings.isKeyed ? i : 0));
  socket.on('connect', () => socket.write(request));
  socket.on('error', onError).on('close', () => closedByServer++);
}

/** Events mostly have one size: the last distance is tried before the search, which makes counting nearly free. */
function countMarks(start, end) {
  room[end] = MARK_BYTE;
  const now = settings.isStamped ? nowMicros() : 0;
  let count = 0;
  for (let at = room.indexOf(MARK_BYTE, start); at < end; count++) {
    if (settings.isStamped) takeLatency(at, end, now);
    const guess = at + distance;
    const next = distance > 0 && guess < end && room[guess] === MARK_BYTE ? guess : room.indexOf(MARK_BYTE, at + 1);
    if (next < end) distance = next - at;
    at = next;
  }
  return count;
}

/**
 * A stamp that two reads share is left out. Digit by digit, without a string: a million a second must not make the
 * client the limit.
 */
function takeLatency(at, end, now) {
  if (at + STAMP_LENGTH >= end) return;
  let stamp = 0;
  for (let i = at + 1; i <= at + STAMP_LENGTH; i++) stamp = stamp * 10 + room[i] - ZERO;
  latencies.add(now - stamp);
}

function takeCounts() {
  if (total === told) return undefined;
  told = total;
  let slowest = Infinity;
  for (let i = settings.stalled; i < counts.length; i++) slowest = Math.min(slowest, counts[i]);
  return `${slowest} ${total}`;
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return { seconds: (user + system) / 1e6 };
}

function latency() {
  const ms = (share) => latencies.quantile(share) / 1e3;
  return { p50Ms: ms(0.5), p99Ms: ms(0.99), p999Ms: ms(0.999) };
}

function forget() {
  latencies.clear();
  return {};
}
