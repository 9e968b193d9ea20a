import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { checkClaims } from '../../src/acl/claims.ts';

describe('claims', () => {
  it('are copied as plain JSON, with one text whatever the order of their members', () => {
    const claims = { b: [1, 'x', { d: null }], a: { z: true, y: 1.5, left: undefined } };
    const { value, text, fault } = checkClaims(claims);
    expect(fault).toBeUndefined();
    expect(text).toBe('{"a":{"y":1.5,"z":true},"b":[1,"x",{"d":null}]}');
    expect(Object.isFrozen(value)).toBe(true);
    expect(checkClaims({ a: { y: 1.5, z: true }, b: claims.b }).text).toBe(text);
    expect(checkClaims(undefined)).toEqual({ value: undefined, text: '', fault: undefined });
  });

  it.each<[unknown, string]>([
    ['text', 'claims must be an object; got "text".'],
    [null, 'claims must be an object; got null.'],
    [[], 'claims must be an object; got an array.'],
    [{ at: new Date(0) }, 'claims.at must be plain JSON'],
    [{ list: [1, Number.NaN] }, 'claims.list[1] must be plain JSON'],
    [{ big: 7n }, 'claims.big must be plain JSON'],
    [{ call: () => 1 }, 'claims.call must be plain JSON'],
    [{ list: [undefined] }, 'claims.list[0] must be plain JSON'],
  ])('that are no plain JSON say where: case %#', (claims, fault) => {
    expect(checkClaims(claims)).toMatchObject({ value: undefined, text: '' });
    expect(checkClaims(claims).fault).toContain(fault);
  });

  it('may have no prototype, and come from another realm', () => {
    const foreign: unknown = runInNewContext('({ team: { name: "a" } })');
    const bare: unknown = Object.assign(Object.create(null), {
      team: Object.assign(Object.create(null), { name: 'a' }),
    });
    for (const claims of [foreign, bare]) expect(checkClaims(claims).text).toBe('{"team":{"name":"a"}}');
  });

  it.each<[string, (inner: unknown) => unknown, string]>([
    ['objects', (inner) => ({ a: inner }), `claims${'.a'.repeat(33)} lies deeper than 32 levels.`],
    ['lists', (inner) => [inner], `claims.a${'[0]'.repeat(32)} lies deeper than 32 levels.`],
  ])('may lie 32 levels deep, as %s, and no deeper', (_, around, fault) => {
    const nested = (levels: number): object => {
      let claims: unknown = {};
      for (let i = 1; i < levels; i++) claims = around(claims);
      return { a: claims };
    };
    expect(checkClaims(nested(32)).fault).toBeUndefined();
    expect(checkClaims(nested(33)).fault).toBe(fault);
  });

  it('that throw when they are read are none', () => {
    const hostile = Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => {
        throw new Error('secret');
      },
    });
    expect(checkClaims(hostile).fault).toBe('claims cannot be read.');
  });
});
