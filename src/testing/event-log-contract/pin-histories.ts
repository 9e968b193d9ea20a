import assert from 'node:assert/strict';

import { bodyOf, pinnedIn, readAll } from './subject.ts';
import type { Law, Subject } from './subject.ts';

/** A seed makes the same history every time, so that one that fails can be looked at. */
const SEEDS = [1, 2, 3, 4];
const STEPS = 60;
const KEYS = ['', 'a', 'b', 'c', 'd', 'e', 'f'];
const IDS = ['one', 'two', 'three'];

interface PinOptions {
  readonly pins: readonly string[];
  readonly unpins: readonly string[];
  readonly id?: string;
}

/** What pins are, in as few words as it takes. */
class NaivePins {
  first = 1;
  head = 0;
  readonly #newest = new Map<string, number>();

  append(index: number, { pins, unpins }: PinOptions): void {
    this.head = Math.max(this.head, index);
    for (const key of unpins) this.#newest.delete(key);
    for (const key of pins) this.#newest.set(key, index);
  }

  /** Each record that is pinned, with its keys. */
  pinned(): string[] {
    const before = [...this.#newest].filter(([, index]) => index < this.first);
    const indexes = [...new Set(before.map(([, index]) => index))].sort((a, b) => a - b);
    return indexes.map((index) =>
      textOf(
        index,
        before.flatMap(([key, at]) => (at === index ? [key] : [])),
      ),
    );
  }
}

const textOf = (index: number, keys: readonly string[]): string => `${index}: ${[...keys].sort().join(' ')}`;

export function pinHistoryTests<Storage>(law: Law<Storage>): void {
  for (const seed of SEEDS) {
    law(`pins are what a naive model says over ${STEPS} random steps, seed ${seed}`, (subject) =>
      runHistory(subject, randomFrom(seed)),
    );
  }
}

async function runHistory<Storage>(subject: Subject<Storage>, random: (below: number) => number): Promise<void> {
  const model = new NaivePins();
  for (let step = 0; step < STEPS; step++) {
    const act = random(5);
    if (act < 3) await appendSome(subject, model, random);
    else if (act === 3) await trimSome(subject, model, random);
    else await subject.reopen();
    const { first, head } = await subject.log.state();
    assert.deepEqual({ first, head }, { first: model.first, head: model.head }, `after step ${step}`);
    const pinned = (await pinnedIn(subject.log)).map(({ index, pins }) => textOf(index, pins));
    assert.deepEqual(pinned, model.pinned(), `after step ${step}`);
    assert.equal((await readAll(subject.log, first, head)).length, head - first + 1, `after step ${step}`);
  }
}

/** In flight together. */
async function appendSome<Storage>(
  { log }: Subject<Storage>,
  model: NaivePins,
  random: (below: number) => number,
): Promise<void> {
  const appends = Array.from({ length: 1 + random(5) }, async () => {
    const options = randomOptions(random, log.capabilities.dedupeWindowMs > 0);
    return { options, ...(await log.append(bodyOf('x'), options)) };
  });
  for (const { options, index, duplicate } of (await Promise.all(appends)).sort((a, b) => a.index - b.index)) {
    if (!duplicate) model.append(index, options);
  }
}

function randomOptions(random: (below: number) => number, mayRepeat: boolean): PinOptions {
  const places = KEYS.map((key) => ({ key, place: random(6) }));
  const pins = places.flatMap(({ key, place }) => (place === 0 ? [key] : []));
  const unpins = places.flatMap(({ key, place }) => (place === 1 ? [key] : []));
  const id = random(8) === 0 && mayRepeat ? IDS[random(IDS.length)] : undefined;
  return { pins, unpins, ...(id !== undefined && { id }) };
}

async function trimSome<Storage>(
  subject: Subject<Storage>,
  model: NaivePins,
  random: (below: number) => number,
): Promise<void> {
  model.first += random(model.head - model.first + 2);
  await subject.trimTo(model.first);
}

/** Whole numbers below a bound, by a generator that is the same everywhere (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
