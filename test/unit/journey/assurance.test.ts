import { expect, test } from '@jest/globals';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { amrOf, createLadder, requiredLevel } from '../../../src/journey/index.ts';

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';

const LOW = 'http://eidas.europa.eu/LoA/low';
const SUBSTANTIAL = 'http://eidas.europa.eu/LoA/substantial';
const HIGH = 'http://eidas.europa.eu/LoA/high';

const ladder = createLadder(serverSchema.parse({ issuer: 'http://localhost:3000' }).assurance.levels);

const shown = (...amr: string[]) => ({ amr });
/** What an external provider vouches for; absent: nothing. */
const vouched = (acr?: string) => ({ amr: [], ...(acr === undefined ? {} : { acr }) });
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
  ['an eID at level low', [vouched(LOW)], LOW],
  ['an eID at level substantial', [vouched(SUBSTANTIAL)], SUBSTANTIAL],
  ['an eID at level high', [vouched(HIGH)], HIGH],
  ['two of them', [vouched(HIGH), vouched(LOW)], HIGH],
  ['a provider that vouches for nothing', [vouched()], undefined],
  ['a provider that vouches for what nobody knows', [vouched('urn:unknown')], undefined],
  ['a provider that vouches for a level of ours', [vouched(MFA)], MFA],
  ['a password, and an eID at level low', [shown('pwd'), vouched(LOW)], LOW],
  ['a password, and an eID at level high', [shown('pwd'), vouched(HIGH)], HIGH],
  ['a password, and a provider that vouches for nothing', [shown('pwd'), vouched()], SFA],
  ['a password and a code, and an eID at level low', [shown('pwd'), shown('otp'), vouched(LOW)], MFA],
  ['a password and a code, and an eID at level high', [shown('pwd'), shown('otp'), vouched(HIGH)], HIGH],
  ['a code on top of an eID at level low', [vouched(LOW), shown('otp')], MFA],
])('%s reaches %j: %s', (_what, proofs, acr) => {
  expect(ladder.acrOf(proofs)).toBe(acr);
});

test('what can be reached at all is listed from the lowest level up', () => {
  expect(ladder.attainable([])).toEqual([]);
  expect(ladder.attainable([shown('pwd')])).toEqual([SFA]);
  expect(ladder.attainable([shown('pwd'), shown('otp')])).toEqual([SFA, MFA]);
  expect(ladder.attainable([shown('pwd'), shown('swk', 'user', 'mfa')])).toEqual([SFA, MFA, 'phr']);
});

test('an eID adds its own levels, and those of ours that it is worth', () => {
  expect(ladder.attainable([vouched(LOW)])).toEqual([SFA, LOW]);
  expect(ladder.attainable([shown('pwd'), vouched(SUBSTANTIAL)])).toEqual([SFA, MFA, LOW, SUBSTANTIAL]);
  expect(ladder.attainable([shown('swk', 'user', 'mfa'), vouched(HIGH)])).toEqual([
    ...[SFA, MFA, 'phr'],
    ...[LOW, SUBSTANTIAL, HIGH],
  ]);
  expect(ladder.attainable([vouched()])).toEqual([]);
});

test.each([
  ['a password where there is nothing else', SFA, [shown('pwd')], true],
  ['a password where a passkey counts as two factors', SFA, [shown('pwd'), shown('swk', 'user', 'mfa')], false],
  ['a passkey there', 'phr', [shown('pwd'), shown('swk', 'user', 'mfa')], true],
  ['a password where a passkey could go with it', SFA, [shown('pwd'), shown('swk', 'user')], false],
  ['a password where an app is set up', SFA, [shown('pwd'), shown('otp')], false],
  ['a password and a code there', MFA, [shown('pwd'), shown('otp')], true],
  ['whoever has nothing here', undefined, [], true],
  ['an eID at level low, where there is a password', LOW, [shown('pwd')], true],
  ['the same where an app is set up', LOW, [shown('pwd'), shown('otp')], false],
  ['an eID at level substantial there', SUBSTANTIAL, [shown('pwd'), shown('otp')], true],
  ['an eID at level high, where there is a passkey', HIGH, [shown('pwd'), shown('swk', 'user', 'mfa')], false],
  ['a provider that vouches for nothing, where there is a password', undefined, [shown('pwd')], false],
])('%s may change how the account signs in: %s, %j → %s', (_what, acr, potential, allowed) => {
  expect(ladder.mayChangeFactors([vouched(acr)], potential)).toBe(allowed);
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
  ['low for one factor', LOW, [SFA], true],
  ['low for two', LOW, [MFA], false],
  ['substantial for two', SUBSTANTIAL, [MFA], true],
  ['high for what phishing can not take', HIGH, ['phr'], false],
  ['high for a lower one', HIGH, [SUBSTANTIAL], true],
  ['substantial for a higher one', SUBSTANTIAL, [HIGH], false],
  ['two factors for what only a provider vouches for', MFA, [LOW], false],
  ['a passkey for what only a provider vouches for', 'phrh', [SUBSTANTIAL], false],
  ['any one of both kinds', MFA, [HIGH, MFA], true],
  ['a level of the regulation that there is not', HIGH, ['http://eidas.europa.eu/LoA/higher'], false],
])('%s: %s for %j → %s', (_what, actual, demanded, satisfied) => {
  expect(ladder.meets(actual, demanded)).toBe(satisfied);
});

test.each([
  [undefined, [], undefined, false],
  ['urn:old', ['pwd'], SFA, false],
  [SFA, ['pwd'], SFA, false],
  [MFA, ['pwd', 'otp', 'mfa'], MFA, true],
  ['phr', ['hwk', 'user', 'mfa'], 'phr', true],
  ['phrh', ['hwk', 'user', 'mfa'], 'phrh', true],
  // Of a password and a touched key.
  [MFA, ['pwd', 'hwk', 'user', 'mfa'], MFA, true],
  [LOW, [], LOW, false],
  [LOW, ['otp', 'mfa'], MFA, true],
  [SUBSTANTIAL, [], SUBSTANTIAL, true],
  [HIGH, ['pwd'], HIGH, true],
])('a session of level %s by %j shows %s; two factors: %s', (acr, amr, shows, isTwoFactors) => {
  const session = [ladder.ofSession({ amr, acr })];
  expect(ladder.acrOf(session)).toBe(shows);
  expect(ladder.isTwoFactors(session)).toBe(isTwoFactors);
});

test.each([
  ['nothing', [], SUBSTANTIAL],
  ['the level of the state', [[SUBSTANTIAL]], SUBSTANTIAL],
  ['a lower one of the state', [[LOW]], SUBSTANTIAL],
  ['what phishing can not take', [['phr']], 'phr'],
  ['any of both', [['phr', LOW]], 'phr'],
  ['what nobody knows', [['urn:unknown']], 'phr'],
])('of a passkey and an eID, a token that was asked for %s tells %s', (_what, demands, told) => {
  const proofs = [shown('hwk', 'user', 'mfa'), vouched(SUBSTANTIAL)];
  expect(
    ladder.acrOf(
      proofs,
      demands.map((acr) => ({ acr })),
    ),
  ).toBe(demands.length === 0 ? 'phr' : told);
});

test('a provider may vouch for a level of ours, and something one has here goes with it', () => {
  expect(ladder.acrOf([vouched(MFA)])).toBe(MFA);
  expect(ladder.acrOf([vouched(SFA)])).toBe(SFA);
  expect(ladder.acrOf([vouched(SFA), shown('otp')])).toBe(MFA);
  expect(ladder.acrOf([vouched(), shown('otp')])).toBe(SFA);
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
  [[vouched(HIGH)], []],
  [[shown('pwd'), vouched(HIGH)], ['pwd']],
  [[], []],
])('a token says what was performed, each once: %j → %j', (proofs, amr) => {
  expect(amrOf(proofs)).toEqual(amr);
});
