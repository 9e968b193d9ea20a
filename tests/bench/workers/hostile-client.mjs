// What peers of `hostile` do, on raw sockets, so that nothing of theirs is put right by a library.
import { connect } from 'node:net';

const held = new Set();

/** Filters that are equal share what they cost: who wants to spend much sends no two that are. */
let sent = 0;
const numbered = (request) => request.replaceAll('{n}', String(sent++));

/**
 * @param way how it asks: `'again'` on one connection, one request after the other; `'pipelined'` all at once;
 * `'anew'` on a connection each; `'hold'` opens connections that stay, and read nothing where `isDeaf`; `'leave'` ends
 * these
 * @param request the bytes that are sent; `{n}` in them is the number of the request
 * @param count requests, or connections that are held
 * @returns statuses that came, with how many of each
 */
export async function measure({ way, port, request, count, isDeaf = false }) {
  if (way === 'leave') return leave();
  if (way === 'hold') return hold(port, request, count, isDeaf);
  const statuses = new Counts();
  if (way === 'anew') for (let n = 0; n < count; n++) await once(port, numbered(request), statuses);
  else await many(port, request, count, way === 'pipelined' ? 50 : 1, statuses);
  return statuses.all;
}

class Counts {
  all = {};

  add(status) {
    this.all[status] = (this.all[status] ?? 0) + 1;
  }
}

/** One answer, then the connection is closed, whether or not it was a stream. */
function once(port, request, statuses) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let status = 'none';
    socket.once('data', (data) => {
      status = data.toString('latin1', 9, 12);
      socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      statuses.add(status);
      resolve();
    });
  });
}

/** `window` requests under way on one connection. */
function many(port, request, count, window, statuses) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request.repeat(Math.min(window, count))));
    socket.setNoDelay();
    let answered = 0;
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      const marks = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)];
      for (const [, status] of marks) statuses.add(status);
      // Heads are never cut in the middle of a status line for long: what follows the last one is kept.
      if (marks.length > 0) text = text.slice(marks.at(-1).index + 12);
      answered += marks.length;
      if (answered >= count) return resolve(socket.destroy());
      if (answered % window === 0 && marks.length > 0) socket.write(request.repeat(Math.min(window, count - answered)));
    });
    socket.on('error', reject);
    socket.on('close', () => (answered >= count ? undefined : reject(new Error(`closed after ${answered}`))));
  });
}

/** Who listens waits for each answer before it opens the next; who is deaf gives the server a second at the end. */
async function hold(port, request, count, isDeaf) {
  for (let n = 0; n < count; n++) {
    await new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(numbered(request), isDeaf ? resolve : undefined));
      if (isDeaf) socket.pause();
      else socket.once('data', (data) => (data.toString('latin1', 9, 12) === '200' ? resolve() : reject(data)));
      socket.on('error', reject);
      held.add(socket);
    });
  }
  if (isDeaf) await new Promise((resolve) => setTimeout(resolve, 1000));
  for (const socket of held) if (!isDeaf) socket.resume();
  return { held: [...held].filter((socket) => !socket.destroyed).length };
}

async function leave() {
  for (const socket of held) socket.destroy();
  held.clear();
  await new Promise((resolve) => setTimeout(resolve, 300));
  return {};
}
