import type { EventBatch, Gap } from 'fenceline';

/** An event of a history. */
export interface ModelEvent {
  readonly index: number;
  readonly topic: 'Order' | 'Job' | 'Log';
  readonly namespace: string;
  readonly key: string;
  /** Who has a lower one does not see it (orders alone). */
  readonly level: number;
  /** A further key by which it can be asked for. */
  readonly tag: string;
  /** It removes its key. */
  readonly isGone: boolean;
}

export interface ModelRights {
  readonly namespaces: readonly string[];
  readonly level: number;
}

export interface ModelRequest {
  readonly topics: readonly string[];
  readonly namespaces: readonly string[];
}

/** What a reader holds: by object, the index of the event that it has of it. */
export type Held = ReadonlyMap<string, number>;

export const nameOf = ({ topic, namespace, key }: Pick<ModelEvent, 'topic' | 'namespace' | 'key'> | ObjectLike) =>
  `${topic} ${namespace} ${key}`;

interface ObjectLike {
  readonly topic: string;
  readonly namespace: string;
  readonly key: string;
}

/** The naive model: all that was published, and every question answered by looking at all of it. */
export class StateModel {
  readonly events: ModelEvent[] = [];
  /** Which rights held from when on: with the newest index then. */
  readonly #rights: { readonly from: number; readonly rights: ModelRights }[] = [];

  constructor(rights: ModelRights) {
    this.#rights.push({ from: 0, rights });
  }

  get head(): number {
    return this.events.at(-1)?.index ?? 0;
  }

  get rights(): ModelRights {
    return this.#rights.at(-1)?.rights as ModelRights;
  }

  change(rights: ModelRights): void {
    this.#rights.push({ from: this.head, rights });
  }

  /** The newest event of each object up to an index, removed ones among them. */
  newest(upTo: number): ReadonlyMap<string, ModelEvent> {
    const newest = new Map<string, ModelEvent>();
    for (const event of this.events) if (event.index <= upTo && event.topic !== 'Log') newest.set(nameOf(event), event);
    return newest;
  }

  /** The state at an index. */
  stateAt(upTo: number, request: ModelRequest, rights: ModelRights): Held {
    const shown = [...this.newest(upTo)].filter(([, event]) => !event.isGone && shows(event, request, rights));
    return new Map(shown.map(([name, { index }]) => [name, index]));
  }

  /** Rights that held while this was the newest index. */
  rightsAt(index: number): readonly ModelRights[] {
    return this.#rights
      .filter(({ from }, i) => {
        const until = this.#rights[i + 1]?.from ?? Infinity;
        return from <= index && index <= until;
      })
      .map(({ rights }) => rights);
  }

  /** Whether an event may have been handed to such a reader: by rights that held when it was published, or later. */
  mayHaveSeen(index: number, name: string, request: ModelRequest): boolean {
    const rights = this.#rights.filter((_, i) => (this.#rights[i + 1]?.from ?? Infinity) >= index);
    const events = this.events.filter((event) => event.index === index && nameOf(event) === name);
    return events.some((event) => rights.some((one) => shows(event, request, one.rights)));
  }
}

function shows(event: ModelEvent, { topics, namespaces }: ModelRequest, rights: ModelRights): boolean {
  const isAsked = topics.some((term) => {
    const [topic, key = '*'] = term.split(':');
    return (topic === '*' || topic === event.topic) && (key === '*' || key === event.key || key === event.tag);
  });
  const isThere = namespaces.includes('*') || namespaces.includes(event.namespace);
  const isAllowed =
    event.topic !== 'Order' || (rights.namespaces.includes(event.namespace) && event.level <= rights.level);
  return isAsked && isThere && isAllowed;
}

const beginsAnew = (gap: Gap): boolean => ['state', 'restarted', 'ahead'].includes(gap.reason);

/** What anybody does who keeps a copy of the state. */
export class Mirror {
  readonly held = new Map<string, number>();
  readonly gaps: Gap[] = [];
  isCurrent = false;
  /** How many events it was handed. */
  count = 0;

  take({ index, events, removed = [], gap, current }: EventBatch): void {
    if (gap) {
      this.gaps.push(gap);
      if (beginsAnew(gap)) {
        this.held.clear();
        this.isCurrent = false;
      }
    }
    for (const event of events) {
      this.count++;
      if (event.topic !== 'Log') this.held.set(nameOf(event), index);
    }
    for (const object of removed) this.held.delete(nameOf(object));
    if (current) this.isCurrent = true;
  }
}

/** @returns what differs, as text; '' where nothing does */
export function differenceOf(held: Held, expected: Held): string {
  const names = [...new Set([...held.keys(), ...expected.keys()])].toSorted();
  const wrong = names.filter((name) => held.get(name) !== expected.get(name));
  return wrong.map((name) => `${name}: holds ${held.get(name)}, should be ${expected.get(name)}`).join('; ');
}
