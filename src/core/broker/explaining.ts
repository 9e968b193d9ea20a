import { Acl } from '../../acl/acl.ts';
import type { AclSource } from '../../acl/acl-resolver.ts';
import { explainAcl, type AclExplanation, type AclNeed } from '../../acl/explain.ts';
import type { Credential } from '../../acl/revocation.ts';
import type { Clock } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type { NewEvent } from '../../model/event.ts';
import type { Topics } from '../../model/topics.ts';
import { checkEvents } from './publish-request.ts';
import { needsOf } from './rights-view.ts';
import { askScoped, type CheckedSubscribe } from './subscribe-request.ts';
import type { RuleAnswer, VisibleRules } from './visible-rules.ts';

/** Why somebody may or may not subscribe, and what they would see of an event. For operators and tests. */
export interface SubscribeExplanation extends AclExplanation {
  /** What the rules of the event's topic answer (`visible`); none where no event was asked about, or it has no rule. */
  readonly rules: readonly RuleAnswer[];
}

export interface ExplainingParts {
  readonly topics: Topics;
  readonly rules: VisibleRules;
  readonly source: AclSource | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * @param about an event that might be published
 * @throws BrokerError `not_supported` for a token without a resolver that can tell; `bad_request` for an event that is
 * none; what the host's function throws
 */
export async function explainRequest(
  request: CheckedSubscribe,
  about: NewEvent | undefined,
  parts: ExplainingParts,
): Promise<SubscribeExplanation> {
  const { credential } = request;
  const needs = needsOf(await askScoped(request), parts.topics);
  const given = await givenRights(credential, parts);
  const explanation = given
    ? explainAcl(given, needs, parts.clock.now())
    : await explainToken(credential, needs, parts);
  const isKnown = explanation.token !== 'unknown' && explanation.token !== 'expired';
  if (about === undefined || !isKnown) return { ...explanation, rules: [] };
  return { ...explanation, rules: answersOf(given ?? (await resolved(credential, parts)), about, parts) };
}

async function givenRights(credential: Credential, { source }: ExplainingParts): Promise<Acl | undefined> {
  if (typeof credential === 'function') return credential();
  if (typeof credential === 'object') return credential;
  return source === undefined ? Acl.management : undefined;
}

function explainToken(
  credential: Credential,
  needs: readonly AclNeed[],
  { source }: ExplainingParts,
): AclExplanation | Promise<AclExplanation> {
  if (!source?.explain) throw new BrokerError('not_supported', 'explain needs an acl with explain.');
  return source.explain(credential as string | undefined, needs);
}

async function resolved(credential: Credential, { source }: ExplainingParts): Promise<Acl> {
  return (await source?.resolve(credential as string | undefined)) ?? Acl.fromRules([]);
}

function answersOf(acl: Acl, about: NewEvent, { topics, rules }: ExplainingParts): readonly RuleAnswer[] {
  const [event] = checkEvents(about, topics);
  if (event === undefined) return [];
  event.joinBatch({ index: 0, grow: () => undefined });
  return event.names.flatMap((name) => rules.explain(acl, name, event));
}
