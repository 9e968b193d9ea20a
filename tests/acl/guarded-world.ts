import { Acl } from '../../src/acl/acl.ts';
import type { AclSource } from '../../src/acl/acl-resolver.ts';
import { Revocation } from '../../src/acl/revocation.ts';
import type { Credential, Guarded } from '../../src/acl/session.ts';
import type { AclRef } from '../../src/model/acl-ref.ts';
import { BrokerError } from '../../src/model/errors.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

export const LIMIT_MS = 1000;

/** Rights of the token `t`, told from others by what they rest on. */
export const rightsOn = (...dependsOn: readonly AclRef[]): Acl => Acl.fromRules([], { accessorId: 't', dependsOn });

/** A source of rights that answers when the test says so: its answers are given in the order of the questions. */
export class HeldSource implements AclSource {
  readonly asked: (string | undefined)[] = [];
  /** What it was told of changes. */
  readonly told: string[] = [];
  readonly #waiting: ((answer: Acl | Promise<Acl>) => void)[] = [];

  resolve(secretId: string | undefined): Promise<Acl> {
    this.asked.push(secretId);
    return new Promise<Acl>((resolve) => void this.#waiting.push(resolve));
  }

  changed(refs: readonly AclRef[]): void {
    this.told.push(...refs);
  }

  allChanged(): void {
    this.told.push('all');
  }

  /** Answers the oldest question. */
  answer(answer: Acl | Error): void {
    this.#waiting.shift()?.(answer instanceof Error ? Promise.reject(answer) : answer);
  }
}

/** A subscription that writes down what revocation does with it. */
export class Member implements Guarded {
  readonly seen: string[] = [];

  fence(index: number): void {
    this.seen.push(`fence ${index}`);
  }

  decide(answer: Acl | BrokerError): void {
    this.seen.push(BrokerError.is(answer) ? answer.code : `goes on by ${answer.dependsOn.join()}`);
  }
}

/** The fence over a source of rights, on a clock that the test moves. The newest index is 9. */
export class GuardedWorld {
  readonly clock = new VirtualClock();
  readonly source = new HeldSource();
  readonly revocation: Revocation;

  constructor(options: { readonly source?: AclSource | undefined } = {}) {
    const { source } = { source: this.source, ...options };
    this.revocation = new Revocation({ source, clock: this.clock, timeoutMs: LIMIT_MS, newest: { head: 9 } });
  }

  /** A subscription of this token, or function, which was opened with these rights. */
  member(acl: Acl, credential: Credential = 'secret'): Member & { readonly leave: () => void } {
    const member = new Member();
    return Object.assign(member, { leave: this.revocation.watch(credential, acl, member) });
  }

  /** Lets happen what happens without time, after a change or an answer. */
  async change(ref: AclRef, index: number): Promise<void> {
    this.revocation.change([ref], index);
    await this.clock.settle();
  }

  async answer(answer: Acl | Error): Promise<void> {
    this.source.answer(answer);
    await this.clock.settle();
  }
}
