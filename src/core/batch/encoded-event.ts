import invariant from 'tiny-invariant';
import { deepFreeze } from './frozen.ts';
import { arrayBytes, textBytes } from './heap-size.ts';
import type { Event, EventMeta } from '../../model/event.ts';

/** Where an event's payload comes from: a frozen value (published here) or its JSON text (read from a log). */
export interface PayloadSource {
  readonly payload?: unknown;
  readonly json?: string;
  /** About how much memory it takes, value or text. */
  readonly bytes: number;
}

/** Where the bytes of what is held are added up. */
export interface ByteLedger {
  bytes: number;
}

/** The batch that an event is of. */
export interface EventOwner {
  readonly index: number;
  /** The event takes so many bytes more, or less. */
  grow(bytes: number): void;
}

/** What stands around the one event of a line; a line of several puts commas between. */
export const BATCH_END = ']}\n';
const PAYLOAD_MEMBER = ',"Payload":';

/**
 * An event in all the forms that readers need, each made when first asked for and at most once. Which is asked for
 * first makes no difference: each can be had from what the others left.
 */
export class EncodedEvent implements EventMeta {
  readonly topic: string;
  readonly type: string;
  readonly key: string;
  readonly namespace: string;
  readonly filterKeys: readonly string[];
  /** Names by which filters can ask for it: its topic and the aliases that cover it. */
  readonly names: readonly string[];
  /** What it holds in each of its forms, in bytes. */
  #bytes: number;
  #index: number | undefined;
  /** The batch, as long as the buffer holds it. */
  #batch: EventOwner | undefined;
  /** Of who keeps it beyond its batch. */
  #keeper: ByteLedger | undefined;
  /** The value, as long as it is cheaper to keep than to make anew; undefined otherwise. */
  #payload: unknown;
  /** Its JSON text, when it came from a log. */
  #payloadJson: string | undefined;
  #line: string | undefined;
  #event: Event | undefined;

  constructor(meta: EventMeta, names: readonly string[], { payload, json, bytes }: PayloadSource) {
    this.topic = meta.topic;
    this.type = meta.type;
    this.key = meta.key;
    this.namespace = meta.namespace;
    this.filterKeys = meta.filterKeys;
    this.names = names;
    this.#payload = payload;
    this.#payloadJson = json;
    this.#bytes = metaBytes(meta) + bytes;
  }

  /** About how much memory it takes now: it changes as its forms are made, and its batch is told. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Its batch's index. */
  get index(): number {
    invariant(this.#index !== undefined, 'an event was asked for its index before it had one');
    return this.#index;
  }

  /** Called once, when its batch gets its index. */
  joinBatch(batch: EventOwner): void {
    invariant(this.#index === undefined, 'an event is of one batch');
    this.#index = batch.index;
    this.#batch = batch;
  }

  /** The buffer has let go of its batch: one that is kept longer must not keep the others. */
  leaveBatch(): void {
    this.#batch = undefined;
  }

  /** It is kept beyond its batch, and counts there from now on, also as it grows. */
  keepIn(ledger: ByteLedger): void {
    this.letGo();
    this.#keeper = ledger;
    ledger.bytes += this.#bytes;
  }

  /** It is kept no more. */
  letGo(): void {
    if (this.#keeper) this.#keeper.bytes -= this.#bytes;
    this.#keeper = undefined;
  }

  /** The value alone, deeply frozen: for rules that are asked before there is an index. */
  get payload(): unknown {
    return this.#event?.payload ?? this.#payload ?? deepFrozen(JSON.parse(this.payloadJson));
  }

  /** The payload's JSON text. */
  get payloadJson(): string {
    if (this.#payloadJson !== undefined) return this.#payloadJson;
    return this.#line === undefined ? JSON.stringify(this.#payload) : payloadIn(this.json);
  }

  /** The wire's line for a batch of this event alone, with its newline. */
  get line(): string {
    return (this.#line ??= this.#encode());
  }

  /** The event as it stands on the wire: a view of the line, not a copy. */
  get json(): string {
    return this.line.slice(this.line.indexOf('[') + 1, -BATCH_END.length);
  }

  /** The event as in-process readers get it: deeply frozen, one object for all. */
  get event(): Event {
    return (this.#event ??= this.#decode());
  }

  /**
   * As one flat string: what comes from `JSON.stringify` is a tree of pieces, and would stay one for as long as the
   * buffer holds it; reading a letter joins them. A value that no reader in process has asked for by now is let go of,
   * as the text has it. Both take load off the garbage collector: `npm run bench`, scenarios "fanout" and "latency".
   */
  #encode(): string {
    const line = `{"Index":${this.index},"Events":[${this.#encodeEvent()}${BATCH_END}`;
    line.charCodeAt(0);
    this.#resize(textBytes(line) - this.#sourceBytes);
    this.#payload = this.#payloadJson = undefined;
    return line;
  }

  /**
   * What goes when the line takes the place of value or text. The event that a reader in process got keeps its value.
   */
  get #sourceBytes(): number {
    if (this.#payloadJson !== undefined) return textBytes(this.#payloadJson);
    return this.#event === undefined ? this.#bytes - metaBytes(this) : 0;
  }

  /** The payload is the last member: {@link payloadIn} rests on it. */
  #encodeEvent(): string {
    const { topic, type, key, namespace, filterKeys } = this;
    const event = {
      Topic: topic,
      Type: type,
      Key: key,
      Namespace: namespace,
      FilterKeys: filterKeys.length === 0 ? null : filterKeys,
      Index: this.index,
      Payload: this.#payload,
    };
    const json = JSON.stringify(event);
    return this.#payloadJson === undefined
      ? json
      : `${json.slice(0, json.lastIndexOf('}'))}${PAYLOAD_MEMBER}${this.#payloadJson}}`;
  }

  #decode(): Event {
    const { topic, type, key, namespace, filterKeys, index } = this;
    const payload = this.#payload ?? this.#parse();
    this.#resize(DECODED_BYTES);
    return Object.freeze({ topic, type, key, namespace, filterKeys, index, payload });
  }

  #parse(): unknown {
    const payload: unknown = JSON.parse(this.payloadJson);
    this.#resize(deepFreeze(payload));
    return payload;
  }

  #resize(bytes: number): void {
    this.#bytes += bytes;
    this.#batch?.grow(bytes);
    if (this.#keeper) this.#keeper.bytes += bytes;
  }
}

function deepFrozen(value: unknown): unknown {
  deepFreeze(value);
  return value;
}

/**
 * The first unescaped `,"Payload":` is the member's: what stands before it are strings, in which a quote is escaped,
 * and numbers.
 */
function payloadIn(json: string): string {
  return json.slice(json.indexOf(PAYLOAD_MEMBER) + PAYLOAD_MEMBER.length, -1);
}

/** The object itself, and the texts that it shares with others or that are short. */
const EVENT_BYTES = 200;

/** What readers in process are handed beside the payload. */
const DECODED_BYTES = 96;

/** An event without its payload. */
function metaBytes({ key, filterKeys }: EventMeta): number {
  return EVENT_BYTES + key.length + filterKeyBytes(filterKeys);
}

function filterKeyBytes(keys: readonly string[]): number {
  if (keys.length === 0) return 0;
  let bytes = arrayBytes(keys.length);
  for (const key of keys) bytes += textBytes(key);
  return bytes;
}
