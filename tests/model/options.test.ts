import { describe, expect, it } from 'vitest';
import { checkOptions, nearestOf } from '../../src/model/options.ts';

interface Options {
  readonly acl?: unknown;
  readonly topics?: unknown;
  readonly heartbeatMs?: number;
}

const check = (options: object | undefined) =>
  checkOptions<Options>(options, { acl: true, topics: true, heartbeatMs: true }, 'EventBroker');

describe('the names of options', () => {
  it.each([
    ['acls', 'acl'],
    ['topic', 'topics'],
    ['heartbeatMS', 'heartbeatMs'],
    ['hearbeatMs', 'heartbeatMs'],
  ])('refuses %s and names %s', (name, near) => {
    const message = `EventBroker has no option "${name}". Did you mean "${near}"? Known: acl, heartbeatMs, topics.`;
    expect(() => check({ [name]: 1 })).toThrow(new TypeError(message));
  });

  it('refuses one that is near to none, and lists all', () => {
    const message = 'EventBroker has no option "colour". Known: acl, heartbeatMs, topics.';
    expect(() => check({ colour: 1 })).toThrow(new TypeError(message));
  });

  it('refuses an unknown one whose value is undefined: it was meant', () => {
    expect(() => check({ acls: undefined })).toThrow(TypeError);
  });

  it.each([null, 'acl', 7])('refuses %j in place of an object', (options) => {
    expect(() => check(options as unknown as object)).toThrow(/takes an object of options/);
  });

  it('takes known ones, none, and nothing at all', () => {
    expect(check({ acl: 1, topics: 2, heartbeatMs: 3 })).toBeUndefined();
    expect(check({})).toBeUndefined();
    expect(check(undefined)).toBeUndefined();
  });

  it('does not take what every object inherits for an option', () => {
    expect(() => check(JSON.parse('{"toString":1}') as object)).toThrow(TypeError);
  });
});

describe('the nearest name', () => {
  it('is the one with the fewest edits', () => {
    expect(nearestOf('namespaces', ['namespace', 'names', 'topics'])).toBe('namespace');
    expect(nearestOf('xyz', ['namespace'])).toBeUndefined();
  });
});
