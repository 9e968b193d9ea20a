import { describe, expect, it } from 'vitest';

import { AclDenial } from '../../src/acl/acl-denial.ts';

describe('a denial', () => {
  it.each([
    ['unknown', 'The token is not known.'],
    ['expired', 'The token has expired.'],
    ['insufficient', 'The rights do not suffice.'],
  ] as const)('that says %s is an error that says so in words', (reason, message) => {
    const denial = new AclDenial(reason, 'alice');
    expect(denial).toMatchObject({ name: 'AclDenial', reason, accessorId: 'alice', finding: undefined, message });
    expect(denial).toBeInstanceOf(Error);
  });

  it('of rights that do not suffice names the need and what answered it', () => {
    const finding = {
      topic: 'Order',
      namespace: 'acme',
      requirement: { namespace: 'read' },
      isMet: false,
      reason: 'No rule applies.',
      metBy: [],
      deniedBy: [],
    } as const;
    const denial = new AclDenial('insufficient', undefined, finding);
    expect(denial.message).toBe('Order in acme: No rule applies.');
    expect(denial.finding).toBe(finding);
  });

  it('is known by a mark that another copy of this package has too', () => {
    const mark = Symbol.for('fenceline.AclDenial');
    const denial = new AclDenial('unknown');
    expect(Reflect.get(denial, mark)).toBe(true);
    expect(Object.keys(denial)).not.toContain(String(mark));
    expect(AclDenial.is(denial)).toBe(true);
    expect(AclDenial.is(Object.defineProperty(new Error('of another copy'), mark, { value: true }))).toBe(true);
  });

  it.each([undefined, null, 'AclDenial', new Error('AclDenial'), { name: 'AclDenial', reason: 'unknown' }])(
    'is nothing else: %s',
    (value) => {
      expect(AclDenial.is(value)).toBe(false);
    },
  );
});
