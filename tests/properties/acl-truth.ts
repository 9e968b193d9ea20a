import type { AclRef } from '../../src/model/acl-ref.ts';

/** What a policy says of each namespace name; `*` stands for all that have no rule of their own. */
export type Grant = Readonly<Record<string, 'read' | 'deny'>>;

export interface TruthToken {
  readonly policies: readonly string[];
  readonly roles: readonly string[];
  readonly expiresAt: number | undefined;
  /** Its claim: it sees events of this level and below. */
  readonly level: number;
}

/** A policy, the names of a role's policies, or a token; undefined where there is none. */
export type TruthObject = Grant | readonly string[] | TruthToken | undefined;

/** An event, as far as rights go. */
export interface TruthEvent {
  readonly index: number;
  readonly namespace: string;
  readonly level: number;
  readonly publishedAt: number;
}

/** Whose subscription, to which namespace, in which process. */
export interface TruthReader {
  readonly who: string;
  /** What is asked for; where it is pinned, the host says another one, and may change its mind. */
  readonly namespace: string;
  readonly isPinned: boolean;
  readonly scope: 'all' | 'allowed';
  readonly process: number;
}

/** The version of each ACL object; the one that is not named has its version 0, which is nothing. */
type Versions = ReadonlyMap<AclRef, number>;

/** How things stood until the next commit, or until a process heard of one. */
interface Moment {
  readonly committed: Versions;
  /** What each process had heard of. */
  readonly heard: readonly Versions[];
}

/** The ACL objects as a process may have them in mind. */
type View = ReadonlyMap<AclRef, TruthObject>;

/**
 * The history of the ACLs, and a naive reading of the rules over it: what a subscription may see at all, and when.
 *
 * A change is committed in the store at one moment, told at an index, and heard of by each process when that index
 * reaches it. Of each object, a process may have any version in mind from the last that it heard of to the last that is
 * committed. The fence: where an event's index is above that of the news, older versions do not count. Without a log
 * the three are one, and so there is one view at a time.
 */
export class AclTruth {
  readonly #versions = new Map<AclRef, TruthObject[]>();
  readonly #told: { readonly index: number; readonly versions: Versions }[] = [];
  readonly #moments: Moment[];

  /** @param processes how many serve */
  constructor(processes: number) {
    this.#moments = [{ committed: new Map(), heard: Array.from({ length: processes }, () => new Map()) }];
  }

  /** How many moments there have been. */
  get length(): number {
    return this.#moments.length;
  }

  /** What the store holds. */
  stored(ref: AclRef): TruthObject {
    return this.#versions.get(ref)?.at(-1);
  }

  /** Committed, told and heard of everywhere at once: what is published from now on has a greater index than this. */
  change(ref: AclRef, value: TruthObject, index: number): void {
    const committed = this.#add(ref, value);
    this.#told.push({ index, versions: committed });
    this.#moments.push({ committed, heard: this.#now.heard.map(() => committed) });
  }

  /** The store holds another version from now on. */
  commit(ref: AclRef, value: TruthObject): void {
    this.#moments.push({ ...this.#now, committed: this.#add(ref, value) });
  }

  /** The news that these objects changed has got this index: it tells of all that is committed. */
  tell(refs: readonly AclRef[], index: number): void {
    const news = refs.map((ref) => [ref, this.#now.committed.get(ref) ?? 0] as const);
    this.#told.push({ index, versions: new Map([...this.#toldUpTo(index), ...news]) });
  }

  /** Everything up to this index has reached the process. */
  hear(process: number, index: number): void {
    this.#moments.push({ ...this.#now, heard: this.#now.heard.with(process, this.#toldUpTo(index)) });
  }

  /**
   * THE FENCE: whether the event may have reached the reader by now. Rights that came back later count too, since it
   * may have waited for them.
   */
  mayHaveSeen(reader: TruthReader, event: TruthEvent): boolean {
    const views = this.#views(reader, 0, this.#toldUpTo(event.index - 1));
    return some(views, (view) => seesEvent(view, reader, event));
  }

  /** Whether whatever the process may have had in mind, from the given moment on, lets the reader see the event. */
  alwaysSees(reader: TruthReader, event: TruthEvent, since: number): boolean {
    const views = this.#views(reader, since, this.#toldUpTo(event.index - 1));
    return !some(views, (view) => !seesEvent(view, reader, event));
  }

  /**
   * Whether something that the process may have had in mind, from the given moment on, refuses the subscription itself.
   */
  everRefused(reader: TruthReader, since: number): boolean {
    return some(this.#views(reader, since), (view) => !maySubscribe(view, reader));
  }

  /** Whether the token may have been in mind as one that has expired by `time`. */
  everExpired(reader: TruthReader, since: number, time: number): boolean {
    return some(this.#views(reader, since), (view) => expiryOf(view, reader.who) <= time);
  }

  get #now(): Moment {
    return this.#moments.at(-1) as Moment;
  }

  #add(ref: AclRef, value: TruthObject): Versions {
    const versions = this.#versions.get(ref) ?? [undefined];
    this.#versions.set(ref, [...versions, value]);
    return new Map([...this.#now.committed, [ref, versions.length]]);
  }

  #toldUpTo(index: number): Versions {
    return this.#told.findLast((news) => news.index <= index)?.versions ?? new Map();
  }

  /** None of a moment at which a version that is asked for was not committed yet. */
  *#views({ process }: TruthReader, since: number, atLeast: Versions = new Map()): Generator<View> {
    for (const { committed, heard } of this.#moments.slice(since)) {
      const choices = [...this.#versions].map(([ref, versions]) => {
        const oldest = Math.max(heard[process]?.get(ref) ?? 0, atLeast.get(ref) ?? 0);
        return [ref, versions.slice(oldest, (committed.get(ref) ?? 0) + 1)] as const;
      });
      yield* combinations(choices);
    }
  }
}

function* combinations(choices: readonly (readonly [AclRef, readonly TruthObject[]])[]): Generator<View> {
  const [choice, ...others] = choices;
  if (choice === undefined) return yield new Map();
  const [ref, values] = choice;
  for (const view of combinations(others)) for (const value of values) yield new Map([...view, [ref, value]]);
}

function some<T>(values: Iterable<T>, holds: (value: T) => boolean): boolean {
  for (const value of values) if (holds(value)) return true;
  return false;
}

function seesEvent(view: View, reader: TruthReader, { namespace, publishedAt, level }: TruthEvent): boolean {
  const isLive = publishedAt < expiryOf(view, reader.who);
  const asked = askedFor(view, reader);
  if (asked !== '*' && asked !== namespace) return false;
  return isLive && maySubscribe(view, reader) && readsIn(view, reader.who, namespace) && level <= claimOf(view, reader);
}

/** Who asks for what is allowed of all namespaces needs one, whatever it is called. */
function maySubscribe(view: View, reader: TruthReader): boolean {
  const { who, scope } = reader;
  const namespace = askedFor(view, reader);
  if (scope === 'all' || namespace !== '*') return readsIn(view, who, namespace);
  return grantsOf(view, who)
    .flatMap((grant) => Object.keys(grant))
    .some((name) => readsIn(view, who, name));
}

/** Whom somebody is pinned to, a role says: so it is an object of its own, which is told of like others. */
function askedFor(view: View, { who, namespace, isPinned }: TruthReader): string {
  if (!isPinned) return namespace;
  return (view.get(`role:home-of-${who}`) as readonly string[] | undefined)?.[0] ?? 'default';
}

function claimOf(view: View, { who }: TruthReader): number {
  return (view.get(`token:${who}`) as TruthToken | undefined)?.level ?? -1;
}

function expiryOf(view: View, who: string): number {
  return (view.get(`token:${who}`) as TruthToken | undefined)?.expiresAt ?? Infinity;
}

/** An exact name first, else `*`; deny wins over read. */
function readsIn(view: View, who: string, namespace: string): boolean {
  const grants = grantsOf(view, who);
  for (const name of [namespace, '*']) {
    const levels = grants.map((grant) => grant[name]).filter((level) => level !== undefined);
    if (levels.length > 0) return !levels.includes('deny');
  }
  return false;
}

function grantsOf(view: View, who: string): readonly Grant[] {
  const token = view.get(`token:${who}`) as TruthToken | undefined;
  const ofRoles = (token?.roles ?? []).flatMap((id) => (view.get(`role:${id}`) as readonly string[] | undefined) ?? []);
  const names = [...(token?.policies ?? []), ...ofRoles];
  return names.map((name) => view.get(`policy:${name}`) as Grant | undefined).filter((grant) => grant !== undefined);
}
