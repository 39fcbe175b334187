import { expect, test } from '@jest/globals';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { amrOf, createLadder, requiredLevel } from '../../../src/journey/index.ts';

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';

const ladder = createLadder(serverSchema.parse({ issuer: 'http://localhost:3000' }).assurance.levels);

const shown = (...amr: string[]) => ({ amr });
const attested = (...amr: string[]) => ({ amr, attested: true as const });

test.each([
  ['a password', [shown('pwd')], SFA],
  ['a password and a code of an app', [shown('pwd'), shown('otp')], MFA],
  ['a password and a code by SMS', [shown('pwd'), shown('sms')], MFA],
  ['a password and a passkey by touch alone', [shown('pwd'), shown('hwk', 'user')], MFA],
  ['a password twice', [shown('pwd'), shown('pwd')], SFA],
  ['two things one has', [shown('hwk', 'user'), shown('otp')], SFA],
  ['a session that began with both', [shown('pwd', 'otp', 'mfa')], MFA],
  ['a passkey with fingerprint, face or PIN', [shown('hwk', 'user', 'mfa')], 'phr'],
  ['a synced passkey with fingerprint, face or PIN', [shown('swk', 'user', 'mfa')], 'phr'],
  ['a passkey by touch alone', [shown('hwk', 'user')], SFA],
  ['a password and a code, then a passkey by touch alone', [shown('pwd', 'otp', 'mfa'), shown('hwk', 'user')], MFA],
  ['a passkey of an attested model', [attested('hwk', 'user', 'mfa')], 'phrh'],
  ['a passkey of an attested model by touch alone', [attested('hwk', 'user')], SFA],
  ['a synced passkey that claims attestation', [attested('swk', 'user', 'mfa')], 'phr'],
  ['one key that verified and another that is attested', [shown('hwk', 'user', 'mfa'), attested('hwk', 'user')], 'phr'],
  ['nothing', [], undefined],
  ['a proof of nothing', [shown()], undefined],
])('%s reaches %j: %s', (_what, proofs, acr) => {
  expect(ladder.acrOf(proofs)).toBe(acr);
});

test('what can be reached at all is listed from the lowest level up', () => {
  expect(ladder.attainable([])).toEqual([]);
  expect(ladder.attainable([shown('pwd')])).toEqual([SFA]);
  expect(ladder.attainable([shown('pwd'), shown('otp')])).toEqual([SFA, MFA]);
  expect(ladder.attainable([shown('pwd'), shown('swk', 'user', 'mfa')])).toEqual([SFA, MFA, 'phr']);
});

test.each([
  ['a password where there is nothing else', SFA, [shown('pwd')], true],
  ['a password where a passkey counts as two factors', SFA, [shown('pwd'), shown('swk', 'user', 'mfa')], false],
  ['a passkey there', 'phr', [shown('pwd'), shown('swk', 'user', 'mfa')], true],
  ['a password where a passkey could go with it', SFA, [shown('pwd'), shown('swk', 'user')], false],
  ['a password where an app is set up', SFA, [shown('pwd'), shown('otp')], false],
  ['a password and a code there', MFA, [shown('pwd'), shown('otp')], true],
  ['nobody', undefined, [], false],
])('%s may change how the account signs in: %s, %j → %s', (_what, acr, potential, allowed) => {
  expect(ladder.mayChangeFactors(acr, potential)).toBe(allowed);
});

test.each([
  ['nothing demanded', undefined, [], true],
  ['the same level', SFA, [SFA], true],
  ['a higher level', MFA, [SFA], true],
  ['a lower level', SFA, [MFA], false],
  ['one of several', SFA, [MFA, SFA], true],
  ['an unknown name', MFA, ['urn:unknown'], false],
  ['an unknown name beside one that is reached', MFA, ['urn:unknown', MFA], true],
  ['a level that is no longer one', 'urn:old', [SFA], false],
  ['nobody signed in', undefined, [SFA], false],
])('%s: %s for %j → %s', (_what, actual, demanded, satisfied) => {
  expect(ladder.meets(actual, demanded)).toBe(satisfied);
});

test.each([
  [undefined, false, false],
  ['urn:old', false, false],
  [SFA, false, false],
  [MFA, true, false],
  ['phr', true, false],
  ['phrh', true, true],
])('a session of level %s: two factors %s, attested device %s', (acr, isTwoFactors, isHardware) => {
  expect(ladder.isTwoFactors(acr)).toBe(isTwoFactors);
  expect(ladder.isHardware(acr)).toBe(isHardware);
});

test.each([
  ['a password alone', false, undefined, undefined],
  ['a second factor', true, undefined, MFA],
  ['what the operator set', false, 'phr', 'phr'],
  ['the higher of both', true, 'phr', 'phr'],
  ['the higher of both, the other way round', true, SFA, MFA],
  ['a second factor, of a level that is no longer one', true, 'urn:old', MFA],
])('an account demands of its own, with %s (%s, %s): %s', (_what, hasSecond, minimum, required) => {
  expect(requiredLevel(ladder, hasSecond, minimum)).toBe(required);
});

test('the names and places of the levels are those of the configuration', () => {
  const own = createLadder([
    { acr: 'silver', requires: 'one_factor' },
    { acr: 'gold', requires: 'phishing_resistant' },
  ]);
  expect(own.acrOf([shown('pwd'), shown('otp')])).toBe('silver');
  expect(own.acrOf([shown('hwk', 'user', 'mfa')])).toBe('gold');
  expect(own.meets('gold', ['silver'])).toBe(true);
  expect(own.meets('gold', [MFA])).toBe(false);
  expect(requiredLevel(own, true, undefined)).toBe('silver');
});

test.each([
  [[shown('pwd')], ['pwd']],
  [
    [shown('pwd'), shown('otp')],
    ['pwd', 'otp', 'mfa'],
  ],
  [
    [shown('pwd'), shown('sms')],
    ['pwd', 'sms', 'mfa'],
  ],
  [
    [shown('pwd', 'otp', 'mfa'), shown('hwk', 'user')],
    ['pwd', 'otp', 'mfa', 'hwk', 'user'],
  ],
  [[shown('hwk', 'user')], ['hwk', 'user']],
  [
    [shown('hwk', 'user'), shown('otp')],
    ['hwk', 'user', 'otp'],
  ],
  [[shown('pwd'), shown('pwd')], ['pwd']],
  [[], []],
])('a token says what was performed, each once: %j → %j', (proofs, amr) => {
  expect(amrOf(proofs)).toEqual(amr);
});
