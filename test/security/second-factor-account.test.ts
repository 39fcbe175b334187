import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PasskeyBrowser } from '../support/passkeys.ts';
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
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { csrfOn } from './support/account-area.ts';
import {
  APP,
  addPasskey,
  CODES,
  coded,
  factorsOf,
  HOME,
  isSignedInAt,
  OFF,
  passworded,
  RENEW,
  sendForm,
} from './support/second-factor.ts';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, app: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } } });
const TWO_FACTORS = { acr_values: MFA };

let vestibule: Vestibule;
let portal: Portal;
let person: Person;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: people.everybody,
    settings: {
      trusted_devices: { enabled: true },
      limits: { lockout: { tries: 1000 }, address: { count: 10_000 } },
    },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => nextCode(vestibule));

const withPassword = (parameters = {}, by = new Visitor(vestibule)) =>
  passworded(vestibule, portal, person, parameters, by);
const withCode = (by = new Visitor(vestibule)) => coded(vestibule, portal, person, {}, by);

/** Somebody sets an app up in the account area. @returns its key */
async function setUp(by: Visitor): Promise<string> {
  await by.visit(APP);
  const key = keyOn(by.page);
  await by.submit({ code: await codeOf(vestibule, key) });
  expect(by.page.step).toBe('recovery-codes');
  await by.submit({ kept: 'yes' });
  return key;
}

/** Every route that changes factors; the person has an app, and the form token is a good one. */
async function expectNothingChanges(by: Visitor): Promise<void> {
  const before = await factorsOf(vestibule, person);
  await by.visit(HOME);
  expect(by.page.step).toBe('account-two-factor');
  for (const path of [APP, OFF, '/account/passkeys/add']) {
    const shown = await by.request('GET', new URL(path, vestibule.issuer), undefined);
    expect([path, shown.status, shown.location?.pathname]).toEqual([path, 303, '/auth']);
  }
  for (const [path, fields] of [
    [APP, { code: await codeOf(vestibule) }],
    [OFF, {}],
    [RENEW, {}],
    ['/account/passkeys/add', { credential: '{}' }],
    ['/account/passkeys/add/options', {}],
  ] as const) {
    const sent = await sendForm(by, path, fields);
    expect([path, sent.status, sent.location?.pathname]).toEqual([path, 303, '/auth']);
  }
  // No list is lying about to be read either.
  await by.visit(CODES);
  expect(recoveryCodesOn(by.page)).toEqual([]);
  expect(await factorsOf(vestibule, person)).toEqual(before);
}

describe('4 wrong step-up proof', () => {
  test('enrolment is no step-up: a session that began with the password stays one', async () => {
    person = people.next('plain');
    const by = await withPassword();
    await setUp(by);
    await expectNothingChanges(by);
  });

  test('a password session from before the owner’s app changes nothing after it', async () => {
    person = people.next('plain');
    const thief = await withPassword();
    await thief.visit(APP);
    const theirs = keyOn(thief.page);
    const form = thief.page;
    await setUp(await withPassword());
    const before = await factorsOf(vestibule, person);
    // The page was open already, with a key and a token that were good.
    const sent = await sendForm(thief, APP, { code: await codeOf(vestibule, theirs) }, form);
    expect([sent.status, sent.location?.pathname]).toEqual([303, '/auth']);
    expect(await factorsOf(vestibule, person)).toEqual(before);
    await expectNothingChanges(thief);
  });

  test('a trusted device is no proof', async () => {
    person = people.next('app');
    const by = await withPassword();
    await by.submit({ code: await codeOf(vestibule), trust: 'yes' });
    await nextCode(vestibule);
    by.cookies.clear('vestibule_session');
    await withPassword({}, by);
    expect(by.left.searchParams.has('code')).toBe(true);
    await expectNothingChanges(by);
  });

  test('two factors of long ago are none; a password given since lowers the session', async () => {
    person = people.next('app');
    const by = await withCode();
    await by.visit(OFF);
    const form = by.page;
    await vestibule.advanceClock(3600);
    const before = await factorsOf(vestibule, person);
    expect((await sendForm(by, OFF, {}, form)).location?.pathname).toBe('/auth');
    expect((await sendForm(by, RENEW, {}, form)).location?.pathname).toBe('/auth');
    expect(await factorsOf(vestibule, person)).toEqual(before);
    // Nothing of the old proofs counts where all is asked for anew.
    await by.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await by.submit({ password: person.password });
    expect(by.page.step).toBe('totp');
    await by.visit(OFF);
    expect(by.page.step).toBe('password');
  });

  test('a session with an app changes nothing where a passkey could show more', async () => {
    person = people.next('app');
    const owner = new PasskeyBrowser(await withCode(), vestibule.issuer);
    await addPasskey(owner);
    const thief = new PasskeyBrowser(new Visitor(vestibule), vestibule.issuer);
    await thief.visitor.visit(await portal.authorizationUrl());
    await thief.visitor.submit({ username: person.username });
    await thief.visitor.choose('password');
    await thief.visitor.submit({ password: person.password });
    await thief.visitor.submit({ code: await codeOf(vestibule) });
    await expectNothingChanges(thief.visitor);
  });
});

describe('4 an attacker’s app', () => {
  test('is not set up by a second journey once the owner has one', async () => {
    person = people.next('plain');
    const thief = await withPassword(TWO_FACTORS);
    expect(thief.page.step).toBe('enrol-totp');
    const theirs = keyOn(thief.page);
    const key = await setUp(await withPassword());
    const before = await factorsOf(vestibule, person);
    await thief.submit({ code: await codeOf(vestibule, theirs) });
    expect(thief.page.step).toBe('totp');
    expect(await factorsOf(vestibule, person)).toEqual(before);
    await thief.submit({ code: await codeOf(vestibule, theirs) });
    expect([thief.page.status, thief.page.step]).toEqual([400, 'totp']);
    expect(await isSignedInAt(thief, portal)).toBe(false);
    await nextCode(vestibule);
    const owner = await withPassword();
    await owner.submit({ code: await codeOf(vestibule, key) });
    expect(owner.left.searchParams.has('code')).toBe(true);
  });

  test('nor once the owner has a passkey', async () => {
    person = people.next('plain');
    const thief = await withPassword(TWO_FACTORS);
    const theirs = keyOn(thief.page);
    await addPasskey(new PasskeyBrowser(await withPassword(), vestibule.issuer));
    await thief.submit({ code: await codeOf(vestibule, theirs) });
    expect((await factorsOf(vestibule, person)).seeds).toEqual([]);
    expect(await isSignedInAt(thief, portal)).toBe(false);
  });

  test('of many that are set up at the same moment, one is, and the others’ codes are wrong', async () => {
    person = people.next('plain');
    const inJourney = await Promise.all([1, 2, 3, 4].map(() => withPassword(TWO_FACTORS)));
    const inArea = await Promise.all([1, 2, 3, 4].map(() => withPassword()));
    for (const each of inArea) await each.visit(APP);
    const all = [...inJourney, ...inArea];
    const keys = all.map(({ page }) => keyOn(page));
    expect(new Set(keys).size).toBe(8);
    await Promise.all(all.map(async (each, n) => each.submit({ code: await codeOf(vestibule, keys[n]) })));
    const winners = all.flatMap(({ page }, n) => (page.step === 'recovery-codes' ? [n] : []));
    expect(winners).toHaveLength(1);
    const before = await factorsOf(vestibule, person);
    await nextCode(vestibule);
    for (const [n, key] of keys.entries()) {
      const by = await withPassword();
      await by.submit({ code: await codeOf(vestibule, key) });
      expect([n, by.page.location?.searchParams.has('code') ?? false]).toEqual([n, n === winners[0]]);
    }
    expect((await factorsOf(vestibule, person)).codes).toEqual(before.codes);
  });

  test('a key is confirmed once: the same form again sets nothing up', async () => {
    person = people.next('plain');
    const by = await withPassword();
    await by.visit(APP);
    const { page } = by;
    const key = keyOn(page);
    await by.submit({ code: await codeOf(vestibule, key) });
    await by.submit({ kept: 'yes' });
    await nextCode(vestibule);
    await by.visit(OFF);
    await by.submit({ code: await codeOf(vestibule, key) });
    await by.submit();
    expect((await factorsOf(vestibule, person)).seeds).toEqual([]);
    const again = await sendForm(by, APP, { code: await codeOf(vestibule, key, 1) }, page);
    expect([again.status, (await factorsOf(vestibule, person)).seeds]).toEqual([400, []]);
  });

  test('a key that one person saw is not the next person’s, in the same journey', async () => {
    person = people.next('plain');
    const by = await withPassword();
    await by.visit(await portal.authorizationUrl(TWO_FACTORS));
    const theirs = keyOn(by.page);
    // The page is left open until the password is asked for again.
    await vestibule.advanceClock(310);
    await by.visit(by.page.url);
    expect(by.page.step).toBe('password');
    await by.choose('switch');
    await passPassword(by, people.next('plain'));
    expect(by.page.step).toBe('enrol-totp');
    expect(keyOn(by.page)).not.toBe(theirs);
  });

  test('a step-up that was left open ends with the session', async () => {
    person = people.next('plain');
    const by = await withPassword();
    await by.visit(await portal.authorizationUrl(TWO_FACTORS));
    expect(by.page.step).toBe('enrol-totp');
    const { page } = by;
    await by.visit('/session/end');
    await by.submit();
    const sent = await sendForm(
      by,
      page.forms[0]?.action.pathname ?? '',
      { code: await codeOf(vestibule, keyOn(page)) },
      page,
    );
    expect([sent.status, (await factorsOf(vestibule, person)).seeds]).toEqual([400, []]);
  });

  test('an offer left open since before the app signs nobody in', async () => {
    person = people.next('plain');
    const thief = new PasskeyBrowser(new Visitor(vestibule), vestibule.issuer);
    await withPassword({}, thief.visitor);
    expect(thief.visitor.page.step).toBe('offer-passkey');
    await setUp(await withPassword());
    await thief.visitor.choose('skip');
    expect(thief.visitor.left.searchParams.get('error')).toBe('unmet_authentication_requirements');
    expect(await isSignedInAt(thief.visitor, portal)).toBe(false);
  });
});

describe('25 forms of other sites, and of other sessions', () => {
  test('change nothing', async () => {
    person = people.next('app');
    const by = await withCode();
    await by.visit(OFF);
    const _csrf = csrfOn(by.page);
    const mine = person;
    const before = await factorsOf(vestibule, mine);
    await nextCode(vestibule);
    person = people.next('app');
    const other = await withCode();
    await other.visit(OFF);
    const { issuer } = vestibule;
    for (const path of [APP, OFF, RENEW, CODES, `${HOME}/devices`]) {
      const status = async (fields: Record<string, string>, headers: Record<string, string>) =>
        (await by.request('POST', new URL(path, issuer), new URLSearchParams(fields).toString(), headers)).status;
      expect(await status({ _csrf }, { origin: 'https://evil.example' })).toBe(403);
      expect(await status({ _csrf }, { origin: 'null' })).toBe(403);
      expect(await status({ _csrf }, { 'sec-fetch-site': 'cross-site' })).toBe(403);
      expect(await status({ _csrf: csrfOn(other.page) }, { origin: issuer })).toBe(400);
      expect(await status({}, { origin: issuer })).toBe(400);
      expect(await status({ _csrf, role: 'admin' }, { origin: issuer })).toBe(400);
      expect(await status({ _csrf }, { origin: issuer, 'content-type': 'application/json' })).toBe(415);
    }
    expect(await factorsOf(vestibule, mine)).toEqual(before);
  });
});
