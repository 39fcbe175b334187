import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import type { PasskeyBrowser } from '../support/passkeys.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import {
  asked,
  crowd,
  deviceFor,
  enrolled,
  expectRefusal,
  LIST,
  PASSWORD,
  type Place,
  passworded,
  referenceOf,
  stepCount,
} from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';
import { accountOf } from './support/storage.ts';

const LIFETIME = 300;
const people = crowd(40);
let place: Place;
let vestibule: Vestibule;
let next = 0;
const fresh = (): string => people[next++]?.username ?? '';

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people,
    settings: { limits: { address: { count: 10_000 } } },
  });
  place = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(() => vestibule?.stop());

const requestOf = (browser: PasskeyBrowser) => browser.options<PublicKeyCredentialRequestOptionsJSON>();
const creationOf = (browser: PasskeyBrowser) => browser.options<PublicKeyCredentialCreationOptionsJSON>();
const EXPIRED = { step: 'passkey', code: 'passkey_expired', reason: 'challenge' };

describe('7 a challenge of a sign-in', () => {
  let username: string;
  let mine: PasskeyBrowser;
  beforeEach(async () => {
    username = fresh();
    mine = await enrolled(place, username);
  });
  const signsIn = async (browser: PasskeyBrowser) => {
    expect((await browser.use()).status).toBe(200);
    expect(browser.visitor.left.searchParams.has('code')).toBe(true);
  };

  test('expires after five minutes, and not before', async () => {
    const browser = await asked(place, username, mine.device);
    const early = await requestOf(browser);
    await vestibule.advanceClock(LIFETIME + 1);
    await expectRefusal(vestibule, browser, await mine.device.get(early), EXPIRED);
    const late = await requestOf(browser);
    await vestibule.advanceClock(LIFETIME - 10);
    expect((await browser.hand(await mine.device.get(late))).status).toBe(200);
  });

  test('answers once, also when the first answer was a bad one', async () => {
    const browser = await asked(place, username, mine.device);
    const options = await requestOf(browser);
    await browser.hand(await mine.device.get(options, { altered: 'signature' }));
    await expectRefusal(vestibule, browser, await mine.device.get(options), EXPIRED);
    await signsIn(browser);
  });

  test('that was answered signs in nowhere else: same browser, other browser, after a restart', async () => {
    const first = await asked(place, username, mine.device);
    const response = await mine.device.get(await requestOf(first));
    expect((await first.hand(response)).status).toBe(200);
    await first.visitor.visit(await place.portal.authorizationUrl({ prompt: 'login' }));
    await expectRefusal(vestibule, first, response, EXPIRED);
    await expectRefusal(vestibule, await asked(place, username), response, EXPIRED);
    const identify = await asked(place);
    await expectRefusal(vestibule, identify, response, { ...EXPIRED, step: 'identify' });
    await vestibule.restart();
    await expectRefusal(vestibule, await asked(place, username), response, EXPIRED);
  });

  test('answers no other interaction, and is not used up by the try', async () => {
    const one = await asked(place, username, mine.device);
    const two = await asked(place, username, mine.device);
    const response = await mine.device.get(await requestOf(one));
    await expectRefusal(vestibule, two, response, EXPIRED);
    expect((await one.hand(response)).status).toBe(200);
  });

  test('answers no other interaction of the same browser', async () => {
    const browser = await asked(place, username, mine.device);
    const response = await mine.device.get(await requestOf(browser));
    await browser.visitor.visit(await place.portal.authorizationUrl());
    await browser.visitor.submit({ username });
    await expectRefusal(vestibule, browser, response, EXPIRED);
    await signsIn(browser);
  });

  test.each([
    ['made up', Buffer.alloc(32, 5).toString('base64url')],
    ['of one byte', 'AA'],
    ['empty', ''],
    ['of the store’s own words', 'PasskeyChallenge'],
  ])('%s is none', async (_what, challenge) => {
    const browser = await asked(place, username, mine.device);
    const told = await browser.use({ challenge });
    expect(told.status).toBe(400);
    await signsIn(browser);
  });

  test('spelled otherwise is none, though it is the same bytes', async () => {
    const browser = await asked(place, username, mine.device);
    const options = await requestOf(browser);
    const last = options.challenge.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = `${options.challenge.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`;
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(options.challenge, 'base64url'));
    await expectRefusal(vestibule, browser, await mine.device.get(options, { challenge: twin }), EXPIRED);
  });

  test('is 32 bytes, never the same', async () => {
    const browser = await asked(place, username, mine.device);
    const all = await Promise.all(Array.from({ length: 20 }, async () => (await requestOf(browser)).challenge));
    expect(new Set(all).size).toBe(20);
    for (const challenge of all) expect(Buffer.from(challenge, 'base64url')).toHaveLength(32);
  });

  test('does not create a passkey, nor does a creation’s sign in', async () => {
    const browser = await asked(place, username, mine.device, { acr_values: 'phr' });
    const { challenge } = await requestOf(browser);
    await browser.use();
    await browser.visitor.visit(`${LIST}/add`);
    expect(browser.visitor.page.step).toBe('account-passkey-add');
    const another = deviceFor(vestibule);
    const response = await another.create(await creationOf(browser), { challenge });
    expect(await browser.hand(response)).toMatchObject({ status: 400, body: { code: 'passkey_expired' } });

    const creation = await creationOf(browser);
    const later = await asked(place, username, mine.device);
    await expectRefusal(vestibule, later, await mine.device.get(await requestOf(later), creation), EXPIRED);
  });

  test('of fifty simultaneous answers one signs in', async () => {
    const browser = await asked(place, username, mine.device);
    const { pathname } = browser.visitor.page.url;
    const credential = JSON.stringify(await mine.device.get(await requestOf(browser)));
    const told = await Promise.all(Array.from({ length: 50 }, () => browser.send(pathname, { credential })));
    // A late one may find the first one's answer.
    for (const { status } of told) expect([200, 400]).toContain(status);
    const succeeded = new Set(told.filter(({ status }) => status === 200).map(({ body }) => body.location));
    expect(succeeded.size).toBe(1);
    const references = new Set(told.filter(({ status }) => status === 400).map(referenceOf));
    expect(references.size).toBe(told.filter(({ status }) => status === 400).length);
    const account = await accountOf(vestibule, { username });
    await vestibule.logged('login.succeeded', (line) => line.account === account && line.factor === 'passkey');
    const signIns = vestibule.logs.filter((line) => line.event === 'login.succeeded' && line.account === account);
    expect(signIns.filter(({ factor }) => factor === 'passkey')).toHaveLength(1);
    await browser.visitor.visit(String([...succeeded][0]));
    expect(browser.visitor.left.searchParams.has('code')).toBe(true);
  });
});

describe('7 enrolment replay', () => {
  test('a registration registers once: again, elsewhere, under another account', async () => {
    const [username, other] = [fresh(), fresh()];
    const mine = await passworded(place, username);
    const { pathname } = mine.visitor.page.url;
    const registration = await mine.device.create(await creationOf(mine));
    expect((await mine.hand(registration)).status).toBe(200);
    const late = await mine.send(pathname, { credential: JSON.stringify(registration) });
    expect(late.status).toBe(400);

    const theirs = await passworded(place, other);
    const refusal = { step: 'offer-passkey', code: 'passkey_expired', reason: 'challenge', event: 'passkey.refused' };
    await expectRefusal(vestibule, theirs, registration, refusal);
    // With a challenge of its own it still is somebody's already.
    const copy = await mine.device.create(await creationOf(theirs), { credentialId: registration.id });
    const taken = { ...refusal, code: 'passkey_exists', reason: 'taken' };
    await expectRefusal(vestibule, theirs, copy, taken);
    expect((await theirs.create()).status).toBe(200);
  });

  test('an expired one is refused, the next try on the same page is not', async () => {
    const browser = await passworded(place, fresh());
    const options = await creationOf(browser);
    await vestibule.advanceClock(LIFETIME + 1);
    const refusal = { step: 'offer-passkey', code: 'passkey_expired', reason: 'challenge', event: 'passkey.refused' };
    await expectRefusal(vestibule, browser, await browser.device.create(options), refusal);
  });

  test('of fifty simultaneous posts one registers', async () => {
    const username = fresh();
    const browser = await passworded(place, username);
    const { pathname } = browser.visitor.page.url;
    const credential = JSON.stringify(await browser.device.create(await creationOf(browser)));
    const told = await Promise.all(Array.from({ length: 50 }, () => browser.send(pathname, { credential })));
    for (const { status } of told) expect([200, 400]).toContain(status);
    expect(await stepCount(vestibule, 'offer-passkey', 'ok')).toBeGreaterThan(0);
    const again = await asked(place, username, browser.device);
    expect((await requestOf(again)).allowCredentials).toHaveLength(1);
    expect((await again.use()).status).toBe(200);
  });

  test('an offer’s challenge is none in the account area, nor the other way round', async () => {
    const username = fresh();
    const offered = await passworded(place, username);
    const { url } = offered.visitor.page;
    const offer = await creationOf(offered);
    // The same browser, signed in by the same person in another tab.
    const device = deviceFor(vestibule);
    const registration = await device.create(offer);
    const csrf = offered.visitor.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? '';
    await offered.visitor.visit(`${LIST}/add`);
    if (offered.visitor.page.step === 'identify') {
      await offered.visitor.submit({ username });
      await offered.visitor.submit({ password: PASSWORD });
      await offered.visitor.choose('skip');
    }
    expect(offered.visitor.page.step).toBe('account-passkey-add');
    const told = await offered.hand(registration);
    expect(told).toMatchObject({ status: 400, body: { code: 'passkey_expired' } });

    const area = await creationOf(offered);
    const answer = await offered.send(url.pathname, {
      _csrf: csrf,
      credential: JSON.stringify(await deviceFor(vestibule).create(area)),
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'passkey_expired' } });
    expect((await offered.create()).status).toBe(200);
  });
});

describe('16 lockout as DoS', () => {
  test('an attacker who used up the tries at the password leaves the passkey as it was', async () => {
    const username = fresh();
    const mine = await enrolled(place, username);
    const attacker = await asked(place, username);
    await attacker.visitor.choose('password');
    const { pathname } = attacker.visitor.page.url;
    const answers: unknown[] = [];
    for (let n = 0; n < 12; n++)
      answers.push((await attacker.send(pathname, { password: `guess ${n}` })).body.location);
    expect(String(answers.at(-1))).toMatch(/\/locked$/);
    // The owner's password is shut out; with the passkey they are in, named or not.
    const owner = await asked(place, username, mine.device);
    expect((await owner.visitor.choose('password')).step).toBe('locked');
    for (const name of [username, undefined]) {
      const browser = await asked(place, name, mine.device);
      expect((await browser.use()).status).toBe(200);
      expect(browser.visitor.left.searchParams.has('code')).toBe(true);
    }
  });

  test('nor do bad passkeys shut out the password, or another’s passkey', async () => {
    const username = fresh();
    const mine = await enrolled(place, username);
    const attacker = await asked(place, username, mine.device);
    for (let n = 0; n < 15; n++) expect((await attacker.use({ altered: 'signature' })).status).toBe(400);
    expect((await passworded(place, username)).visitor.left.searchParams.has('code')).toBe(true);
    const owner = await asked(place, username, mine.device);
    expect((await owner.use()).status).toBe(200);
  });
});
