import { describe, expect, test } from '@jest/globals';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { createLadder } from '../../../src/journey/assurance.ts';
import { type Facts, nextStep, passwordLeadsOn, secondWays } from '../../../src/journey/next-step.ts';
import type { JourneyState } from '../../../src/journey/state.ts';

// Examples one can read; that no state at all breaks a rule is shown by `whole-space.test.ts`.

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';

const ladder = createLadder(serverSchema.parse({ issuer: 'http://localhost:3000' }).assurance.levels);

const nothing: JourneyState = { uid: 'u', clientId: 'c', proofs: [] };
const identified: JourneyState = { ...nothing, username: 'alice', accountId: 'a' };
const unknown: JourneyState = { ...nothing, username: 'nobody' };

const proof = (factor: string, ...amr: string[]) => ({ factor, amr, at: 1 });
const pwd = proof('password', 'pwd');
const otp = proof('totp', 'otp');
const touch = proof('passkey', 'hwk', 'user');
const verified = proof('passkey', 'hwk', 'user', 'mfa');

const password = { factor: 'password', amr: ['pwd'] };
const app = { factor: 'totp', amr: ['otp'] };
const phone = { factor: 'sms', amr: ['sms'] };
const codes = { factor: 'recovery-codes', amr: ['otp'] };
const key = { factor: 'passkey', amr: ['hwk', 'user', 'mfa'] };

/** @param wanted each a demand for any one of its levels */
const facts = (state: JourneyState, wanted: readonly string[][] = [], also: Partial<Facts> = {}): Facts => ({
  state,
  demand: { prompt: 'login', levels: wanted.map((acr) => ({ source: 'request', acr })) },
  browser: { passkeys: true },
  fresh: true,
  linkableSince: 0,
  now: 1000,
  externals: [],
  ladder,
  ...also,
});

describe('nothing demanded', () => {
  test.each([
    ['nobody named', nothing, 'identify'],
    ['a proof without a name', { ...nothing, proofs: [pwd] }, 'identify'],
    ['somebody named', identified, 'password'],
    ['a name nobody has', unknown, 'password'],
    ['a name with a passkey', { ...identified, passkey: true }, 'passkey'],
    ['a name nobody has, with one made up', { ...unknown, passkey: true }, 'passkey'],
    ['a passkey, and the password preferred', { ...identified, passkey: true, instead: 'password' }, 'password'],
    ['a password proven', { ...identified, proofs: [pwd] }, 'finished'],
    ['a name whose password is locked', { ...identified, lockedUntil: 1001 }, 'locked'],
    ['the same of a name nobody has', { ...unknown, lockedUntil: 1001 }, 'locked'],
    ['a lock that has ended', { ...identified, lockedUntil: 1000 }, 'password'],
    ['a lock, and a passkey', { ...identified, passkey: true, lockedUntil: 1001 }, 'passkey'],
    ['a lock, and somebody who proved who they are', { ...identified, proofs: [otp], lockedUntil: 1001 }, 'finished'],
    ['any proof', { ...identified, proofs: [proof('other', 'pin')] }, 'finished'],
    ['codes still to be shown', { ...identified, proofs: [pwd, otp], codes: 'new' }, 'recovery-codes'],
    ['a passkey still to be offered', { ...identified, proofs: [pwd], offer: 'first' }, 'offer-passkey'],
  ] as const)('%s', (_what, state, step) => {
    expect(nextStep(facts(state))).toBe(step);
  });
});

test.each([
  ['asked', nothing, 'consent'],
  ['given', { ...nothing, consented: true }, 'finished'],
] as const)('consent %s', (_what, state, step) => {
  expect(nextStep(facts(state, [], { demand: { prompt: 'consent', levels: [] } }))).toBe(step);
});

describe('two factors demanded', () => {
  const after = { ...identified, proofs: [pwd] };

  test.each([
    ['an app', { ...after, enrolled: [password, app, codes] }, 'totp'],
    ['an app, and a recovery code chosen', { ...after, enrolled: [app, codes], way: 'recovery-code' }, 'recovery-code'],
    ['an app, and a way chosen that there is not', { ...after, enrolled: [app], way: 'recovery-code' }, 'totp'],
    ['codes by SMS', { ...after, enrolled: [password, phone] }, 'sms'],
    ['a passkey', { ...after, passkey: true, enrolled: [password, key] }, 'passkey'],
    ['nothing yet', { ...after, enrolled: [password] }, 'enrol-totp'],
    ['a code given', { ...identified, proofs: [pwd, otp], enrolled: [password, app] }, 'finished'],
    ['a passkey that verified its user', { ...identified, proofs: [verified], enrolled: [password, key] }, 'finished'],
    ['a passkey by touch alone', { ...identified, proofs: [touch], enrolled: [password, key] }, 'password'],
    ['a passkey by touch alone, no password', { ...identified, proofs: [touch], enrolled: [key] }, 'unmet'],
  ] as const)('%s', (_what, state, step) => {
    expect(nextStep(facts(state, [[MFA]]))).toBe(step);
    // Whoever demands it: the account's own word counts as much.
    expect(nextStep(facts({ ...state, required: MFA }))).toBe(step);
  });

  test('an app is set up by nobody who sits at an old session', () => {
    const state = { ...identified, known: true as const, proofs: [proof('session', 'pwd')], enrolled: [password] };
    expect(nextStep(facts(state, [[MFA]], { fresh: false }))).toBe('password');
    expect(nextStep(facts(state, [[MFA]]))).toBe('enrol-totp');
  });

  test('an app is no way round a passkey that this browser can not use', () => {
    const state = { ...after, passkey: true, enrolled: [password, key] };
    expect(nextStep(facts(state, [[MFA]], { browser: { passkeys: false } }))).toBe('unmet');
  });

  test('a browser that never said what it can is given the chance, whoever demands it', () => {
    const state = { ...after, passkey: true, enrolled: [password, key] };
    const browser = { passkeys: undefined };
    expect(nextStep(facts(state, [[MFA]], { browser }))).toBe('passkey');
    expect(nextStep(facts({ ...state, required: MFA }, [], { browser }))).toBe('passkey');
  });
});

describe('a step-up', () => {
  const known = { ...identified, known: true as const, passkey: true, enrolled: [password, app, key] };

  test.each([
    ['a password, two factors', proof('session', 'pwd'), MFA, 'totp'],
    ['a password and a code, two factors', proof('session', 'pwd', 'otp', 'mfa'), MFA, 'finished'],
    ['a password and a code, a passkey', proof('session', 'pwd', 'otp', 'mfa'), 'phr', 'passkey'],
    ['a touched passkey, two factors', proof('session', 'hwk', 'user'), MFA, 'passkey'],
    ['a verified passkey, two factors', proof('session', 'hwk', 'user', 'mfa'), MFA, 'finished'],
    ['a name that no level has', proof('session', 'pwd'), 'urn:unknown', 'unmet'],
  ])('from %s', (_what, session, acr, step) => {
    expect(nextStep(facts({ ...known, proofs: [session] }, [[acr]]))).toBe(step);
  });

  test('what can not be reached here is said before anything is asked', () => {
    const browser = { passkeys: false };
    expect(nextStep(facts(known, [['phr']], { browser }))).toBe('unmet');
    expect(nextStep(facts({ ...identified, passkey: true }, [['phr']], { browser }))).toBe('password');
  });

  test('a touched passkey lacks the password where the browser can not verify again', () => {
    const state = { ...known, proofs: [proof('session', 'hwk', 'user')] };
    expect(nextStep(facts(state, [[MFA]], { browser: { passkeys: false } }))).toBe('password');
  });
});

test('each of several demands has to be reached, by any one of its levels', () => {
  const state = { ...identified, passkey: true, proofs: [pwd, otp], enrolled: [password, app, key] };
  expect(nextStep(facts(state, [[MFA], ['phr']]))).toBe('passkey');
  expect(nextStep(facts(state, [[MFA], ['phr', SFA]]))).toBe('finished');
});

test('the ways that a page offers are those that lead on', () => {
  const state = { ...identified, passkey: true, enrolled: [password, app, phone, codes, key] };
  expect(secondWays(facts(state, [[MFA]]))).toEqual([]);
  expect(secondWays(facts({ ...state, proofs: [pwd] }))).toEqual([]);
  expect(secondWays(facts({ ...state, proofs: [pwd] }, [[MFA]]))).toEqual(['totp', 'sms', 'passkey', 'recovery-code']);
  expect(secondWays(facts({ ...state, proofs: [pwd] }, [['phr']]))).toEqual(['passkey']);
  expect(secondWays(facts({ ...state, proofs: [touch] }, [[MFA]]))).toEqual([]);
});

test.each([
  [[], true],
  [[[SFA]], true],
  [[[MFA]], true],
  [[['phr']], false],
  [[['phr', MFA]], true],
  [[[MFA], ['phr']], false],
  [[['urn:unknown']], false],
])('a password leads on where %j is demanded: %s', (wanted, leadsOn) => {
  expect(passwordLeadsOn(facts(nothing, wanted))).toBe(leadsOn);
});
