import { expect, test } from '@jest/globals';
import { acrOf, attainableAcr, meets } from '../../../src/journey/index.ts';

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';

test.each([
  [['pwd'], SFA],
  [['pwd', 'otp', 'mfa'], MFA],
  [['pwd', 'otp'], SFA],
  [[], undefined],
])('%j reaches %s', (amr, acr) => {
  expect(acrOf(amr)).toBe(acr);
});

test('with a password alone only single-factor can be reached', () => {
  expect(attainableAcr(['pwd'])).toEqual([SFA]);
  expect(attainableAcr(['pwd', 'mfa'])).toEqual([SFA, MFA]);
});

test.each([
  ['nothing demanded', undefined, [], true],
  ['the same level', SFA, [SFA], true],
  ['a higher level', MFA, [SFA], true],
  ['a lower level', SFA, [MFA], false],
  ['one of several', SFA, [MFA, SFA], true],
  ['an unknown name', MFA, ['urn:unknown'], false],
  ['nobody signed in', undefined, [SFA], false],
])('%s: %s for %j → %s', (_what, actual, demanded, satisfied) => {
  expect(meets(actual, demanded)).toBe(satisfied);
});
