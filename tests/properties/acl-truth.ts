/** What a policy says of each namespace name; `*` stands for all that have no rule of their own. */
export type Grant = Readonly<Record<string, 'read' | 'deny'>>;

export interface TruthToken {
  readonly policies: readonly string[];
  readonly roles: readonly string[];
  readonly expiresAt: number | undefined;
}

/** All ACL objects at one moment. */
export interface TruthState {
  readonly policies: ReadonlyMap<string, Grant>;
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly tokens: ReadonlyMap<string, TruthToken>;
}

/** An event, as far as rights go. */
export interface TruthEvent {
  readonly index: number;
  readonly namespace: string;
  readonly publishedAt: number;
}

/** Whose subscription, and to which namespace. */
export interface TruthReader {
  readonly who: string;
  readonly namespace: string;
}

/** The history of the ACLs, and a naive reading of the rules over it: what a subscription may see at all, and when. */
export class AclTruth {
  readonly #states: { readonly from: number; readonly state: TruthState }[] = [];

  constructor(state: TruthState) {
    this.#states.push({ from: 0, state });
  }

  get now(): TruthState {
    return this.#states.at(-1)?.state ?? { policies: new Map(), roles: new Map(), tokens: new Map() };
  }

  /** How many states there have been. */
  get length(): number {
    return this.#states.length;
  }

  /** From this index on, exclusive, another state holds. */
  change(index: number, state: TruthState): void {
    this.#states.push({ from: index, state });
  }

  /**
   * Whether the event may have reached the reader by now: the state in force at its index lets it, or one that came since (rights that came back).
   * What was published above a revocation, and nothing has given back, may not.
   */
  mayHaveSeen(reader: TruthReader, event: TruthEvent): boolean {
    const inForce = this.#states.findLastIndex(({ from }) => from < event.index);
    return this.#states.slice(inForce).some(({ state }) => seesEvent(state, reader, event));
  }

  /** Whether every state from the given one on lets the reader see the event. */
  alwaysSees(reader: TruthReader, event: TruthEvent, sinceState: number): boolean {
    return this.#states.slice(sinceState).every(({ state }) => seesEvent(state, reader, event));
  }

  /** Whether some state from the given one on refuses the subscription itself. */
  everRefused(reader: TruthReader, sinceState: number): boolean {
    return this.#states.slice(sinceState).some(({ state }) => !maySubscribe(state, reader));
  }

  /** Whether some state from the given one on has the token expired by `time`. */
  everExpired({ who }: TruthReader, sinceState: number, time: number): boolean {
    return this.#states.slice(sinceState).some(({ state }) => (state.tokens.get(who)?.expiresAt ?? Infinity) <= time);
  }
}

function seesEvent(state: TruthState, reader: TruthReader, { namespace, publishedAt }: TruthEvent): boolean {
  const isLive = publishedAt < (state.tokens.get(reader.who)?.expiresAt ?? Infinity);
  return isLive && maySubscribe(state, reader) && levelOf(state, reader.who, namespace) === 'read';
}

function maySubscribe(state: TruthState, { who, namespace }: TruthReader): boolean {
  return levelOf(state, who, namespace) === 'read';
}

/** An exact name first, else `*`; deny wins over read. */
function levelOf(state: TruthState, who: string, namespace: string): 'read' | 'deny' | undefined {
  const token = state.tokens.get(who);
  const names = [...(token?.policies ?? []), ...(token?.roles ?? []).flatMap((id) => state.roles.get(id) ?? [])];
  const grants = names.map((name) => state.policies.get(name)).filter((grant) => grant !== undefined);
  for (const name of [namespace, '*']) {
    const levels = grants.map((grant) => grant[name]).filter((level) => level !== undefined);
    if (levels.length > 0) return levels.includes('deny') ? 'deny' : 'read';
  }
  return undefined;
}
