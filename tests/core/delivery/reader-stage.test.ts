import { describe, expect, it } from 'vitest';
import {
  readerTransitions as table,
  type ReaderEvent,
  type ReaderStage,
} from '../../../src/core/delivery/reader-stage.ts';

const stages = Object.keys(table) as ReaderStage[];
const events = Object.keys(table.behind) as ReaderEvent[];

/** The pairs of stage and event that lead to a stage from another one. */
const waysTo = (stage: ReaderStage) =>
  stages.flatMap((from) =>
    events.filter((event) => from !== stage && table[from][event] === stage).map((event) => `${from} ${event}`),
  );

describe('the stages of a reader', () => {
  it('are total: every event leads somewhere from every stage', () => {
    for (const stage of stages) {
      expect(Object.keys(table[stage]).toSorted()).toEqual(events.toSorted());
      for (const event of events) expect(stages).toContain(table[stage][event]);
    }
  });

  it('join the others only from behind, where all that could be read was read', () => {
    expect(waysTo('synced')).toEqual(['behind caught-up']);
  });

  it('leave the others for a position of their own, a transport that pushes back, or the end', () => {
    const ways = events.filter((event) => table.synced[event] !== 'synced');
    expect(ways.map((event) => [event, table.synced[event]])).toEqual([
      ['parted', 'behind'],
      ['blocked', 'blocked'],
      ['ended', 'ended'],
    ]);
  });

  it('write nothing to a transport that pushes back until it has drained', () => {
    expect(events.filter((event) => table.blocked[event] !== 'blocked')).toEqual(['drained', 'ended']);
    expect(table.blocked.drained).toBe('behind');
  });

  it('read again, from wherever they wait, when they are woken', () => {
    expect([table.waiting.woken, table.fetching.woken]).toEqual(['behind', 'behind']);
  });

  it('end from every stage, and nothing comes after the end', () => {
    for (const stage of stages) expect(table[stage].ended).toBe('ended');
    for (const event of events) expect(table.ended[event]).toBe('ended');
  });

  it('can all be reached', () => {
    for (const stage of stages) if (stage !== 'behind') expect(waysTo(stage), stage).not.toEqual([]);
  });
});
