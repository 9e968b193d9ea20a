import type { AclStore } from '../acl/acl-store.ts';
import { systemClock } from '../model/clock.ts';
import type { Clock } from '../model/clock.ts';
import { checkOptions } from '../model/options.ts';

type LookUp = keyof AclStore;

/**
 * Whether a look-up that waits has read its answer already (and gives one from before the wait) or reads it afterwards.
 */
export type WaitMoment = 'before-reading' | 'after-reading';

export interface FaultyAclStoreOptions {
  /** What {@link FaultyAclStore.delayBy} waits on; default the machine's clock. */
  readonly clock?: Clock;
}

interface Wait {
  readonly moment: WaitMoment;
  readonly over: () => Promise<void>;
}

/**
 * An `AclStore` around another one, with faults as the test asks for them: slow, held until released, failing, stale.
 * It does nothing by chance and nothing by itself; without a fault it answers what the other one answers, in the same
 * way.
 */
export class FaultyAclStore implements AclStore {
  readonly #store: AclStore;
  readonly #clock: Clock;
  #wait: Wait | undefined;
  #error: Error | undefined;
  #isStale = false;
  readonly #answers = new Map<string, unknown>();
  readonly #held: (() => void)[] = [];
  #lookUps = 0;

  /** @throws TypeError for an option that is not known */
  constructor(store: AclStore, options: FaultyAclStoreOptions = {}) {
    checkOptions<FaultyAclStoreOptions>(options, { clock: true }, 'FaultyAclStore');
    const { clock = systemClock } = options;
    this.#store = store;
    this.#clock = clock;
  }

  tokenBySecretId(secretId: string): ReturnType<AclStore['tokenBySecretId']> {
    return this.#lookUp('tokenBySecretId', secretId, () => this.#store.tokenBySecretId(secretId));
  }

  policyByName(name: string): ReturnType<AclStore['policyByName']> {
    return this.#lookUp('policyByName', name, () => this.#store.policyByName(name));
  }

  roleById(id: string): ReturnType<AclStore['roleById']> {
    return this.#lookUp('roleById', id, () => this.#store.roleById(id));
  }

  /** How many look-ups were made so far. */
  get lookUps(): number {
    return this.#lookUps;
  }

  /** How many look-ups wait to be released. */
  get held(): number {
    return this.#held.length;
  }

  /** From now on each look-up takes so long. */
  delayBy(delayMs: number, moment: WaitMoment = 'before-reading'): void {
    const over = () => new Promise<void>((resolve) => void this.#clock.after(delayMs, resolve));
    this.#wait = { moment, over };
  }

  /** From now on each look-up waits for {@link release}. */
  hold(moment: WaitMoment = 'before-reading'): void {
    const over = () => new Promise<void>((resolve) => void this.#held.push(resolve));
    this.#wait = { moment, over };
  }

  /** Lets the look-ups go on that wait, or the first `count` of them; later ones are held as before. */
  release(count: number = this.#held.length): void {
    for (const goOn of this.#held.splice(0, count)) goOn();
  }

  /** From now on each look-up fails, also one that waits and has not read yet. */
  failWith(error: Error = new Error('The ACL store does not answer.')): void {
    this.#error = error;
  }

  /** From now on what was asked before is answered as it was answered then, whatever the store holds. */
  answerStale(): void {
    this.#isStale = true;
  }

  /** Ends every fault and releases what waits. */
  recover(): void {
    this.#wait = undefined;
    this.#error = undefined;
    this.#isStale = false;
    this.release();
  }

  #lookUp<A>(lookUp: LookUp, key: string, read: () => A): A | Promise<Awaited<A>> {
    this.#lookUps += 1;
    const answer = () => this.#read(`${lookUp} ${key}`, read);
    if (this.#wait === undefined) return answer();
    return waitedFor(this.#wait, answer);
  }

  #read<A>(key: string, read: () => A): A {
    if (this.#error) throw this.#error;
    if (this.#isStale && this.#answers.has(key)) return this.#answers.get(key) as A;
    const answer = read();
    this.#answers.set(key, answer);
    return answer;
  }
}

async function waitedFor<A>({ moment, over }: Wait, answer: () => A): Promise<Awaited<A>> {
  // From the call on: what is released while the answer is still being read is released.
  const isOver = over();
  const early = moment === 'after-reading' ? { answer: await answer() } : undefined;
  await isOver;
  return early === undefined ? await answer() : early.answer;
}
