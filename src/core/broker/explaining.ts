import type { Acl } from '../../acl/acl.ts';
import type { AclSource } from '../../acl/acl-resolver.ts';
import { explainAcl, type AclExplanation, type AclNeed } from '../../acl/explain.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { Clock } from '../../model/clock.ts';
import { BrokerError } from '../../model/errors.ts';
import type { NewEvent } from '../../model/event.ts';
import type { CheckedLimits } from './limits.ts';
import { checkEvents } from './publish-request.ts';
import { needsOf, viewOf, type ViewParts } from './rights-view.ts';
import { askScoped, type CheckedSubscribe } from './subscribe-request.ts';
import type { RuleAnswer, VisibleRules } from './visible-rules.ts';

/** Why somebody may or may not subscribe, and what they would see of an event. For operators and tests. */
export interface SubscribeExplanation extends AclExplanation {
  /** What the rules of the event's topic answer (`visible`); none where no event was asked about, or it has no rule. */
  readonly rules: readonly RuleAnswer[];
}

export interface ExplainingParts extends ViewParts {
  readonly rules: VisibleRules;
  readonly source: AclSource | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits: CheckedLimits;
  /** Resolves rights, as where a subscription is opened. */
  readonly revocation: Pick<Revocation, 'rightsOf'>;
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
  const asked = await askScoped(request);
  const needs = needsOf(asked, parts.topics);
  const isOfToken = parts.source !== undefined && (credential === undefined || typeof credential === 'string');
  const explanation = isOfToken
    ? await explainToken(credential, needs, parts)
    : explainAcl(await parts.revocation.rightsOf(credential), needs, parts.clock.now());
  const isKnown = explanation.token !== 'unknown' && explanation.token !== 'expired';
  // Rights are resolved only where more is asked than what each need says.
  if (!isKnown || (about === undefined && asked.scope === 'all')) return { ...explanation, rules: [] };
  const acl = await parts.revocation.rightsOf(credential);
  return {
    ...explanation,
    isAllowed: viewOf(asked, acl, parts) !== undefined,
    rules: about === undefined ? [] : answersOf(acl, about, parts),
  };
}

function explainToken(
  secretId: string | undefined,
  needs: readonly AclNeed[],
  { source }: ExplainingParts,
): AclExplanation | Promise<AclExplanation> {
  if (!source?.explain) throw new BrokerError('not_supported', 'explain needs an acl with explain.');
  return source.explain(secretId, needs);
}

function answersOf(acl: Acl, about: NewEvent, { topics, limits, rules }: ExplainingParts): readonly RuleAnswer[] {
  const [event] = checkEvents(about, { topics, limits });
  if (event === undefined) return [];
  event.joinBatch({ index: 0, grow: () => undefined });
  return event.names.flatMap((name) => rules.explain(acl, name, event));
}
