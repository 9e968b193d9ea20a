import { isDeepStrictEqual } from 'node:util';
import type { EventBatch, Gap } from 'fenceline';
import { type Held, type Model, nameOf, type SimEvent, type SimPlace } from './model.ts';
import type { Payload } from './process.ts';
import type { ReaderWish } from './steps.ts';

const beginsAnew = ({ reason }: Gap): boolean => ['state', 'restarted', 'ahead'].includes(reason);

/** Sees all that one reader is handed over its whole life, and holds it against the model. */
export class Witness {
  readonly #model: Model;
  readonly #wish: ReaderWish;
  readonly #name: string;
  readonly #say: (line: string) => void;
  /** By run and index, the IDs of what came. */
  readonly #seen = new Map<string, ReadonlySet<number>>();
  readonly #gaps: { readonly run: number; readonly gap: Gap }[] = [];
  readonly #held = new Map<string, number>();
  #isCurrent = false;
  #start: SimPlace | undefined;
  #run = -1;
  #last = 0;
  #isRestartTold = false;

  constructor(model: Model, wish: ReaderWish, name: string, say: (line: string) => void) {
    this.#model = model;
    this.#wish = wish;
    this.#name = name;
    this.#say = say;
  }

  get last(): SimPlace {
    return { run: this.#run, index: this.#last };
  }

  /** It asks for its stream, for the first time or anew. */
  asks(): void {
    this.#isCurrent = false;
    // A program that ended before anything came has nothing to go on from.
    if (this.#run < 0) this.#start = undefined;
  }

  /** Its stream is open: from its start on it must get everything. */
  opened(): void {
    const { run, head, oldest } = this.#model;
    const { index } = this.#wish;
    // The whole backlog is what there is when it is asked for: as long as nothing came, it is asked for again.
    if (index === 0) this.#start = this.#run < 0 ? oldest : this.#start;
    else this.#start ??= { run, index: index === 'latest' ? head + 1 : index };
  }

  gap(gap: Gap, epoch: string | undefined): void {
    const run = epoch === undefined ? this.#model.run : this.#model.runOf(gap.epoch ?? epoch);
    this.#say(`${this.#name} gap ${gap.from}-${gap.to} ${gap.reason}`);
    this.#checkGap(gap);
    this.#gaps.push({ run, gap });
    if (!beginsAnew(gap)) return;
    this.#isRestartTold = true;
    this.#start = this.#model.oldest;
    this.#held.clear();
    this.#isCurrent = false;
  }

  /** @param epoch of the run that its index is from */
  take({ index, events, removed = [], current, gap }: EventBatch, epoch: string): void {
    if (gap) this.gap(gap, epoch);
    const ids = events.map(({ payload }) => (payload as Payload).id);
    this.#say(`${this.#name} ${index} [${ids.join()}]${current ? ' current' : ''}`);
    this.#advance(index, epoch, current === true);
    for (const event of events) this.#checkEvent(index, event);
    if (!current) this.#seen.set(`${this.#run}:${index}`, new Set(ids));
    if (!this.#wish.isState) return;
    for (const event of events)
      if (event.topic === 'Order') this.#held.set(nameOf(event), (event.payload as Payload).id);
    for (const object of removed) this.#held.delete(nameOf(object));
    if (current) this.#checkCurrent(index);
  }

  /** Its stream is over, and will not heal by itself. */
  ended(code: string, now: number, hadFaults: boolean): void {
    this.#say(`${this.#name} ended ${code}`);
    const mayBeDenied = this.#model.mayBeDenied(this.#wish, now);
    const causes: Readonly<Record<string, boolean>> = {
      acl_revoked: mayBeDenied,
      acl_expired: mayBeDenied,
      permission_denied: mayBeDenied,
      acl_unavailable: hadFaults,
    };
    if (causes[code] !== true) this.#fail(`ended with ${code}, for no reason`);
  }

  /** All is quiet and it has come to the head: it must have everything. */
  checkComplete(now: number): void {
    if (this.#wish.isState) return this.#checkState();
    const { run } = this.#model;
    const from = this.#start?.run === run ? this.#start.index : 1;
    for (const record of this.#model.records.values()) {
      if (record.run !== run || record.index < from) continue;
      const seen = this.#seen.get(`${run}:${record.index}`);
      const missing = this.#model.owed(this.#wish, record, now).filter(({ id }) => !seen?.has(id));
      if (missing.length === 0 || (seen === undefined && this.#isTold(record))) continue;
      this.#fail(`has not got event ${missing.map(({ id }) => id).join()} of index ${record.index}`);
    }
  }

  #advance(index: number, epoch: string, isCurrent: boolean): void {
    const run = this.#model.runOf(epoch);
    if (run !== this.#run) {
      if (this.#run >= 0 && !this.#isRestartTold) this.#fail(`was not told that run ${run} has begun`);
      this.#last = 0;
    } else if (this.#isRestartTold) this.#last = 0;
    this.#isRestartTold = false;
    if (index < this.#last || (index === this.#last && !isCurrent))
      this.#fail(`got index ${index} after ${this.#last}`);
    this.#run = run;
    this.#last = index;
  }

  #checkEvent(index: number, event: EventBatch['events'][number]): void {
    const record = this.#model.records.get(`${this.#run}:${index}`);
    const { id } = event.payload as Payload;
    const published = record?.events.find((one) => one.id === id);
    if (record === undefined || published === undefined)
      return this.#fail(`got an event at ${index} that is not there`);
    if (!isSame(event, published)) this.#fail(`got event ${id} changed`);
    if (!this.#model.mayHave(this.#wish, record, published)) this.#fail(`got event ${id} at ${index}, past its fence`);
  }

  #checkCurrent(index: number): void {
    if (this.#isCurrent) this.#fail('was told twice that its state is current');
    this.#isCurrent = true;
    const views = this.#model.rightsAt(this.#wish.who, this.#run, index);
    const wrong = views.map((rights) => {
      const expected = [...this.#model.stateAt(this.#wish, this.#run, index, rights)];
      // A process that lags behind a log that is trimmed never saw those: what superseded them comes next.
      const isDue = ([name]: readonly [string, number]) =>
        this.#held.has(name) || !this.#model.isSuperseded(name, this.#run, index);
      return difference(this.#held, new Map(expected.filter(isDue)));
    });
    if (wrong.every((text) => text !== ''))
      this.#fail(`holds another state where it is current, at ${index}: ${wrong[0]}`);
  }

  #checkState(): void {
    const { run, head } = this.#model;
    if (!this.#isCurrent) this.#fail('was never told that its state is current');
    const expected = this.#model.stateAt(this.#wish, run, head, this.#model.rightsNow(this.#wish.who));
    const wrong = difference(this.#held, expected);
    if (wrong !== '') this.#fail(`holds another state at ${head}: ${wrong}`);
  }

  /** It may be missing, and that was said. */
  #isTold(record: SimPlace): boolean {
    if (!this.#model.mayBeGone(record)) return false;
    return this.#gaps.some(({ run, gap }) => run === record.run && gap.from <= record.index && record.index <= gap.to);
  }

  /** No gap without a cause. */
  #checkGap({ reason }: Gap): void {
    const { hasLosses, run } = this.#model;
    if (['trimmed', 'slow'].includes(reason) && !hasLosses && !this.#wish.isState)
      this.#fail(`was told a loss: ${reason}`);
    if (reason === 'restarted' && run === 0) this.#fail('was told of a restart, and there was none');
  }

  #fail(what: string): never {
    throw new Error(`${this.#name} (${JSON.stringify(this.#wish)}) ${what}.`);
  }
}

function isSame(
  event: EventBatch['events'][number],
  { topic, key, namespace, tag, id, level, isGone, size }: SimEvent,
) {
  const payload: Payload = { id, level, isGone, pad: 'x'.repeat(size) };
  const { topic: gotTopic, key: gotKey, namespace: gotNamespace, filterKeys, payload: gotPayload } = event;
  const got = [gotTopic, gotKey, gotNamespace, filterKeys, gotPayload];
  return isDeepStrictEqual(got, [topic, key, namespace, [tag], payload]);
}

/** @returns '' where they are equal */
function difference(held: Held, expected: Held): string {
  const names = [...new Set([...held.keys(), ...expected.keys()])].filter(
    (name) => held.get(name) !== expected.get(name),
  );
  return names.map((name) => `${name}: ${held.get(name)} for ${expected.get(name)}`).join('; ');
}
