/** Somebody's rights: what each rule's name grants, and up to which level their claims let them see. */
export interface ModelRights {
  readonly rules: Readonly<Record<string, readonly string[]>>;
  readonly level: number;
  /** What who is pinned is pinned to. */
  readonly home: readonly string[];
}

export interface ModelEvent {
  readonly index: number;
  readonly topic: string;
  readonly namespace: string;
  readonly level: number;
}

export interface ModelRequest {
  readonly topics: readonly string[];
  /** What is asked for; undefined for who asks for nothing, and is pinned. */
  readonly namespaces: readonly string[] | undefined;
}

/** What each topic needs in its event's namespace; undefined for what anybody may see. */
export const capabilityOf: Readonly<Record<string, string | undefined>> = {
  Order: 'read-orders',
  Audit: 'read-audit',
  News: undefined,
};

/** Rights from an index on: what is published after `after` is seen with them. */
interface ModelStretch {
  readonly after: number;
  readonly rights: ModelRights;
}

/** What a subscription that asks for what is allowed has to get: read off the rules, event by event. */
export class ScopeModel {
  readonly #request: ModelRequest;
  readonly #stretches: ModelStretch[];
  /** Nothing above this index: nothing was left. */
  end = Infinity;

  constructor(request: ModelRequest, rights: ModelRights) {
    this.#request = request;
    this.#stretches = [{ after: -1, rights }];
  }

  /** The rights were confirmed, after changes of which the first was at this index. */
  confirm(after: number, rights: ModelRights): void {
    if (this.end !== Infinity) return;
    if (!leavesAnything(this.#request, rights)) this.end = after;
    else this.#stretches.push({ after, rights });
  }

  expects(event: ModelEvent): boolean {
    const { rights } = this.#stretches.findLast(({ after }) => after < event.index) as ModelStretch;
    return event.index <= this.end && isAskedFor(this.#request, rights, event) && isAllowed(rights, event);
  }
}

export function leavesAnything({ topics, namespaces }: ModelRequest, { rules, home }: ModelRights): boolean {
  const names = topics.includes('*') ? Object.keys(capabilityOf) : topics;
  const asked = namespaces ?? home;
  const places = asked.includes('*') ? Object.keys(rules) : asked;
  return names.some((name) => {
    const capability = capabilityOf[name];
    return capability === undefined || places.some((place) => grants(rules, place, capability));
  });
}

function isAskedFor({ topics, namespaces }: ModelRequest, { home }: ModelRights, event: ModelEvent): boolean {
  const places = namespaces ?? home;
  return (
    (topics.includes('*') || topics.includes(event.topic)) && (places.includes('*') || places.includes(event.namespace))
  );
}

function isAllowed({ rules, level }: ModelRights, event: ModelEvent): boolean {
  const capability = capabilityOf[event.topic];
  if (capability === undefined) return true;
  const isGranted = grants(rules, event.namespace, capability);
  return isGranted && (event.topic !== 'Order' || event.level <= level);
}

/** The rule of exactly this name, else that of `a*`, else that of `*`. */
function grants(rules: ModelRights['rules'], namespace: string, capability: string): boolean {
  const rule = rules[namespace] ?? (namespace.startsWith('a') ? rules['a*'] : undefined) ?? rules['*'];
  return rule !== undefined && rule.includes(capability) && !rule.includes('deny');
}
