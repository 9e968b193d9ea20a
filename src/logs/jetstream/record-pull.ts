import { randomUUID } from 'node:crypto';

import { systemClock } from '../../model/clock.ts';
import type { ClockTimer } from '../../model/clock.ts';
import type { LogRecord } from '../../core/log/event-log.ts';
import type { NatsConnectionLike, NatsMessageLike } from './nats-connection.ts';
import type { ConnectionWatch } from './connection-watch.ts';
import { deliveryOf } from './delivery-info.ts';
import type { LogSettings } from './options.ts';
import { aclSubject } from './stream-config.ts';

/** An idle server speaks this often, so that a dead one is noticed. Its defaults would take 45 s to notice. */
const HEARTBEAT_MS = 500;
/** A pull that brings nothing ends after this long; the least that is usual. */
const EXPIRES_MS = 1_000;
/** No word for one to two of these means that the consumer is lost. */
const SILENCE_MS = 2 * HEARTBEAT_MS;
/** Largest number of records of one pull, however small they are. */
const MAX_RECORDS = 1_024;
/** Room for subjects and headers where the server counts bytes. */
const MESSAGE_OVERHEAD_BYTES = 4 * 1024;

/** The consumer on the server. */
interface Consumer {
  readonly nextSubject: string;
  remove(): Promise<unknown>;
}

export interface PullSize {
  readonly maxRecords?: number;
  /** How much may be on its way at once, a whole number; one record comes however large it is. */
  readonly maxBytes: number;
  /** Wait for the next record when there is none. */
  readonly wait: boolean;
}

/** What the server is asked for. */
interface PullRequest {
  readonly batch: number;
  readonly max_bytes?: number;
  readonly no_wait?: true;
  readonly expires?: number;
  readonly idle_heartbeat?: number;
}

/** The consumer is gone, or what it sent did not arrive. The position is known: begin again from there. */
export class PullLost extends Error {
  override readonly name = 'PullLost';
}

/**
 * The records of a stream from a position on, in order and each once.
 *
 * One request is on its way at a time, so what waits here, and on the connection that all readers share, is bounded by
 * that request: {@link PullSize.maxBytes} or one larger record, and {@link MAX_RECORDS}. It does not know what was
 * trimmed: an index that jumps tells.
 */
export class RecordPull {
  readonly #connection: NatsConnectionLike;
  readonly #consumer: Consumer;
  readonly #aclSubject: string;
  readonly #inbox: string;
  readonly #subscription: { unsubscribe(): void };
  readonly #unwatch: () => void;
  #serial = 0;
  #asked: PullRequest = { batch: 0 };
  #missing = 0;
  #arrived: LogRecord[] = [];
  #position: number;
  #delivered = 0;
  #pending: number | undefined;
  #lost: PullLost | undefined;
  #wake: (() => void) | undefined;
  #wasHeard = false;
  #silence: ClockTimer | undefined;

  constructor(settings: LogSettings, watch: ConnectionWatch, from: number, consumer: Consumer) {
    this.#connection = settings.connection;
    this.#consumer = consumer;
    this.#aclSubject = aclSubject(settings.subject);
    this.#position = from - 1;
    this.#unwatch = watch.onBreak(() => this.#lose('The connection broke.'));
    this.#inbox = `${settings.inboxPrefix}.${randomUUID()}`;
    this.#subscription = settings.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error ? this.#lose('The inbox was refused.', error) : this.#receive(message)),
    });
  }

  /** Nothing came after the last record that was taken, when the server sent it. */
  get isDrained(): boolean {
    return this.#pending === 0 && this.#arrived.length === 0;
  }

  /** What has arrived; else waits for it. Nothing when the request has ended without a record. @throws PullLost */
  async take(size: PullSize): Promise<LogRecord[]> {
    if (this.#arrived.length === 0 && this.#missing === 0) this.#request(size);
    while (this.#arrived.length === 0 && this.#missing > 0 && !this.#lost) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const taken = this.#arrived;
    this.#arrived = [];
    if (taken.length === 0 && this.#lost) throw this.#lost;
    return taken;
  }

  /** Ends a {@link take} that waits. The server's side is removed in the background, or by the server in a while. */
  close(): void {
    if (this.#lost?.message === CLOSED) return;
    this.#arrived = [];
    this.#lose(CLOSED);
    this.#subscription.unsubscribe();
    this.#unwatch();
    // When it cannot be removed now, the server does so once nobody has pulled for a while.
    this.#consumer.remove().catch(() => undefined);
  }

  #request({ maxRecords = MAX_RECORDS, maxBytes, wait }: PullSize): void {
    const manner = wait
      ? { expires: EXPIRES_MS * 1e6, idle_heartbeat: HEARTBEAT_MS * 1e6 }
      : { no_wait: true as const };
    const batch = Math.min(maxRecords, MAX_RECORDS);
    this.#ask({ batch, max_bytes: maxBytes + MESSAGE_OVERHEAD_BYTES, ...manner });
  }

  #ask(request: PullRequest): void {
    if (this.#lost) return;
    this.#asked = request;
    this.#missing = request.batch;
    this.#serial += 1;
    this.#watch();
    const reply = `${this.#inbox}.${this.#serial}`;
    try {
      this.#connection.publish(this.#consumer.nextSubject, JSON.stringify(request), { reply });
    } catch (error) {
      this.#lose('The connection does not take requests.', error);
    }
  }

  #receive(message: NatsMessageLike): void {
    this.#wasHeard = true;
    if (message.subject.startsWith(this.#inbox)) this.#hearStatus(message);
    else this.#accept(message);
  }

  #accept({ subject, reply = '', data }: NatsMessageLike): void {
    const { index, delivery, time, pending } = deliveryOf(reply);
    if (this.#lost) return;
    if (delivery !== this.#delivered + 1) return this.#lose('A record was sent that did not arrive.');
    if (!(index > this.#position)) return this.#lose('The stream has become another one.');
    this.#delivered = delivery;
    this.#position = index;
    this.#pending = pending;
    this.#arrived.push({ index, kind: subject === this.#aclSubject ? 'acl' : 'events', time, body: data });
    if ((this.#missing -= 1) <= 0) this.#endRequest();
    this.#wakeUp();
  }

  /**
   * 100 is a heartbeat; 404 and 408 end a request; so does 409 when the next record does not fit in, else it is a
   * refusal.
   */
  #hearStatus({ subject, headers }: NatsMessageLike): void {
    const code = headers?.code;
    if (code === 100 || subject !== `${this.#inbox}.${this.#serial}`) return;
    const broughtRecords = this.#arrived.length > 0;
    this.#endRequest();
    if (code === 409 && !broughtRecords && this.#asked.max_bytes !== undefined) return this.#askForOne();
    if (code !== 404 && code !== 408 && !(code === 409 && broughtRecords)) {
      this.#lose(`The consumer answered with status ${code}.`);
    }
    this.#wakeUp();
  }

  /** The next record alone is larger than what was asked for. Were it no more than that, it would never come. */
  #askForOne(): void {
    const { max_bytes: _, ...asked } = this.#asked;
    this.#ask({ ...asked, batch: 1 });
  }

  #endRequest(): void {
    this.#missing = 0;
    this.#silence?.cancel();
    this.#silence = undefined;
  }

  #watch(): void {
    this.#wasHeard = false;
    this.#silence = systemClock.after(SILENCE_MS, () => {
      if (this.#wasHeard) this.#watch();
      else this.#lose('The server is silent.');
    });
  }

  #lose(why: string, cause?: unknown): void {
    this.#endRequest();
    this.#lost ??= new PullLost(why, { cause });
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

const CLOSED = 'The pull was closed.';
