import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Position, ReadPosition } from '../../src/client/read-position.ts';
import type { EventBatch } from '../../src/model/event.ts';
import type { Gap } from '../../src/model/gap.ts';

const positionAt = (index: number | 'latest', epoch?: string): ReadPosition => {
  const position = new ReadPosition({ index, epoch });
  position.opened(epoch);
  return position;
};
const gap = (from: number, to: number, reason: Gap['reason'] = 'trimmed'): Gap => ({ from, to, reason });

/** The line of a batch. @returns what is handed over */
function batch(position: ReadPosition, index: number, appended?: number): EventBatch | undefined {
  const taken = position.take({ wire: {}, batch: { index, events: [] }, appended }, () => false);
  return typeof taken === 'object' ? taken : undefined;
}

/** The line of a bookmark. @returns whether it is news */
const bookmark = (position: ReadPosition, index: number) => position.take({ wire: {}, index }, () => false);

/** The line of a gap, which the reader may be told of at once. */
const tell = (position: ReadPosition, missing: Gap, isTold: boolean) =>
  position.take({ wire: {}, gap: missing }, () => isTold);

describe('a position', () => {
  it('is one more than the last batch handed over', () => {
    const position = positionAt(0, 'a');
    expect(batch(position, 7)).toEqual({ index: 7, events: [] });
    expect(position.next).toEqual({ index: 8, epoch: 'a' });
  });

  it('passes none that was asked to be left out', () => {
    const position = positionAt(7, 'a');
    expect([5, 7, 5, 8].map((index) => batch(position, index)?.index)).toEqual([undefined, 7, undefined, 8]);
  });

  const take = (position: ReadPosition, ...batches: readonly (readonly [number, number?])[]) =>
    batches.map(([index, appended]) => batch(position, index, appended)?.index);

  it('passes what was appended to an index, and an index once that was not', () => {
    expect(take(positionAt(7, 'a'), [7], [7], [7, 1], [7, 2], [8])).toEqual([7, undefined, 7, 7, 8]);
  });

  it('leaves out of what was appended, when it is sent again, what it had', () => {
    const position = positionAt(7, 'a');
    take(position, [7], [7, 1], [7, 2]);
    position.opened('a');
    expect(position.next).toEqual({ index: 8, epoch: 'a', appended: 2 });
    const kept = new ReadPosition(position.kept);
    kept.opened('a');
    for (const one of [position, kept])
      expect(take(one, [7, 1], [7, 2], [7, 4], [8])).toEqual([undefined, undefined, 7, 8]);
    expect(kept.next).toEqual({ index: 9, epoch: 'a' });
  });

  it('takes of an index what was appended first, where the rest is not for it', () => {
    const position = positionAt(7, 'a');
    expect(take(position, [7, 2])).toEqual([7]);
    position.opened('a');
    expect(take(position, [7, 2], [7, 3])).toEqual([undefined, 7]);
  });

  it('moves on at a bookmark, never back', () => {
    const position = positionAt(5);
    expect([bookmark(position, 9), bookmark(position, 9), bookmark(position, 3)]).toEqual([true, false, false]);
    expect(position.next).toEqual({ index: 10 });
  });

  it('stays "latest" until the server has said where that is', () => {
    const position = positionAt('latest');
    expect(position.next).toEqual({ index: 'latest' });
    bookmark(position, 41);
    expect(position.next).toEqual({ index: 42 });
  });

  it('goes on after a gap, and is kept before it until the gap has been told', () => {
    const position = positionAt(5);
    tell(position, gap(5, 20), false);
    expect([position.next, position.kept]).toEqual([{ index: 21 }, { index: 5 }]);
    bookmark(position, 30);
    expect([position.next, position.kept]).toEqual([{ index: 31 }, { index: 5 }]);
    expect(batch(position, 31)?.gap).toEqual(gap(5, 20));
    expect([position.next, position.kept]).toEqual([{ index: 32 }, { index: 32 }]);
    expect(batch(position, 32)?.gap).toBeUndefined();
  });

  it('tells two gaps before one batch as one', () => {
    const position = positionAt(5);
    tell(position, gap(5, 20), false);
    tell(position, gap(25, 30, 'slow'), false);
    expect(batch(position, 31)?.gap).toEqual(gap(5, 30, 'slow'));
  });

  it('does not tell on a batch what the reader was told already', () => {
    const position = positionAt(5);
    tell(position, gap(5, 20), true);
    expect(position.kept).toEqual({ index: 21 });
    expect(batch(position, 21)).toEqual({ index: 21, events: [] });
  });

  it('takes the new numbering with the first index in it, and asks from the old place until then', () => {
    const position = positionAt(100, 'old');
    position.opened('new');
    tell(position, gap(100, 120, 'restarted'), false);
    expect([position.next, position.kept]).toEqual([
      { index: 100, epoch: 'old' },
      { index: 100, epoch: 'old' },
    ]);
    expect(batch(position, 3)).toEqual({ index: 3, events: [], gap: gap(100, 120, 'restarted') });
    expect(position.kept).toEqual({ index: 4, epoch: 'new' });
  });

  it('takes the new epoch from the gap when the numbering starts over on an open connection', () => {
    const position = positionAt(100, 'old');
    tell(position, { ...gap(100, 100, 'restarted'), epoch: 'new' }, false);
    expect(bookmark(position, 2)).toBe(true);
    expect([position.next, position.kept]).toEqual([
      { index: 3, epoch: 'new' },
      { index: 100, epoch: 'old' },
    ]);
  });

  it('believes no bookmark of another epoch before the gap has been told', () => {
    const position = positionAt(100, 'old');
    position.opened('new');
    expect(bookmark(position, 500)).toBe(false);
    expect(position.next).toEqual({ index: 100, epoch: 'old' });
  });

  it('tells a restart and what was trimmed after it as one restart', () => {
    const position = positionAt(100, 'old');
    position.opened('new');
    tell(position, { ...gap(100, 100, 'restarted'), epoch: 'new' }, false);
    tell(position, gap(1, 7), false);
    expect(position.next).toEqual({ index: 8, epoch: 'new' });
    expect(batch(position, 8)?.gap).toEqual({ from: 1, to: 100, reason: 'restarted', epoch: 'new' });
  });

  it('drops nothing of a server that changes its epoch without a word', () => {
    const position = positionAt(100, 'old');
    position.opened('new');
    expect(batch(position, 3)?.index).toBe(3);
    expect(position.next).toEqual({ index: 4, epoch: 'new' });
  });

  it('keeps its epoch at a server that names none', () => {
    const position = positionAt(5, 'a');
    position.opened(undefined);
    bookmark(position, 5);
    expect(position.next).toEqual({ index: 6, epoch: 'a' });
  });

  it('goes back to what is given again when the log came back shorter', () => {
    const position = positionAt(100, 'a');
    tell(position, gap(90, 99, 'ahead'), false);
    expect([position.next, position.kept]).toEqual([
      { index: 90, epoch: 'a' },
      { index: 100, epoch: 'a' },
    ]);
    expect(batch(position, 90)).toEqual({ index: 90, events: [], gap: gap(90, 99, 'ahead') });
    expect(batch(position, 90)).toBeUndefined();
  });

  it('tells indexes that are given again and what was lost to slowness after it as the former', () => {
    const position = positionAt(100, 'a');
    tell(position, gap(90, 99, 'ahead'), false);
    tell(position, gap(90, 94, 'slow'), false);
    expect(batch(position, 95)?.gap).toEqual(gap(90, 99, 'ahead'));
  });

  it('takes a lower index than it had after any gap that says so', () => {
    const position = positionAt(100, 'a');
    tell(position, gap(100, 100, 'ahead'), false);
    expect(batch(position, 90)?.index).toBe(90);
  });

  it.each([0, 'latest'] as const)(
    'believes the bookmark of any epoch while it has no index of its own (%s)',
    (index) => {
      const position = positionAt(index, 'old');
      position.opened('new');
      expect(bookmark(position, 0)).toBe(true);
      expect(position.next).toEqual({ index: 1, epoch: 'new' });
    },
  );
});

/** A batch of the model: `n` counts all that were ever published, over all epochs. */
interface Published {
  readonly n: number;
  readonly epoch: string;
  readonly index: number;
  readonly isWanted: boolean;
}
type Line = { readonly gap: Gap } | { readonly bookmark: number } | { readonly batch: Published };

/** The naive server: a list that loses its head, and starts over. */
class ModelServer {
  readonly published: Published[] = [];
  #held: Published[] = [];
  #epochs = 1;
  #index = 0;

  get epoch(): string {
    return `e${this.#epochs}`;
  }

  publish(step: number, isWanted: boolean): void {
    this.#index += step;
    const batch = { n: this.published.length, epoch: this.epoch, index: this.#index, isWanted };
    this.published.push(batch);
    this.#held.push(batch);
  }

  trim(count: number): void {
    this.#held.splice(0, count);
  }

  restart(): void {
    this.#epochs++;
    this.#index = 0;
    this.#held = [];
  }

  lines({ index, epoch }: Position): Line[] {
    const from = Number(index);
    const oldest = this.#held[0]?.index ?? this.#index + 1;
    const isForeign = epoch !== undefined && epoch !== this.epoch;
    const lost = isForeign ? gap(from, from, 'restarted') : gap(from, oldest - 1);
    const isLossless = !isForeign && (from === 0 || from >= oldest);
    const rest = this.#held.filter((batch) => isForeign || batch.index >= from);
    return [
      ...(isLossless ? [] : [{ gap: lost }]),
      ...rest.map((batch): Line => (batch.isWanted ? { batch } : { bookmark: batch.index })),
    ];
  }
}

type Command =
  | { readonly do: 'publish'; readonly step: number; readonly isWanted: boolean }
  | { readonly do: 'trim'; readonly count: number }
  | { readonly do: 'restart' }
  | { readonly do: 'read'; readonly lines: number }
  | { readonly do: 'reader restarts' };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish'), step: fc.integer({ min: 1, max: 3 }), isWanted: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read'), lines: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim'), count: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reader restarts' }) },
);

interface HandedOver {
  readonly n: number;
  readonly batch: EventBatch;
}

function take(position: ReadPosition, line: Line): HandedOver | undefined {
  if ('gap' in line) tell(position, line.gap, false);
  else if ('bookmark' in line) bookmark(position, line.bookmark);
  else {
    const handed = batch(position, line.batch.index);
    return handed && { n: line.batch.n, batch: handed };
  }
  return undefined;
}

function run(commands: readonly Command[]): {
  readonly server: ModelServer;
  readonly handedOver: readonly HandedOver[];
} {
  const server = new ModelServer();
  const handedOver: HandedOver[] = [];
  let position = new ReadPosition({});
  const read = (count: number): void => {
    const asked = position.next;
    position.opened(server.epoch);
    for (const line of server.lines(asked).slice(0, count)) handedOver.push(...[take(position, line) ?? []].flat());
  };
  for (const command of [...commands, { do: 'read', lines: Infinity } as const]) {
    if (command.do === 'publish') server.publish(command.step, command.isWanted);
    else if (command.do === 'trim') server.trim(command.count);
    else if (command.do === 'restart') server.restart();
    else if (command.do === 'read') read(command.lines);
    else position = new ReadPosition(position.kept);
  }
  return { server, handedOver };
}

describe('over any server, connection and reader that stop anywhere', () => {
  it('every batch is handed over at most once and in order, and what is missing after the first is told by the next', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
        const { server, handedOver } = run(commands);
        for (const [i, { n, batch }] of handedOver.entries()) {
          const before = handedOver[i - 1]?.n ?? n - 1;
          expect(n).toBeGreaterThan(before);
          const missing = server.published.slice(before + 1, n).filter(({ isWanted }) => isWanted);
          if (missing.length === 0) continue;
          expect(batch.gap).toBeDefined();
          if (batch.gap?.reason === 'restarted') continue;
          for (const { index } of missing) {
            expect(index).toBeGreaterThanOrEqual(batch.gap?.from ?? Infinity);
            expect(index).toBeLessThanOrEqual(batch.gap?.to ?? -Infinity);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
