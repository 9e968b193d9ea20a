import type { NewSimEvent, PolicyValue, ReaderWish, TokenValue } from './steps.ts';

/** An event, as it was published. */
export interface SimEvent extends NewSimEvent {
  readonly id: number;
}

/** A place in the order: a run of indexes, and an index of it. */
export interface SimPlace {
  readonly run: number;
  readonly index: number;
}

/** A batch, in its place. `at`: when it was published. */
export interface SimRecord extends SimPlace {
  readonly at: number;
  readonly events: readonly SimEvent[];
}

interface Version {
  readonly value: TokenValue | PolicyValue | undefined;
  /** When the next one took its place. */
  until: number;
}

/** What somebody is allowed, by one version of their token and of each of its policies. */
export interface Rights {
  readonly token: TokenValue | undefined;
  readonly namespaces: ReadonlySet<string>;
  readonly until: number;
}

/** How many versions of each ACL object there are, or were told of. */
type Versions = ReadonlyMap<string, number>;

/** Where nothing is in its way, so soon a client knows that it is denied, after it has asked once more. */
const TOLD_MS = 6000;

type Asked = Pick<ReaderWish, 'who' | 'topics' | 'namespace' | 'scope'>;

/** What a reader of the state holds: by object, the ID of its newest event. */
export type Held = ReadonlyMap<string, number>;

export const nameOf = ({
  topic,
  namespace,
  key,
}: Pick<NewSimEvent, 'namespace' | 'key'> & { readonly topic: string }) => `${topic} ${namespace} ${key}`;

/**
 * What must be true of the whole system, in the simplest words.
 *
 * There is one order: batches by run and index. A change of rights is committed in the store at one moment, and told at
 * a place in the order. Nobody can say how soon a process asks the store: so what a reader may have been shown is what
 * any version shows from the last that was told before the event up to the last that is committed; and what it must
 * have been shown is what all of these show.
 */
export class Model {
  /** The runs of indexes, by their epochs. */
  readonly #epochs: string[] = [];
  readonly records = new Map<string, SimRecord>();
  /** The newest index of the present run. */
  head = 0;
  /** In each run, all before this index may be gone from the log or the buffer. */
  readonly #firstLeft: number[] = [];
  readonly #unreadable = new Set<string>();
  readonly #versions = new Map<string, Version[]>();
  readonly #told: { readonly run: number; readonly index: number; readonly versions: Versions }[] = [];
  /** What everybody had heard of when all was settled last. */
  #settled: Versions = new Map();
  /** How far the clocks of processes were off, at most, in both directions. */
  skewMs = { min: 0, max: 0 };

  get run(): number {
    return this.#epochs.length - 1;
  }

  /** A run of indexes begins. Whoever serves it asks for all rights anew. */
  begin(epoch: string): void {
    this.#epochs.push(epoch);
    this.#firstLeft.push(1);
    this.head = 0;
    this.#told.push({ run: this.run, index: 0, versions: this.#committed() });
  }

  runOf(epoch: string): number {
    return this.#epochs.indexOf(epoch);
  }

  /** @param refs the ACL objects that it is news of */
  record(index: number, at: number, events: readonly SimEvent[], refs: readonly string[]): void {
    this.head = Math.max(this.head, index);
    if (events.length > 0) this.records.set(`${this.run}:${index}`, { run: this.run, index, at, events });
    if (refs.length > 0) this.#tell(index, refs);
  }

  /** A record that nobody can read: it may be news of anything, and may have held anything. */
  unreadable(index: number): void {
    this.head = Math.max(this.head, index);
    this.#unreadable.add(`${this.run}:${index}`);
    this.#tell(index, [...this.#versions.keys()]);
  }

  /** All before this index may be gone by now. */
  trimmed(first: number): void {
    this.#firstLeft[this.run] = Math.max(this.#firstLeft[this.run] as number, first);
  }

  /** Where the whole backlog begins, at the earliest. */
  get oldest(): SimPlace {
    return { run: this.run, index: this.#firstLeft[this.run] as number };
  }

  commit(ref: string, value: Version['value'], now: number): void {
    const versions = this.#versions.get(ref) ?? [{ value: undefined, until: Infinity }];
    (versions.at(-1) as Version).until = now;
    this.#versions.set(ref, [...versions, { value, until: Infinity }]);
  }

  /** The news is told at the newest index: there is no record of it. */
  tellAtHead(ref: string): void {
    this.#tell(this.head, [ref]);
  }

  /** Whether an event may be missing: it had gone, and whether that is told is another question. */
  mayBeGone({ run, index }: SimPlace): boolean {
    return run !== this.run || index < (this.#firstLeft[run] as number);
  }

  /** Whether anything has gone, in any run. */
  get hasLosses(): boolean {
    return this.#firstLeft.some((first) => first > 1) || this.#unreadable.size > 0;
  }

  /** THE FENCE: whether the reader may have been handed this by now. */
  mayHave(asked: Asked, { run, index, at }: SimRecord, event: SimEvent): boolean {
    const views = this.#views(asked.who, this.#toldBefore(run, index));
    return views.some((rights) => isLive(rights, at + this.skewMs.min) && sees(rights, asked, event));
  }

  /** NO LOSS: what of a batch the reader must have been handed, if it asked for it all the time. */
  owed(asked: Asked, { run, index, events }: SimRecord, now: number): readonly SimEvent[] {
    const views = this.#views(asked.who, this.#toldBefore(run, index));
    const areLive = views.every((rights) => isLive(rights, Math.min(rights.until, now) + this.skewMs.max));
    return areLive ? events.filter((event) => views.every((rights) => sees(rights, asked, event))) : [];
  }

  /** Every process has heard of everything. */
  settled(): void {
    this.#settled = this.#committed();
  }

  /** Whether the reader may have been turned away, by what was committed since all was settled. */
  mayBeDenied(asked: Asked, now: number): boolean {
    const views = this.#views(asked.who, this.#settled);
    return views.some((rights) => !mayOpen(rights, asked) || !isLive(rights, now + this.skewMs.max));
  }

  /**
   * Whether the reader is turned away now, by what everybody has heard of: perhaps, or by every clock and since so long
   * that it has been told.
   */
  isDenied(asked: Asked, now: number, howSure: 'perhaps' | 'surely'): boolean {
    const rights = this.rightsNow(asked.who);
    const skewMs = howSure === 'surely' ? this.skewMs.min - TOLD_MS : this.skewMs.max;
    return !mayOpen(rights, asked) || !isLive(rights, now + skewMs);
  }

  rightsNow(who: string): Rights {
    return this.#views(who, this.#committed())[0] as Rights;
  }

  /**
   * What rights may show to who has everything up to an index. News at that very index holds for what comes after it:
   * who was told before the news that its state is current there is told next what that changed.
   */
  rightsAt(who: string, run: number, index: number): readonly Rights[] {
    return this.#views(who, this.#toldBefore(run, index));
  }

  /** THE STATE at an index: of each object the newest event, unless it removes the object or is not to be seen. */
  stateAt(asked: Asked, run: number, index: number, rights: Rights): Held {
    const shown = [...this.#newestAt(run, index)].filter(
      ([, { event }]) => !event.isGone && sees(rights, asked, event),
    );
    return new Map(shown.map(([name, { event }]) => [name, event.id]));
  }

  /**
   * Whether what was the newest event of an object at an index is superseded by now, and was gone before it was read.
   */
  isSuperseded(name: string, run: number, index: number): boolean {
    const [then, now] = [index, Infinity].map((at) => this.#newestAt(run, at).get(name));
    return then !== undefined && then.record !== now?.record && this.mayBeGone(then.record);
  }

  #newestAt(run: number, index: number): ReadonlyMap<string, { readonly record: SimRecord; readonly event: SimEvent }> {
    const newest = new Map<string, { readonly record: SimRecord; readonly event: SimEvent }>();
    for (const record of this.records.values()) {
      if (record.run !== run || record.index > index) continue;
      for (const event of record.events) if (event.topic === 'Order') newest.set(nameOf(event), { record, event });
    }
    return newest;
  }

  #tell(index: number, refs: readonly string[]): void {
    const before = this.#told.at(-1)?.versions ?? new Map<string, number>();
    const committed = this.#committed();
    const news = refs.map((ref) => [ref, committed.get(ref) ?? 0] as const);
    this.#told.push({ run: this.run, index, versions: new Map([...before, ...news]) });
  }

  #committed(): Versions {
    return new Map([...this.#versions].map(([ref, versions]) => [ref, versions.length - 1]));
  }

  #toldBefore(run: number, index: number): Versions {
    const isBefore = (news: SimPlace): boolean => news.run < run || (news.run === run && news.index < index);
    return this.#told.findLast(isBefore)?.versions ?? new Map();
  }

  /** All that somebody's rights may be, by versions from these on. */
  #views(who: string, atLeast: Versions): readonly Rights[] {
    const from = (ref: string): readonly Version[] =>
      (this.#versions.get(ref) ?? [{ value: undefined, until: Infinity }]).slice(atLeast.get(ref) ?? 0);
    return from(`token:${who}`).flatMap(({ value, until }) => {
      const token = value as TokenValue | undefined;
      let sets: readonly (readonly string[])[] = [[]];
      for (const name of token?.policies ?? []) {
        const lists = from(`policy:${name}`).map((version) => (version.value as PolicyValue | undefined) ?? []);
        sets = sets.flatMap((set) => lists.map((list) => [...set, ...list]));
      }
      return sets.map((names) => ({ token, namespaces: new Set(names), until }));
    });
  }
}

const isLive = ({ token }: Rights, time: number): boolean => time < (token?.expiresAt ?? Infinity);

const readsIn = ({ namespaces }: Rights, name: string): boolean => namespaces.has(name) || namespaces.has('*');

/** Who asks for what is allowed gets what anybody may see, at least. */
function mayOpen(rights: Rights, { topics, namespace, scope }: Asked): boolean {
  if (rights.token === undefined) return false;
  if (scope === 'all') return readsIn(rights, namespace);
  if (topics.includes('Beacon')) return true;
  return namespace === '*' ? rights.namespaces.size > 0 : readsIn(rights, namespace);
}

function sees(rights: Rights, asked: Asked, event: SimEvent): boolean {
  if (!mayOpen(rights, asked) || !asks(asked, event)) return false;
  return event.topic === 'Beacon' || (readsIn(rights, event.namespace) && event.level <= (rights.token?.level ?? -1));
}

function asks({ topics, namespace }: Asked, event: SimEvent): boolean {
  const isThere = event.namespace === '' || namespace === '*' || namespace === event.namespace;
  const isNamed = topics.some((term) => {
    const [topic, key] = term.split(':');
    return topic === event.topic && (key === undefined || key === event.key || key === event.tag);
  });
  return isThere && isNamed;
}
