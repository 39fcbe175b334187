import { expect, test } from '@jest/globals';
import { acrOf, attainableAcr, mayChangeFactors, meets } from '../../../src/journey/index.ts';

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';

const shown = (...amr: string[]) => ({ amr });

test.each([
  ['a password', [shown('pwd')], SFA],
  ['a password and a code', [shown('pwd'), shown('otp', 'mfa')], MFA],
  ['a code that no policy counts', [shown('pwd', 'otp')], SFA],
  ['a passkey with fingerprint, face or PIN', [shown('hwk', 'user', 'mfa')], 'phr'],
  ['a synced passkey with fingerprint, face or PIN', [shown('swk', 'user', 'mfa')], 'phr'],
  ['a passkey by touch alone', [shown('hwk', 'user')], SFA],
  ['a passkey of an attested model', [{ ...shown('hwk', 'user', 'mfa'), attested: true as const }], 'phrh'],
  ['a passkey of an attested model by touch alone', [{ ...shown('hwk', 'user'), attested: true as const }], SFA],
  ['a synced passkey that claims attestation', [{ ...shown('swk', 'user', 'mfa'), attested: true as const }], 'phr'],
  ['nothing', [], undefined],
  ['a proof of nothing', [shown()], undefined],
])('%s reaches %s', (_what, proofs, acr) => {
  expect(acrOf(proofs)).toBe(acr);
});

test('what can be reached at all is listed from the lowest level up', () => {
  expect(attainableAcr([shown('pwd')])).toEqual([SFA]);
  expect(attainableAcr([shown('pwd'), shown('swk', 'user', 'mfa')])).toEqual([SFA, MFA, 'phr']);
});

test.each([
  ['a password where there is nothing else', SFA, ['pwd'], true],
  ['a password where a passkey counts as two factors', SFA, ['pwd', 'swk', 'user', 'mfa'], false],
  ['a passkey there', 'phr', ['pwd', 'swk', 'user', 'mfa'], true],
  ['a password where the passkey was never verified', SFA, ['pwd', 'swk', 'user'], true],
  ['nobody', undefined, [], false],
])('%s may change how the account signs in: %s, %j → %s', (_what, acr, potential, allowed) => {
  expect(mayChangeFactors(acr, potential)).toBe(allowed);
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
