import type { StreamFormat } from '../batch/stream-format.ts';
import type { InterestMember } from '../matching/interest.ts';
import type { SharedChunk } from '../matching/shared-chunk.ts';
import type { Slice } from '../matching/shared-slices.ts';
import { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/gap.ts';
import { checkOptions } from '../../model/options.ts';
import type { ByteSink } from './byte-sink.ts';
import { deliverChannel } from './deliver-channel.ts';
import type { Handover } from './handover.ts';
import { checkHeartbeatMs, defaultHeartbeatMs, type Delivery, type DeliveryOptions } from './delivery.ts';
import type { Advancing, FlushQueue } from './flush-queue.ts';
import type { Beating } from './heartbeats.ts';
import type { ReaderRead } from './reader-read.ts';
import type { PendingWork } from '../../model/pending-work.ts';
import type { ReaderStage } from './reader-stage.ts';
import type { Rotating, Rotation } from './rotation.ts';
import type { Stallable, StallWatch } from './stall-watch.ts';

/** A reader, as far as writing it to a transport needs one. */
export interface DeliverySource {
  readonly stage: ReaderStage;
  readonly epoch: string;
  /** Newest index that was passed. */
  readonly position: number;
  /** What a heartbeat may say was passed. */
  readonly bookmark: number | undefined;
  /** Of a state: see `Subscription`. */
  readonly mark: string | undefined;
  /** The part of it that a place to resume from needs; undefined where it needs none. */
  readonly neededView: string | undefined;
  read(): ReaderRead;
  /** That the state is current was read, and is told with the next slice. */
  returnCurrent(): void;
  /**
   * Where a slice that begins now begins; undefined where it cannot be shared, since a gap comes first.
   */
  readonly sliceStart: number | undefined;
  /** How often its rights changed in what it read. */
  readonly turns: number;
  /** What another reader was handed from there on; this one is past it then. */
  takeSlice(format: StreamFormat, start: number): Slice | undefined;
  /** Offers what was read from there on to the others. */
  shareSlice(slice: Pick<Slice, 'format' | 'start' | 'bytes' | 'isFull'>): void;
  /** A slice has ended with all that can be read now: the reader joins the others, or waits. */
  awaitMore(): void;
  /** What may be missing was told. */
  told(gap: Gap): void;
  /** The transport was handed something; told only while somebody listens. */
  handedOver(handover: Handover): void;
  /** The transport pushes back. */
  block(): void;
  /** The transport has drained. */
  unblock(): void;
  /**
   * The transport, or a format, has failed: only this stream ends.
   * @param before newest index before what was to be written: who resumes gets that again. Default all that was passed
   */
  fail(error: BrokerError, before?: number): void;
  /** The transport takes nothing. */
  stalled(): void;
}

/** What drives all deliveries of a broker. */
export interface DeliveryDrive {
  readonly queue: FlushQueue;
  readonly stalls: StallWatch;
  readonly rotation: Rotation;
  /** Last bytes that transports still hold. */
  readonly endings: PendingWork;
}

/**
 * About how much of the backlog one subscription is handed in one turn, in letters of text, so that many who catch up
 * take turns.
 */
const SLICE_LENGTH = 128 * 1024;

/**
 * Writes one reader to one transport: knows bytes, formats and pushback, and nothing of positions, rights or protocol.
 * At most one slice or chunk is handed over beyond what the transport took.
 */
export class TransportDelivery implements Delivery, InterestMember, Advancing, Beating, Stallable, Rotating {
  place = -1;
  readonly #source: DeliverySource;
  readonly #drive: DeliveryDrive;
  readonly #sink: ByteSink;
  #format: StreamFormat;
  readonly #heartbeatMs: number;
  readonly #bookmarks: boolean;
  readonly #beatsTogether: boolean;
  #stopHeartbeats: (() => void) | undefined;
  #stopRotation: (() => void) | undefined;
  /** Read and not written yet: an end that comes while reading takes it along. */
  #slice = '';
  /** Newest index before the slice that is being read and written: where that fails, it is to come again. */
  #before: number | undefined;
  /** The slice that is being read holds what is for this reader alone. */
  #isOwn = false;

  /** @throws TypeError for an option that is not known or out of its range */
  constructor(
    source: DeliverySource,
    drive: DeliveryDrive,
    sink: ByteSink,
    format: StreamFormat,
    options: DeliveryOptions,
  ) {
    checkOptions<DeliveryOptions>(options, { heartbeatMs: true, bookmarks: true, beatsTogether: true }, 'deliverTo');
    const { heartbeatMs = defaultHeartbeatMs, bookmarks = false, beatsTogether = false } = options;
    checkHeartbeatMs(heartbeatMs);
    this.#source = source;
    this.#drive = drive;
    this.#sink = sink;
    this.#format = format;
    this.#heartbeatMs = heartbeatMs;
    this.#bookmarks = bookmarks;
    this.#beatsTogether = beatsTogether;
  }

  get isSynced(): boolean {
    return this.#source.stage === 'synced';
  }

  get isBlocked(): boolean {
    return this.#source.stage === 'blocked';
  }

  get waitingBytes(): number | undefined {
    return this.#guarded(() => this.#sink.waitingBytes);
  }

  /** Writes what stands before all else, and the first heartbeat: the peer sees at once that the stream is up. */
  start(): void {
    this.#format = this.#named(this.#format);
    const { opening } = this.#format;
    if (opening) this.#writeText(() => (typeof opening === 'string' ? opening : opening()));
    if (this.#heartbeatMs > 0 && !this.#hasEnded) {
      this.#stopHeartbeats = this.#drive.queue.beatEvery(this.#heartbeatMs, this, this.#beatsTogether);
      this.#greet();
    }
    if (this.#hasEnded) return;
    this.#stopRotation = this.#drive.rotation.add(this);
    this.proceed();
  }

  drained(): void {
    this.#drive.stalls.remove(this);
    this.#source.unblock();
  }

  /** There may be something to read: it is read in the next flush. */
  proceed(): void {
    this.#drive.queue.schedule(this);
  }

  /** One slice; called from the flush. It may have been blocked, or have ended, since it was scheduled. */
  advance(): void {
    if (this.#source.stage !== 'behind') return;
    const isFull = this.#writeShared() ?? this.#writeOwn();
    this.#before = undefined;
    if (isFull) this.proceed();
    else this.#source.awaitMore();
  }

  /** @returns true when there is more for another turn; undefined when it has to read by itself */
  #writeShared(): true | undefined {
    this.#before = this.#source.position;
    const start = this.#source.sliceStart;
    const slice = start === undefined ? undefined : this.#source.takeSlice(this.#format, start);
    if (slice === undefined) return undefined;
    this.#write(slice.bytes);
    return slice.isFull || this.#source.stage !== 'behind' ? true : undefined;
  }

  /** @returns whether there is more to read than one slice holds */
  #writeOwn(): boolean {
    this.#before = this.#source.position;
    const start = this.#source.sliceStart;
    const { turns } = this.#source;
    const format = this.#format;
    this.#isOwn = false;
    const isFull = this.#guarded(() => this.#readSlice()) ?? false;
    const text = this.#slice;
    this.#slice = '';
    const bytes = text === '' ? undefined : this.#guarded(() => this.#format.encode(text));
    if (bytes === undefined || this.#hasEnded) return isFull;
    // One that tells a gap is this reader's alone: each has to be told for itself. So is one in which its rights
    // changed.
    if (start !== undefined && !this.#isOwn && turns === this.#source.turns)
      this.#source.shareSlice({ format, start, bytes, isFull });
    this.#write(bytes);
    return isFull;
  }

  receive(chunk: SharedChunk): void {
    const bytes = this.#bytesOf(chunk);
    if (bytes !== undefined) this.#write(bytes, chunk.before, chunk.sharers);
  }

  fail(error: BrokerError): void {
    this.#source.fail(error);
  }

  stalled(): void {
    this.#source.stalled();
  }

  rotate(): void {
    this.#source.fail(new BrokerError('rotate', 'The stream has lived for as long as streams may: open it again.'));
  }

  /** A transport that does not keep up gets no heartbeat: it has bytes enough to show that the stream is alive. */
  beat(): void {
    if (this.isBlocked || this.#hasEnded) return;
    this.#writeText((format) => format.heartbeat(this.#bookmark));
  }

  /** The last bytes: what was read and not written yet, and the reason. */
  end(error: BrokerError | undefined): void {
    this.#stopHeartbeats?.();
    this.#stopRotation?.();
    this.#drive.stalls.remove(this);
    const text = this.#guarded(() => this.#slice + (error ? this.#format.error(error) : ''));
    const last = this.#guarded(() => (text ? this.#format.encode(text) : undefined));
    const ending = this.#guarded(() => {
      const ending = this.#sink.end(last);
      if (last !== undefined && deliverChannel.hasSubscribers) this.#tellHandover(last);
      return ending;
    });
    // A host's sink may answer with anything.
    if (ending instanceof Promise) void this.#drive.endings.add(ending);
  }

  /** Asked anew after every call that runs the host's code or the reader's. */
  get #hasEnded(): boolean {
    return this.#source.stage === 'ended';
  }

  get #bookmark(): number | undefined {
    return this.#bookmarks ? this.#source.bookmark : undefined;
  }

  /** Who asks for bookmarks may not see the response's headers: the first heartbeat says in the body what they do. */
  #greet(): void {
    const { epoch, mark } = this.#source;
    const greeting = { epoch, heartbeatMs: this.#heartbeatMs, ...(mark !== undefined && { mark }) };
    this.#writeText((format) => format.heartbeat(this.#bookmark, this.#bookmarks ? greeting : undefined));
  }

  /** @returns whether there is more to read than one slice holds */
  #readSlice(): boolean {
    while (this.#slice.length < SLICE_LENGTH) {
      const read = this.#source.read();
      switch (read.kind) {
        case 'part':
          this.#slice += this.#format.batch(read);
          break;
        case 'gap':
          this.#tell(read.gap);
          break;
        case 'current':
          // What others share ends before it.
          if (this.#slice !== '' && !this.#isOwn) {
            this.#source.returnCurrent();
            return true;
          }
          this.#isOwn = true;
          this.#slice += this.#format.current?.(read.index) ?? '';
          break;
        case 'fetch':
        case 'wait':
        case 'ended':
          return false;
      }
    }
    return true;
  }

  #tell(gap: Gap): void {
    this.#isOwn = true;
    this.#slice += this.#format.gap(gap);
    this.#source.told(gap);
    this.#format = this.#named(this.#format.after?.(gap) ?? this.#format);
  }

  #named(format: StreamFormat): StreamFormat {
    const { neededView } = this.#source;
    return (neededView !== undefined && format.withView?.(neededView)) || format;
  }

  #writeText(textOf: (format: StreamFormat) => string): void {
    const format = this.#format;
    const bytes = this.#guarded(() => format.encode(textOf(format)));
    if (bytes !== undefined) this.#write(bytes);
  }

  // These two guard by themselves: a closure for each reader of each chunk would cost more than all the rest of it.

  #bytesOf(chunk: SharedChunk): Uint8Array | undefined {
    try {
      return chunk.in(this.#format);
    } catch (error) {
      this.#source.fail(BrokerError.from(error), chunk.before);
      return undefined;
    }
  }

  /** @param before newest index before what the bytes hold */
  #write(bytes: Uint8Array, before = this.#before, sharers?: object): void {
    let isReady: boolean;
    try {
      isReady = this.#sink.write(bytes, sharers);
      if (deliverChannel.hasSubscribers) this.#tellHandover(bytes);
    } catch (error) {
      return this.#source.fail(BrokerError.from(error), before);
    }
    this.#before = undefined;
    if (isReady || this.#hasEnded) return;
    this.#drive.stalls.add(this);
    this.#source.block();
  }

  #tellHandover({ length }: Uint8Array): void {
    this.#source.handedOver({ bytes: length, events: undefined });
  }

  /** A transport or a format that throws loses its own stream and harms no other. */
  #guarded<R>(call: () => R): R | undefined {
    try {
      return call();
    } catch (error) {
      // What was read is not written: it comes again for who resumes.
      this.#slice = '';
      this.#source.fail(BrokerError.from(error), this.#before);
      return undefined;
    }
  }
}
