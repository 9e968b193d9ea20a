import { expect, it } from 'vitest';

import type { LogRecord } from '../../src/core/log/event-log.ts';
import { OwnRecords } from '../../src/logs/postgres/own-records.ts';

const record = (index: number, bytes = 10): LogRecord => ({
  index,
  kind: 'events',
  time: index,
  body: new Uint8Array(bytes).fill(index % 256),
});
const range = (from: number, to: number, bytes?: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => record(from + i, bytes));

it('gives what was appended in a row, from any place of it on, and nothing that it has not', () => {
  const own = new OwnRecords();
  expect(own.slice(1, 10, 1000)).toBeUndefined();
  own.add(range(3, 5));
  own.add(range(6, 6));
  expect(own.slice(3, 9, 1000)).toEqual(range(3, 6));
  expect(own.slice(5, 5, 1000)).toEqual([record(5)]);
  expect(own.slice(2, 9, 1000)).toBeUndefined();
  expect(own.slice(7, 9, 1000)).toBeUndefined();
  own.clear();
  expect(own.slice(3, 9, 1000)).toBeUndefined();
});

it('gives about as many bytes as are asked for, and one record at least', () => {
  const own = new OwnRecords();
  own.add(range(1, 9, 100));
  expect(own.slice(1, 9, 250)?.map(({ index }) => index)).toEqual([1, 2, 3]);
  expect(own.slice(4, 9, 1)?.map(({ index }) => index)).toEqual([4]);
});

it('begins anew after records of others, and keeps what was appended as it was', () => {
  const own = new OwnRecords();
  const body = new Uint8Array([1, 2, 3]);
  own.add([{ ...record(1), body }]);
  body.fill(9);
  expect(own.slice(1, 1, 10)?.[0]?.body).toEqual(new Uint8Array([1, 2, 3]));
  own.add(range(5, 6));
  expect(own.slice(1, 6, 1000)).toBeUndefined();
  expect(own.slice(5, 6, 1000)).toEqual(range(5, 6));
});

it('holds a megabyte at most', () => {
  const own = new OwnRecords();
  const size = 300 * 1024;
  own.add(range(1, 3, size));
  own.add(range(4, 4, size));
  expect(own.slice(1, 4, Infinity)).toBeUndefined();
  expect(own.slice(4, 4, Infinity)).toHaveLength(1);
  own.add(range(5, 8, size));
  expect(own.slice(5, 8, Infinity)).toBeUndefined();
});
