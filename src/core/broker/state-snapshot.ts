import { Acl, hasExpired } from '../../acl/acl.ts';
import { AclDenial } from '../../acl/acl-denial.ts';
import { forgottenGap } from '../backlog/state-gap.ts';
import { StateReading, type StateBacklog } from '../backlog/state-reading.ts';
import { Interest } from '../matching/interest.ts';
import type { NamespaceInput } from '../matching/namespace-filter.ts';
import type { TopicsInput } from '../matching/topic-filter.ts';
import type { Clock } from '../../model/clock.ts';
import { describe } from '../../model/describe.ts';
import { BrokerError, permissionDenied } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import type { Gap } from '../../model/gap.ts';
import { checkOptions, type OptionNames } from '../../model/options.ts';
import { withinPin } from './pin.ts';
import { viewOf, type Scope, type ViewParts } from './rights-view.ts';

/** Which state is asked for. */
export interface StateOptions<Name extends string = string> {
  /** Default everything that is retained, which needs management where there are ACLs. */
  readonly topics?: TopicsInput<Name>;
  /** Default `'default'`; with `scope: 'allowed'` all: `'*'`. */
  readonly namespace?: NamespaceInput;
  /** As in `subscribe`. */
  readonly scope?: Scope;
  /** Whose rights count. Needed where the broker has an `acl`; `Acl.management` for trusted code. */
  readonly acl?: Acl;
}

/** The state at an index: of each key the newest event, in the order of their indexes. */
export interface StateSnapshot<E extends Event = Event> {
  readonly index: number;
  readonly epoch: string;
  readonly events: readonly E[];
  /** Set where keys were forgotten past the broker's bounds, or are no longer in a log: they may be missing. */
  readonly gap?: Gap;
}

const knownOptions: OptionNames<StateOptions> = { topics: true, namespace: true, scope: true, acl: true };

export interface SnapshotParts extends ViewParts, StateBacklog {
  readonly clock: Pick<Clock, 'now'>;
  /** Rights are asked for. */
  readonly needsAcl: boolean;
}

/**
 * What a subscriber to the state would be handed now, at once.
 * @throws TypeError for an option that is not known, or without rights where some are needed; BrokerError
 * `bad_request`, `permission_denied`, `log_unavailable` while the state is read from a log
 */
export function snapshotOf(options: StateOptions, parts: SnapshotParts): StateSnapshot {
  const { buffer, state, topics } = parts;
  checkOptions<StateOptions>(options, knownOptions, 'state');
  const { acl: given, ...asked } = options;
  const acl = rightsOf(given, parts);
  const request = withinPin(asked, undefined, topics);
  const view = hasExpired(acl, parts.clock.now()) ? undefined : viewOf(request, acl, parts);
  if (view === undefined) throw permissionDenied(new AclDenial('insufficient', acl.accessorId));
  if (!state.isLoaded)
    throw new BrokerError('log_unavailable', 'The state is being read from the log: wait for broker.ready().');
  const interest = new Interest('', view.filter, view.namespaces, view.visibility, buffer.head, true);
  const gap = forgottenGap(parts, interest);
  const events = Object.freeze(eventsOf(interest, parts));
  return Object.freeze({ index: buffer.latestIndex, epoch: buffer.epoch, events, ...(gap && { gap }) });
}

function rightsOf(acl: unknown, { needsAcl }: SnapshotParts): Acl {
  if (acl === undefined && !needsAcl) return Acl.management;
  if (typeof (acl as Partial<Acl> | null | undefined)?.meets === 'function') return acl as Acl;
  throw new TypeError(`state needs acl: an Acl, as Acl.management for trusted code; got ${describe(acl)}.`);
}

function eventsOf(interest: Interest, parts: SnapshotParts): readonly Event[] {
  const { head } = parts.buffer;
  const reading = new StateReading(parts, interest, { since: undefined, plainFrom: head + 1, isNarrowed: false });
  const events: Event[] = [];
  for (let position = 1; ;) {
    const next = reading.next(position, head);
    if (next === undefined) return events;
    if (typeof next === 'object') for (const { event } of next.events) events.push(event);
    position = (typeof next === 'object' ? next.position : next) + 1;
  }
}
