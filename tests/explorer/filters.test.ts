import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/client/index.ts';
import { parseStreamRequest } from '../../src/adapters/stream-request.ts';
import { eventMatcher } from '../../src/explorer/page/event-matcher.ts';
import {
  defaultFilters,
  formatList,
  namedTopics,
  narrowedTo,
  parseList,
  parseStart,
  requestTarget,
  toggledTopic,
  typeMatcher,
} from '../../src/explorer/page/filters.ts';

const event: Event = {
  topic: 'Job',
  type: 'JobRegistered',
  key: 'web',
  namespace: 'prod',
  filterKeys: [],
  index: 7,
  payload: null,
};
const namesArbitrary = fc.array(fc.string({ minLength: 1 }));

describe('filters', () => {
  it('map to the query that the server reads the same from', () => {
    const indexes = fc.oneof(fc.constant('latest' as const), fc.nat());
    fc.assert(
      fc.property(namesArbitrary, namesArbitrary, indexes, fc.boolean(), (topics, namespaces, index, isState) => {
        const filters = { topics, namespaces, index, isState };
        const request = parseStreamRequest(requestTarget('/v1/event/stream', filters));
        expect(request.state ?? false).toBe(isState);
        expect(request.topics).toEqual(topics);
        expect(request.namespace).toEqual(namespaces.length > 0 ? namespaces : undefined);
        expect(request.index).toBe(index);
      }),
    );
  });

  it('are shown as they are typed into a terminal', () => {
    const filters = { topics: ['Job:web', 'Node'], namespaces: ['*'], index: 0, isState: false };
    expect(requestTarget('/v1/event/stream', filters)).toBe(
      '/v1/event/stream?topic=Job:web&topic=Node&namespace=*&index=0',
    );
    expect(requestTarget('/v1/event/stream', { ...filters, isState: true })).toMatch(/&index=0&state=true$/);
    expect(requestTarget('/s?region=eu', filters)).toMatch(/^\/s\?region=eu&topic=/);
  });

  it('are split at commas, with spaces within a key kept', () => {
    expect(parseList(' Job:my job ,Node,, ')).toEqual(['Job:my job', 'Node']);
  });

  it('are read in one walk, however many blanks or backslashes a link holds', () => {
    const [blanks, slashes] = [' '.repeat(300_000), '\\\\'.repeat(150_000)];
    expect(parseList(`${blanks}a${blanks}b${blanks}`)).toEqual([`a${blanks}b`]);
    expect(parseList(`a${slashes}${blanks}, ${slashes}\\ ${blanks}`).map((part) => part.length)).toEqual([
      150_001, 150_001,
    ]);
  });

  it('are written as they are read, whatever a key holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (parts) => {
        expect(parseList(formatList(parts))).toEqual(parts);
      }),
    );
    expect(formatList(['Job:a, b', 'Node'])).toBe(String.raw`Job:a\, b, Node`);
    expect(parseList(String.raw`C:\dir\file`)).toEqual([String.raw`C:\dir\file`]);
  });

  it('start at the backlog by default, at an index, or at what comes', () => {
    expect(['', ' 12 ', 'Latest'].map(parseStart)).toEqual([0, 12, 'latest']);
    expect(['-1', '1.5', 'x', '9007199254740992'].map(parseStart)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('show the types that contain one of the words, in any case', () => {
    const matches = typeMatcher('node, Deregistered');
    expect(['NodeDrain', 'JobDeregistered', 'JobRegistered'].filter(matches)).toEqual(['NodeDrain', 'JobDeregistered']);
    expect(['NodeDrain', 'JobRegistered'].filter(typeMatcher(' , '))).toHaveLength(2);
  });

  it('show the events that hold a text, in any case and in any part, and have one of the types', () => {
    const of = (type: string, payload: unknown): Event => ({ ...event, type, payload });
    const events = [of('JobRegistered', { Image: 'Redis:7' }), of('JobDeregistered', null), of('NodeDrain', undefined)];
    const shown = (filters: { readonly types: string; readonly search: string }): readonly string[] =>
      events.filter(eventMatcher(filters)).map(({ type }) => type);
    expect(shown({ types: '', search: ' redis:7' })).toEqual(['JobRegistered']);
    expect(shown({ types: 'job', search: '' })).toEqual(['JobRegistered', 'JobDeregistered']);
    expect(shown({ types: 'drain', search: 'prod' })).toEqual(['NodeDrain']);
    expect(shown({ types: '', search: 'web\nprod' })).toHaveLength(3);
    expect(shown({ types: '', search: 'webprod' })).toEqual([]);
  });

  it('are narrowed to what an event has, and to a topic and back', () => {
    const filters = { ...defaultFilters, topics: ['Node', 'Job:web', 'Job:api'], search: 'x' };
    expect(narrowedTo(filters, 'topic', event)).toEqual({ ...filters, topics: ['Job'] });
    expect(narrowedTo(filters, 'key', event)).toEqual({ ...filters, topics: ['Job:web'] });
    expect(narrowedTo(filters, 'namespace', event)).toEqual({ ...filters, namespaces: ['prod'] });
    expect(narrowedTo(filters, 'type', event)).toEqual({ ...filters, types: 'JobRegistered' });
    expect(toggledTopic(filters, 'Job').topics).toEqual(['Node']);
    expect(toggledTopic(filters, 'Service').topics).toEqual([...filters.topics, 'Service']);
    expect([...namedTopics(filters)]).toEqual(['Node', 'Job']);
  });
});
