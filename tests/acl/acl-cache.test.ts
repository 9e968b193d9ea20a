import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import { AclCache } from '../../src/acl/acl-cache.ts';

const aclOn = (...dependsOn: readonly `policy:${string}`[]): Acl => Acl.fromRules([], { dependsOn });

/** Those that it holds. Each is used by that. */
const held = (cache: AclCache, ...secrets: readonly string[]): readonly string[] =>
  secrets.filter((secret) => cache.get(secret) !== undefined);

describe('Acls that are kept', () => {
  it('are at most as many as are asked for: the one unused for longest leaves', () => {
    const cache = new AclCache(2);
    cache.set('a', aclOn());
    cache.set('b', aclOn());
    expect(held(cache, 'b', 'a')).toEqual(['b', 'a']);
    cache.set('c', aclOn());
    expect(held(cache, 'a', 'b', 'c')).toEqual(['a', 'c']);
    const none = new AclCache(0);
    none.set('a', aclOn());
    expect(held(none, 'a')).toEqual([]);
  });

  it('lose no room to what was asked for and is not there', () => {
    const cache = new AclCache(2);
    cache.set('a', aclOn());
    expect(cache.get('nobody')).toBeUndefined();
    cache.set('b', aclOn());
    expect(held(cache, 'a', 'b')).toEqual(['a', 'b']);
  });

  it('leave with what they depend on, each by what it depends on now', () => {
    const cache = new AclCache(9);
    cache.set('a', aclOn('policy:p'));
    cache.set('b', aclOn('policy:p', 'policy:q'));
    cache.set('c', aclOn('policy:r'));
    cache.set('a', aclOn('policy:r'));
    cache.deleteDependents(['policy:p']);
    expect(held(cache, 'a', 'b', 'c')).toEqual(['a', 'c']);
    cache.deleteDependents(['policy:q', 'policy:r']);
    expect(held(cache, 'a', 'b', 'c')).toEqual([]);
    cache.set('d', aclOn());
    cache.clear();
    expect(held(cache, 'd')).toEqual([]);
  });
});
