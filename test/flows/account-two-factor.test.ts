import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  keyOn,
  MFA,
  nextCode,
  passPassword,
  RECOVERY_CODES,
  recoveryCodesOn,
  SECRET,
  SFA,
  sentenceOf,
  withApp,
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const HOME = '/account/two-factor';
const APP = `${HOME}/app`;
const OFF = `${HOME}/off`;
const MINUTE = 60;

const mutuelle = clientFile('mutuelle');
const people = crowd({
  plain: {},
  app: withApp,
  codes: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } },
  demanded: { totp: { secret: SECRET }, minimumAcr: MFA },
});

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: people.everybody });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

const giveCode = async (secret = SECRET, by = visitor) => by.submit({ code: await codeOf(vestibule, secret) });

/** Opens a page of the account area in a new browser. */
async function signInTo(path: string, person: Person): Promise<void> {
  await visitor.visit(path);
  await passPassword(visitor, person);
  if (visitor.page.step !== 'totp') return;
  await giveCode();
  await nextCode(vestibule);
}

/** In another browser, at a portal: up to where the second step would be. */
async function elsewhere(person: Person): Promise<Visitor> {
  const other = new Visitor(vestibule);
  await other.visit(await portal.authorizationUrl());
  await passPassword(other, person);
  return other;
}

describe('activate', () => {
  test('key, first code, recovery codes, and from then on it is asked for', async () => {
    const person = people.next('plain');
    await signInTo(HOME, person);
    expect([visitor.page.url.pathname, visitor.page.step]).toEqual([HOME, 'account-two-factor']);
    await visitor.visit(APP);
    const key = keyOn(visitor.page);
    expect(key).toMatch(/^[A-Z2-7]{32}$/);
    const link = visitor.page.alternatives.get('open-app');
    expect([link?.protocol, link?.searchParams.get('secret')]).toEqual(['otpauth:', key]);
    await giveCode(key);
    expect(visitor.page.step).toBe('recovery-codes');
    const codes = recoveryCodesOn(visitor.page);
    expect(new Set(codes).size).toBe(10);
    await visitor.submit();
    expect([visitor.page.status, recoveryCodesOn(visitor.page)]).toEqual([400, codes]);
    expect(visitor.page.error).toMatch(sentenceOf('recovery_codes_not_kept'));
    await visitor.submit({ kept: 'yes' });
    expect(visitor.page.url.pathname).toBe(HOME);
    // Shown once.
    await visitor.visit(`${HOME}/codes`);
    expect(visitor.page.step).toBe('account-two-factor');
    expect(visitor.page.body).not.toContain(codes[0]);

    await nextCode(vestibule);
    const other = await elsewhere(person);
    expect(other.page.step).toBe('totp');
    await giveCode(key, other);
    expect((await portal.exchange(other.left)).claims()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('begun and not confirmed changes nothing', async () => {
    const person = people.next('plain');
    await signInTo(APP, person);
    const key = keyOn(visitor.page);
    await giveCode(SECRET);
    expect([visitor.page.status, visitor.page.step, keyOn(visitor.page)]).toEqual([400, 'enrol-totp', key]);
    expect(visitor.page.error).toMatch(sentenceOf('totp_wrong_app'));
    const other = await elsewhere(person);
    expect(errorAt(other.left)).toBeNull();
  });

  test('with a key that is too old needs the new one', async () => {
    const person = people.next('plain');
    await signInTo(APP, person);
    const key = keyOn(visitor.page);
    await vestibule.advanceClock(31 * MINUTE);
    await giveCode(key);
    if (visitor.page.step === 'password') await visitor.submit({ password: person.password });
    expect(visitor.page.step).toBe('enrol-totp');
    expect(keyOn(visitor.page)).not.toBe(key);
    await nextCode(vestibule);
    await giveCode(keyOn(visitor.page));
    expect(visitor.page.step).toBe('recovery-codes');
  });

  test('the key of one session is no other’s, and the first code is used up', async () => {
    const person = people.next('plain');
    await signInTo(APP, person);
    const key = keyOn(visitor.page);
    const first = visitor;
    visitor = new Visitor(vestibule);
    await signInTo(APP, people.next('plain'));
    expect(keyOn(visitor.page)).not.toBe(key);
    await giveCode(key);
    expect(visitor.page.error).toMatch(sentenceOf('totp_wrong_app'));
    await giveCode(key, first);
    const other = await elsewhere(person);
    await giveCode(key, other);
    expect(other.page.error).toMatch(sentenceOf('totp_used'));
  });
});

describe('replace', () => {
  test('without a gap: the old app works until the new one is confirmed; kept recovery codes stay', async () => {
    const person = people.next('codes');
    await signInTo(HOME, person);
    await visitor.choose('replace');
    expect(visitor.page.step).toBe('enrol-totp');
    const key = keyOn(visitor.page);
    expect(key).not.toBe(SECRET);
    const before = await elsewhere(person);
    await giveCode(SECRET, before);
    expect(errorAt(before.left)).toBeNull();
    await giveCode(key);
    expect(visitor.page.url.pathname).toBe(HOME);
    expect(visitor.page.text).toMatch(/\b10\b/);

    await nextCode(vestibule);
    const after = await elsewhere(person);
    await giveCode(SECRET, after);
    expect([after.page.status, after.page.error]).toEqual([400, expect.stringMatching(sentenceOf('totp_wrong'))]);
    await giveCode(key, after);
    expect(errorAt(after.left)).toBeNull();
  });

  test('needs both factors proven of late', async () => {
    const person = people.next('app');
    await signInTo(HOME, person);
    await vestibule.advanceClock(6 * MINUTE);
    await visitor.visit(APP);
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    expect(visitor.page.step).toBe('totp');
    await giveCode();
    expect([visitor.page.url.pathname, visitor.page.step]).toEqual([APP, 'enrol-totp']);
  });
});

test('a session that began with the password alone changes nothing until it has shown the app', async () => {
  const person = people.next('plain');
  await signInTo(APP, person);
  const key = keyOn(visitor.page);
  await giveCode(key);
  await visitor.submit({ kept: 'yes' });
  for (const path of [APP, OFF]) {
    await visitor.visit(path);
    expect(visitor.page.step).toBe('totp');
  }
  await nextCode(vestibule);
  await giveCode(key);
  expect(visitor.page.step).toBe('account-two-factor-off');
});

test('new recovery codes: the old ones die', async () => {
  const person = people.next('codes');
  await signInTo(HOME, person);
  await visitor.submit({}, { button: 'renew' });
  const codes = recoveryCodesOn(visitor.page);
  expect(new Set(codes).size).toBe(10);
  await visitor.submit({ kept: 'yes' });
  expect(visitor.page.url.pathname).toBe(HOME);
  const other = await elsewhere(person);
  await other.choose('recovery-code');
  await other.submit({ recovery_code: RECOVERY_CODES[0] ?? '' });
  expect(other.page.error).toMatch(sentenceOf('recovery_code_wrong'));
  await other.submit({ recovery_code: codes[0] ?? '' });
  expect(other.page.step).toBe('recovery-codes');
});

describe('deactivate', () => {
  test('where it was activated, after a fresh proof of both; then the password alone is enough', async () => {
    const person = people.next('codes');
    await signInTo(HOME, person);
    await vestibule.advanceClock(6 * MINUTE);
    await visitor.choose('deactivate');
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    await giveCode();
    expect(visitor.page.step).toBe('account-two-factor-off');
    await visitor.submit();
    expect(visitor.page.url.pathname).toBe(HOME);
    const other = await elsewhere(person);
    expect((await portal.exchange(other.left)).claims()).toMatchObject({ amr: ['pwd'], acr: SFA });
  });

  test('is refused with the reason where the account must have two factors', async () => {
    const person = people.next('demanded');
    await signInTo(HOME, person);
    await visitor.visit(OFF);
    expect(visitor.page.step).toBe('account-refused');
    expect(visitor.page.heading).toContain('stays on');
    await visitor.visit(HOME);
    const _csrf = visitor.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? '';
    await visitor.post(OFF, { _csrf });
    expect([visitor.page.status, visitor.page.step]).toEqual([409, 'account-refused']);
    expect((await elsewhere(person)).page.step).toBe('totp');
  });
});

test('who is not signed in gets nowhere, and a form from elsewhere changes nothing', async () => {
  for (const path of [HOME, APP, OFF, `${HOME}/codes`]) {
    await visitor.visit(path);
    expect(visitor.page.step).toBe('identify');
  }
  const person = people.next('app');
  await signInTo(HOME, person);
  for (const path of [APP, OFF, `${HOME}/codes`, `${HOME}/codes/renew`]) {
    await visitor.post(path, { _csrf: 'made-up' });
    expect(visitor.page.status).toBe(400);
  }
  expect((await elsewhere(person)).page.step).toBe('totp');
});
