import type { Acl } from '../../acl/acl.ts';
import type { Clock } from '../../model/clock.ts';
import { describe } from '../../model/describe.ts';
import type { Topics } from '../../model/topics.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';
import type { TopicFilter } from '../matching/topic-filter.ts';
import type { Notify, RuleFailure } from './broker-notifications.ts';

/** A rule that fails with every event must not flood the host: it is told once for each topic in so many ms. */
const TOLD_EVERY_MS = 60_000;

export interface VisibleRulesParts {
  readonly topics: Topics;
  readonly clock: Pick<Clock, 'now'>;
  readonly notify: Notify;
}

/** What a topic's rule answers of one event. */
export interface RuleAnswer {
  readonly topic: string;
  readonly isVisible: boolean;
  /** One sentence for an operator. */
  readonly reason: string;
}

interface RuleFault {
  readonly fault: unknown;
}

/**
 * The rules that topics have of their own (`visible`), asked in the one place that decides what a failure means: the
 * event is hidden, counted, and the host is told.
 */
export class VisibleRules {
  readonly #parts: VisibleRulesParts;
  readonly #toldAt = new Map<string, number>();
  #faults = 0;

  constructor(parts: VisibleRulesParts) {
    this.#parts = parts;
  }

  /** How often a rule failed. */
  get faults(): number {
    return this.#faults;
  }

  /** Whether events that such a filter passes may have a rule. */
  concern(filter: TopicFilter): boolean {
    const { topics } = this.#parts;
    const names = [...filter.topics];
    return names.includes('*') ? topics.hasRules : names.some((name) => topics.rulesFor(name).length > 0);
  }

  /**
   * Whether the rules of an event's topic, and of the alias that it was asked for by, let it be seen.
   * @param name the name that it was asked for by
   */
  allow(acl: Acl, name: string, event: EncodedEvent): boolean {
    if (acl.isManagement) return true;
    // A loop: where each subscription has claims of its own, each publish comes through here for each of them.
    for (const topic of this.#parts.topics.rulesFor(name)) if (!this.#asks(topic, acl, event)) return false;
    return true;
  }

  /** What each rule answers of an event that somebody asks about: for explanations, which count no failure. */
  explain(acl: Acl, name: string, event: EncodedEvent): readonly RuleAnswer[] {
    return this.#parts.topics.rulesFor(name).map((topic) => {
      if (acl.isManagement) return { topic, isVisible: true, reason: 'Management sees all.' };
      const answer = this.#ask(topic, acl, event);
      if (answer === undefined)
        return { topic, isVisible: false, reason: 'There are no claims, and the rule takes some.' };
      if (typeof answer === 'boolean') return { topic, isVisible: answer, reason: `The rule answered ${answer}.` };
      return { topic, isVisible: false, reason: `The rule failed: ${messageOf(answer.fault)}` };
    });
  }

  /** @param topic one that has a rule */
  #asks(topic: string, acl: Acl, event: EncodedEvent): boolean {
    const answer = this.#ask(topic, acl, event) ?? false;
    return typeof answer === 'boolean' ? answer : this.#hide(topic, acl, answer.fault);
  }

  /** @returns undefined where there are no claims to ask with */
  #ask(topic: string, { claims, claimsFault }: Acl, event: EncodedEvent): boolean | RuleFault | undefined {
    if (claimsFault !== undefined) return { fault: new TypeError(claimsFault) };
    if (claims === undefined) return undefined;
    try {
      const answer: unknown = this.#parts.topics.definition(topic)?.visible?.(claims, event.event);
      if (typeof answer === 'boolean') return answer;
      // Nobody waits for it, and one that rejects unheard would end the process.
      if (answer instanceof Promise) answer.catch(() => undefined);
      return { fault: new TypeError(`visible must answer true or false; got ${described(answer)}.`) };
    } catch (fault) {
      return { fault };
    }
  }

  #hide(topic: string, { accessorId }: Acl, error: unknown): false {
    this.report({ topic, accessorId, error });
    return false;
  }

  /** Counts a failure, and tells the host of the first in a while. */
  report(failure: RuleFailure): void {
    this.#faults++;
    const now = this.#parts.clock.now();
    if (now - (this.#toldAt.get(failure.topic) ?? -Infinity) < TOLD_EVERY_MS) return;
    this.#toldAt.set(failure.topic, now);
    this.#parts.notify('ruleFailed', failure);
  }
}

const messageOf = (fault: unknown): string => (fault instanceof Error ? fault.message : describe(fault));

const described = (answer: unknown): string => (answer instanceof Promise ? 'a promise' : describe(answer));
