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
    expect(checkClaims(undefined)).toMatchObject({ value: undefined, fault: undefined });
  });

  it.each<[unknown, string]>([
    ['text', 'claims must be an object; got "text".'],
    [null, 'claims must be an object; got null.'],
    [[], 'claims must be an object; got an array.'],
    [{ at: new Date(0) }, 'claims.at must be plain JSON'],
    [{ list: [1, Number.NaN] }, 'claims.list[1] must be plain JSON'],
    [{ big: 7n }, 'claims.big must be plain JSON'],
    [{ call: () => 1 }, 'claims.call must be plain JSON'],
  ])('that are no plain JSON say where: case %#', (claims, fault) => {
    expect(checkClaims(claims)).toMatchObject({ value: undefined });
    expect(checkClaims(claims).fault).toContain(fault);
  });

  it('that lie too deep, or throw when they are read, are none', () => {
    let deep: object = {};
    for (let i = 0; i < 40; i++) deep = { deep };
    expect(checkClaims(deep).fault).toMatch(/lies deeper than \d+ levels/);
    const hostile = Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => {
        throw new Error('secret');
      },
    });
    expect(checkClaims(hostile).fault).toBe('claims cannot be read.');
  });
});
