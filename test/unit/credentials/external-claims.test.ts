import { expect, test } from '@jest/globals';
import { keepable } from '../../../src/credentials/external/claims.ts';

const long = (length: number): string => 'x'.repeat(length);

test('what is released is kept as it was said, nested claims and all', () => {
  const released = { national_number: '85073003328', address: { locality: 'Ixelles' }, adult: true };
  expect(keepable({ released })).toEqual({ claims: released, left: [] });
  expect(keepable({})).toEqual({ claims: {}, left: [] });
});

test('a claim of more than 4 KB is left out, counted in bytes; the others stay', () => {
  const { claims, left } = keepable({ released: { ascii: long(3000), wide: 'é'.repeat(3000), number: '1' } });
  expect(Object.keys(claims)).toEqual(['ascii', 'number']);
  expect(left).toEqual(['wide']);
});

test('no more than 8 KB are kept in all; what still has room stays', () => {
  const { claims, left } = keepable({ released: { a: long(3500), b: long(3500), c: long(3500), d: 'short' } });
  expect(Object.keys(claims)).toEqual(['a', 'b', 'd']);
  expect(left).toEqual(['c']);
  expect(Buffer.byteLength(JSON.stringify(claims))).toBeLessThanOrEqual(8192);
});
