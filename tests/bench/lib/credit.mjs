// The control connection between the client process (which counts) and the server process (which publishes no more than
// a window ahead).
import net from 'node:net';

/** In the server process: what the clients have seen, and questions to them. */
export class Credit {
  slowest = 0;
  total = 0;
  #socket;
  #server;
  #answers = [];
  #wake = () => undefined;

  /** @returns the port for {@link reportCredit} */
  async listen() {
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#accept(socket));
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.#server.address().port;
  }

  ask(question) {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#socket.write(`${question}\n`);
    });
  }

  /** @throws when it does not come true in time */
  async until(isReached, limitMs = 30_000) {
    const end = performance.now() + limitMs;
    while (!isReached()) {
      if (performance.now() > end)
        throw new Error(`timed out; the slowest client has seen ${this.slowest}, all ${this.total}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 250);
        this.#wake = () => resolve(clearTimeout(timer));
      });
    }
  }

  #accept(socket) {
    this.#socket = socket.setEncoding('latin1').on('error', () => undefined);
    onLines(socket, (line) => {
      if (line.startsWith('{')) return this.#answers.shift()?.(JSON.parse(line));
      [this.slowest, this.total] = line.split(' ').map(Number);
      return this.#wake();
    });
  }
}

/** In the client process: answers questions, and tells `counts()` every 2 ms when they have changed. */
export async function reportCredit(port, counts, answers) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  onLines(socket, (question) => socket.write(`${JSON.stringify(answers[question]())}\n`));
  setInterval(() => {
    const line = counts();
    if (line !== undefined) socket.write(`${line}\n`);
  }, 2);
}

function onLines(socket, take) {
  let rest = '';
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach(take);
  });
}
