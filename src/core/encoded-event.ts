import type { Event, EventMeta } from './event.ts';

/** Where an event's payload comes from: a frozen value (published here) or its JSON text (read from a log). */
export type PayloadSource = { readonly payload: unknown; readonly bytes: number } | { readonly json: string };

/** An event in all the forms that readers need, each made when first asked for and at most once. */
export class EncodedEvent implements EventMeta {
  readonly topic: string;
  readonly type: string;
  readonly key: string;
  readonly namespace: string;
  readonly filterKeys: readonly string[];
  readonly index: number;
  /** Names by which filters can ask for it: its topic and the aliases that cover it. */
  readonly names: readonly string[];
  /** About how many bytes it holds. */
  readonly bytes: number;
  #payload: unknown;
  #payloadJson: string | undefined;
  #json: string | undefined;
  #event: Event | undefined;

  constructor(meta: EventMeta, index: number, names: readonly string[], source: PayloadSource) {
    this.topic = meta.topic;
    this.type = meta.type;
    this.key = meta.key;
    this.namespace = meta.namespace;
    this.filterKeys = meta.filterKeys;
    this.index = index;
    this.names = names;
    if ('json' in source) this.#payloadJson = source.json;
    else this.#payload = source.payload;
    const payloadBytes = 'json' in source ? source.json.length : source.bytes;
    this.bytes =
      OVERHEAD_BYTES + meta.topic.length + meta.type.length + meta.key.length + meta.namespace.length + payloadBytes;
  }

  /** The payload's JSON text. */
  get payloadJson(): string {
    return (this.#payloadJson ??= JSON.stringify(this.#payload));
  }

  /** The event as it stands on the wire. */
  get json(): string {
    return (this.#json ??= this.#encode());
  }

  /** The event as in-process readers get it: deeply frozen, one object for all. */
  get event(): Event {
    return (this.#event ??= this.#decode());
  }

  #encode(): string {
    const keys = this.filterKeys.length === 0 ? 'null' : JSON.stringify(this.filterKeys);
    const names = `"Topic":${quote(this.topic)},"Type":${quote(this.type)},"Key":${quote(this.key)},"Namespace":${quote(this.namespace)}`;
    return `{${names},"FilterKeys":${keys},"Index":${this.index},"Payload":${this.payloadJson}}`;
  }

  #decode(): Event {
    const { topic, type, key, namespace, filterKeys, index } = this;
    this.#payload ??= deepFreeze(JSON.parse(this.payloadJson));
    return Object.freeze({ topic, type, key, namespace, filterKeys, index, payload: this.#payload });
  }
}

/** Member names, quotes and digits around an event's own texts. */
const OVERHEAD_BYTES = 100;

const quote = (text: string): string => JSON.stringify(text);

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
