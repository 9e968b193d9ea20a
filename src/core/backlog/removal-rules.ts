import { describe } from '../../model/describe.ts';
import type { RemovalRule, UnindexedEvent } from '../../model/topic-definition.ts';
import type { Topics } from '../../model/topics.ts';
import type { EncodedEvent } from '../batch/encoded-event.ts';

/** Who is told of a rule that failed. */
export type TellFault = (topic: string, fault: unknown) => void;

/**
 * Which events remove their key from the state (`removedBy` of a topic): asked in the one place that decides what a
 * failure means. It removes nothing, and the host is told: an object too many can be seen, one too few cannot.
 */
export class RemovalRules {
  readonly #topics: Topics;
  readonly #tell: TellFault;

  constructor(topics: Topics, tell: TellFault) {
    this.#topics = topics;
    this.#tell = tell;
  }

  removes(event: EncodedEvent): boolean {
    const rule = this.#topics.definition(event.topic)?.removedBy;
    if (rule === undefined) return false;
    return typeof rule === 'function' ? this.#ask(rule, event) : rule.includes(event.type);
  }

  #ask(rule: RemovalRule, event: EncodedEvent): boolean {
    try {
      const answer: unknown = rule(unindexed(event));
      if (typeof answer === 'boolean') return answer;
      // Nobody waits for it, and one that rejects unheard would end the process.
      if (answer instanceof Promise) answer.catch(() => undefined);
      throw new TypeError(`removedBy must answer true or false; got ${describe(answer)}.`);
    } catch (fault) {
      this.#tell(event.topic, fault);
      return false;
    }
  }
}

const unindexed = ({ topic, type, key, namespace, filterKeys, payload }: EncodedEvent): UnindexedEvent =>
  Object.freeze({ topic, type, key, namespace, filterKeys, payload });
