import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Random } from './random.ts';

/** A chunk on its way to the client. */
interface Sent {
  bytes: Uint8Array;
  readonly taken: () => void;
  isAccepted: boolean;
}

/** Connections differ in these. */
interface WireNature {
  readonly latencyMs: number;
  /** What the client is handed at once. */
  readonly segmentBytes: number;
  /** What the kernels on both sides hold of bytes that the client has not read. */
  readonly capacityBytes: number;
}

/** Where more than this waits, it comes in larger pieces: byte by byte it would take most of the time. */
const MANY_BYTES = 1000;

/**
 * One connection, from a server to a client: bytes take their time, come in pieces cut anywhere, wait where the client
 * does not read, and the connection breaks or goes silent when it is told to. A seed decides its nature, so connections
 * overtake each other.
 */
export class Wire {
  readonly #clock: VirtualClock;
  readonly #nature: WireNature;
  #queue: Sent[] = [];
  /** Bytes that have come to the client's side. */
  #arrivedBytes = 0;
  #leftBytes = Infinity;
  #isFrozen = false;
  #held: (() => void)[] = [];
  #end: 'done' | 'broken' | undefined;
  #wake: (() => void) | undefined;
  /** The server is told that nobody reads any more. */
  onHangUp: () => void = () => undefined;
  /** The server's side is over, in whichever way. */
  onOver: () => void = () => undefined;

  constructor(clock: VirtualClock, seed: number) {
    const random = new Random(seed);
    this.#clock = clock;
    this.#nature = {
      latencyMs: random.pick([0, 0, 1, 5, 40, 200]),
      segmentBytes: random.pick([1, 7, 64, 64, 1000, 100_000, 100_000, 100_000]),
      capacityBytes: random.pick([600, 600, 2000, 20_000, 1_000_000]),
    };
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** What is under way takes so long; what it meets is in order. */
  travel(call: () => void): void {
    this.#clock.after(this.#nature.latencyMs, () => {
      if (this.#isFrozen) this.#held.push(call);
      else call();
    });
  }

  /** @param taken called when the kernel has taken all of it: at once as long as there is room */
  send(bytes: Uint8Array, taken: () => void): void {
    if (this.#end !== undefined) return taken();
    const sent: Sent = { bytes, taken, isAccepted: false };
    this.#queue.push(sent);
    this.#accept();
    this.travel(() => {
      this.#arrivedBytes += bytes.length;
      this.#wake?.();
    });
  }

  /** The server has nothing more to say. */
  finish(): void {
    this.travel(() => this.#over('done'));
  }

  /** @returns undefined at the end. @throws Error where the connection broke before it */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#arrivedBytes > 0 && this.#leftBytes > 0) return this.#take();
      if (this.#leftBytes === 0) this.cut();
      if (this.#end === 'broken') throw new Error('The connection was cut.');
      if (this.#end === 'done') return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The client goes. */
  hangUp(): void {
    if (this.#end === 'broken') return;
    this.#leftBytes = 0;
    this.travel(() => {
      this.#over('broken');
      this.onHangUp();
    });
  }

  /** Both sides find it broken, the server a while later; what had not arrived never does. */
  cut(): void {
    if (this.#end === 'broken') return;
    this.#over('broken');
    this.travel(() => this.onHangUp());
  }

  /** Breaks after so many bytes more, in the middle of whatever they are. */
  cutAfter(bytes: number): void {
    if (bytes <= 0) this.cut();
    else this.#leftBytes = Math.min(this.#leftBytes, bytes);
  }

  /** Nothing gets through, in either direction, and nobody is told. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const call of this.#held.splice(0)) call();
  }

  #take(): Uint8Array {
    const first = this.#queue[0] as Sent;
    const { segmentBytes } = this.#nature;
    const segment = this.#arrivedBytes > MANY_BYTES ? Math.max(segmentBytes, MANY_BYTES / 4) : segmentBytes;
    const size = Math.min(first.bytes.length, segment, this.#leftBytes, this.#arrivedBytes);
    const part = first.bytes.slice(0, size);
    first.bytes = first.bytes.subarray(size);
    this.#arrivedBytes -= size;
    this.#leftBytes -= size;
    if (first.bytes.length === 0) this.#queue.shift();
    this.#accept();
    return part;
  }

  /** In the order in which they were sent: as long as what came before leaves room, all of a chunk fits. */
  #accept(): void {
    let before = 0;
    for (const sent of this.#queue) {
      if (!sent.isAccepted && before > this.#nature.capacityBytes) return;
      before += sent.bytes.length;
      if (sent.isAccepted) continue;
      sent.isAccepted = true;
      sent.taken();
    }
  }

  #over(end: 'done' | 'broken'): void {
    if (this.#end === 'broken' || this.#end === end) return;
    this.#end = end;
    if (end === 'broken') for (const { isAccepted, taken } of this.#queue.splice(0)) if (!isAccepted) taken();
    this.#wake?.();
    this.onOver();
  }
}
