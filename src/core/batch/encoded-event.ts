import type { Event, EventMeta } from '../../model/event.ts';

/** Where an event's payload comes from: a frozen value (published here) or its JSON text (read from a log). */
export interface PayloadSource {
  readonly payload?: unknown;
  readonly json?: string;
  /** About the length of the text. */
  readonly bytes: number;
}

/** An event in all the forms that readers need, each made when first asked for and at most once. */
export class EncodedEvent implements EventMeta {
  readonly topic: string;
  readonly type: string;
  readonly key: string;
  readonly namespace: string;
  readonly filterKeys: readonly string[];
  /** Its batch's, given when that is made. */
  index = 0;
  /** Names by which filters can ask for it: its topic and the aliases that cover it. */
  readonly names: readonly string[];
  /** About how many bytes it holds. */
  readonly bytes: number;
  /** The value, as long as it is cheaper to keep than to make anew; undefined otherwise. */
  #payload: unknown;
  /** Its JSON text, when it came from a log. */
  readonly #payloadJson: string | undefined;
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
    this.bytes =
      OVERHEAD_BYTES + meta.topic.length + meta.type.length + meta.key.length + meta.namespace.length + bytes;
    for (const filterKey of meta.filterKeys) this.bytes += filterKey.length;
  }

  /** The payload's JSON text. */
  get payloadJson(): string {
    return this.#payloadJson ?? JSON.stringify(this.#payload);
  }

  /** The wire's line for a batch of this event alone, with its newline. */
  get line(): string {
    return (this.#line ??= this.#encode());
  }

  /** The event as it stands on the wire: a view of the line, not a copy. */
  get json(): string {
    return this.line.slice(this.line.indexOf('[') + 1, -3);
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
    const { topic, type, key, namespace, filterKeys, index } = this;
    const event = {
      Topic: topic,
      Type: type,
      Key: key,
      Namespace: namespace,
      FilterKeys: filterKeys.length === 0 ? null : filterKeys,
      Index: index,
      Payload: this.#payload,
    };
    let line = JSON.stringify({ Index: index, Events: [event] });
    if (this.#payloadJson !== undefined) line = `${line.slice(0, -3)},"Payload":${this.#payloadJson}}]}`;
    line += '\n';
    line.charCodeAt(0);
    this.#payload = undefined;
    return line;
  }

  #decode(): Event {
    const { topic, type, key, namespace, filterKeys, index } = this;
    const payload = this.#payload ?? deepFreeze(this.#parse());
    return Object.freeze({ topic, type, key, namespace, filterKeys, index, payload });
  }

  #parse(): unknown {
    if (this.#payloadJson !== undefined) return JSON.parse(this.#payloadJson);
    return this.#line === undefined ? null : (JSON.parse(this.json) as { Payload: unknown }).Payload;
  }
}

/** Member names, quotes and digits around an event's own texts. */
const OVERHEAD_BYTES = 100;

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
