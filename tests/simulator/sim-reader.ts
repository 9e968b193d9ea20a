import type { EventBatch } from 'fenceline';
import type { Model } from './model.ts';
import { clientSource, codeOf, localSource, type Place, type Source, type Surroundings } from './readers.ts';
import type { ReaderWish } from './steps.ts';
import type { Wire } from './wire.ts';
import { Witness } from './witness.ts';

/** What a reader needs of its world. */
export interface ReaderWorld extends Surroundings {
  readonly model: Model;
  /** The store had faults, so rights may not have been had. */
  readonly hadFaults: boolean;
  failed(error: unknown): void;
  say(line: string): void;
}

/** These pass: the reader asks again. */
const passing = ['closed', 'log_unavailable', 'acl_unavailable'];

/** A program that reads a stream, ends, and begins again from where it was, with a witness over all of its life. */
export class SimReader {
  readonly name: string;
  readonly #world: ReaderWorld;
  readonly #wish: ReaderWish;
  readonly #witness: Witness;
  #source: Source | undefined;
  #place: Place;
  #epoch: string | undefined;
  #wire: Wire | undefined;
  #credit: number;
  #isReading = false;
  #isOpening = false;

  constructor(world: ReaderWorld, wish: ReaderWish, name: string) {
    this.#world = world;
    this.name = name;
    this.#wish = wish;
    this.#witness = new Witness(world.model, wish, name, (line) => world.say(line));
    this.#place = { index: wish.index };
    this.#credit = wish.credit;
    this.open();
  }

  /** It is denied, or has been handed all up to the head of the present run, or knows that it is not for it. */
  isDone(epoch: string): boolean {
    return this.#isDenied ? !this.#isToEnd : this.#hasPassed(this.#world.model.head, epoch);
  }

  /** All is quiet: it has everything, or has been told that it may not. */
  check(epoch: string): void {
    const { clock } = this.#world;
    const { name } = this;
    if (this.#isToEnd) throw new Error(`${name} may see nothing, and its stream goes on.`);
    if (!this.isDone(epoch)) throw new Error(`${name} does not come to the head.`);
    if (!this.#isDenied) this.#witness.checkComplete(clock.now());
  }

  open(): void {
    if (this.#source !== undefined || this.#isOpening) return;
    this.#witness.asks();
    if (this.#wish.kind === 'client') this.#use(this.#client());
    else void this.#openLocal();
  }

  read(count: number): void {
    this.#credit += count;
    if (!this.#isDenied) this.open();
    this.#goOn();
  }

  pause(): void {
    this.#credit = 0;
  }

  cut(bytes: number): void {
    this.#wire?.cutAfter(bytes);
  }

  freeze(): void {
    this.#wire?.freeze();
  }

  thaw(): void {
    this.#wire?.thaw();
  }

  leave(): void {
    const source = this.#source;
    if (source === undefined) return;
    // What is being handed over now was not done with: a program that ends here gets it again.
    if (!this.#isReading) this.#keep(source);
    this.#source = undefined;
    source.close();
  }

  get #isDenied(): boolean {
    return this.#world.model.isDenied(this.#wish, this.#world.clock.now(), 'perhaps');
  }

  /** It has been told long since that it may see nothing: its stream ends when what came before has been read. */
  get #isToEnd(): boolean {
    const { model, clock } = this.#world;
    return this.#source !== undefined && model.isDenied(this.#wish, clock.now(), 'surely');
  }

  #hasPassed(index: number, epoch: string): boolean {
    const { last } = this.#witness;
    if (last.run === this.#world.model.run && last.index >= index) return true;
    const { index: next, epoch: own } = this.#source?.place ?? this.#place;
    return this.#wish.hearsGaps && typeof next === 'number' && own === epoch && next > index;
  }

  #client(): Source {
    return clientSource(this.#place, this.#wish, this.#world, {
      onWire: (wire) => (this.#wire = wire),
      onOpen: () => this.#witness.opened(),
      onGap: (gap) => {
        // Further gaps, before anything else comes, are of that run too.
        this.#epoch = gap.epoch ?? this.#epoch;
        this.#guarded(() => this.#witness.gap(gap, this.#epoch));
      },
    });
  }

  async #openLocal(): Promise<void> {
    this.#isOpening = true;
    try {
      const source = await localSource(this.#place, this.#wish, this.#world);
      this.#witness.opened();
      this.#use(source);
    } catch (error) {
      this.#over(error);
    } finally {
      this.#isOpening = false;
    }
  }

  #use(source: Source): void {
    this.#source = source;
    this.#isReading = false;
    this.#goOn();
  }

  #goOn(): void {
    const source = this.#source;
    if (source === undefined || this.#isReading || this.#credit <= 0) return;
    if (source.poll) this.#pollAll(source);
    else void this.#readOn(source);
  }

  #pollAll(source: Source): void {
    try {
      while (this.#credit > 0 && this.#source === source) {
        const batch = source.poll?.();
        if (batch === undefined) return;
        this.#take(source, batch);
      }
    } catch (error) {
      this.#over(error);
    }
  }

  async #readOn(source: Source): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#credit > 0) {
        const { value, done } = await source.next();
        if (this.#source !== source) return;
        if (done) throw new Error('A stream that nobody closed is over.');
        this.#take(source, value);
      }
      this.#isReading = false;
    } catch (error) {
      if (this.#source === source) this.#over(error);
    }
  }

  #take(source: Source, batch: EventBatch): void {
    this.#credit--;
    this.#keep(source);
    this.#guarded(() => this.#witness.take(batch, this.#epoch ?? ''));
  }

  #keep(source: Source): void {
    this.#place = source.place;
    this.#epoch = source.place.epoch;
  }

  #over(error: unknown): void {
    if (this.#source) this.#keep(this.#source);
    this.#source = undefined;
    this.#isReading = false;
    this.#guarded(() => {
      const code = codeOf(error);
      const isPassing = this.#wish.kind !== 'client' && passing.includes(code);
      if (isPassing) this.#world.say(`a reader met ${code}`);
      else this.#witness.ended(code, this.#world.clock.now(), this.#world.hadFaults);
    });
  }

  #guarded(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#world.failed(error);
    }
  }
}
