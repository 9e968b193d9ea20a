import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTopics, payloadOf } from 'fenceline';

const any = (value: unknown) => value as never;
/** A validator of a library that has no Standard Schema. */
class OldSchema {
  parse(value: unknown): unknown {
    return value;
  }
}

describe('the payloads of a topic', () => {
  it.each<[string, object, string]>([
    [
      'a schema without ~standard',
      { A: { payload: new OldSchema() } },
      'Topic "A": payload must be payloadOf<…>() or a',
    ],
    ['a function', { A: { payload: () => true } }, 'got a value of type function without "~standard"'],
    ['a JSON schema', { A: { payload: { type: 'object' } } }, 'Topic "A": payload must be payloadOf<…>()'],
    ['a schema of another version', { A: { payload: { '~standard': { version: 2 } } } }, 'must be payloadOf<…>()'],
    ['the same by name', { A: { types: { B: 'string' } } }, 'Topic "A": types.B must be payloadOf<…>()'],
    ['payload beside types by name', { A: { payload: z.string(), types: { B: z.string() } } }, 'exclude each other'],
    ['types without any', { A: { types: {} } }, 'types must name at least one type'],
    ['a type without a name', { A: { types: { '': z.string() } } }, 'types must have names that are not empty'],
    ['types that are neither', { A: { types: 7 } }, 'types must be a list of names, or an object'],
    [
      'a list with a type that is none',
      { A: { types: ['a', ''] } },
      'types must be a list of names that are not empty',
    ],
    [
      'a removal by an unknown type',
      { A: { types: { Made: z.string() }, retain: 'latest', removedBy: ['Mode'] } },
      'Topic "A": removedBy names an unknown type "Mode" of topic "A". Did you mean "Made"? Known types: Made.',
    ],
    [
      'an alias of an unknown type',
      { A: { types: { Made: z.string() } }, B: { aliasOf: 'A', types: ['Gone'] } },
      'Topic "B": types names an unknown type "Gone" of topic "A"',
    ],
    [
      'an alias with payloads',
      { A: {}, B: { aliasOf: 'A', types: { Made: z.string() } } },
      'Topic "B" is an alias: its types are a list.',
    ],
  ])('refuse %s', (_, definitions, message) => {
    expect(() => defineTopics(any(definitions))).toThrow(TypeError);
    expect(() => defineTopics(any(definitions))).toThrow(message);
  });

  it('may be a type alone, in either form', () => {
    const topics = defineTopics({ A: { payload: payloadOf<string>() }, B: { payload: {} as { n: number } }, C: {} });
    expect(topics.names).toEqual(['A', 'B', 'C']);
  });

  it('let an alias and a removal name the types that there are', () => {
    const topics = defineTopics({
      A: { types: { Made: payloadOf<string>(), Gone: z.null() }, retain: 'latest', removedBy: ['Gone'] },
      B: { aliasOf: 'A', types: ['Made'] },
    });
    expect(topics.namesOf('A', 'Made')).toEqual(['A', 'B']);
    expect(['A', 'B', 'none'].map((name) => topics.typesOf(name))).toEqual([['Made', 'Gone'], ['Made'], []]);
  });
});
