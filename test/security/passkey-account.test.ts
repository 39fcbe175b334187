import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import type { PasskeyBrowser } from '../support/passkeys.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { csrfOn, expectNothingChanges, passkeysOf, tokenOf } from './support/account-area.ts';
import { asked, crowd, enrolled, idOf, LIST, PASSWORD, type Place, passworded } from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';
import { changeAccount } from './support/storage.ts';

const HOUR = 3600;
const people = crowd(60);
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

describe('4 wrong step-up proof', () => {
  let username: string;
  let owner: PasskeyBrowser;
  beforeEach(async () => {
    username = fresh();
    owner = await enrolled(place, username);
  });

  test('enrolment is no proof: who just created a passkey has shown a password', async () => {
    const claims = (await place.portal.exchange(owner.visitor.left)).claims();
    expect(claims?.amr).toEqual(['pwd']);
    await expectNothingChanges(vestibule, owner, username);
  });

  test('a password alone changes nothing where there is a passkey', async () => {
    const thief = await passworded(place, username);
    await expectNothingChanges(vestibule, thief, username);
  });

  test('a password given after the passkey lowers the session to what was shown last', async () => {
    const browser = await asked(place, username, owner.device);
    await browser.use();
    await browser.visitor.visit(await place.portal.authorizationUrl({ prompt: 'login' }));
    await browser.visitor.choose('password');
    await browser.visitor.submit({ password: PASSWORD });
    expect(browser.visitor.left.searchParams.has('code')).toBe(true);
    await expectNothingChanges(vestibule, browser, username);
  });

  test('a session with a passkey that became stale changes nothing either', async () => {
    const browser = await asked(place, username, owner.device);
    await browser.use();
    await browser.visitor.visit(`${LIST}/${idOf(owner)}/delete`);
    expect(browser.visitor.page.step).toBe('account-passkey-delete');
    await vestibule.advanceClock(HOUR);
    await expectNothingChanges(vestibule, browser, username);
  });

  test('an offer from before the owner’s passkey is worth nothing after it', async () => {
    const victim = fresh();
    // The thief of a password waits at the offer while the owner creates a passkey.
    const thief = await passworded(place, victim);
    expect(thief.visitor.page.step).toBe('offer-passkey');
    const options = await thief.options<PublicKeyCredentialCreationOptionsJSON>();
    const mine = await enrolled(place, victim);
    await thief.hand(await thief.device.create(options));
    expect((await passkeysOf(vestibule, victim)).map(({ id }) => id)).toEqual([idOf(mine)]);
  });

  test('an offer is no longer taken when the sign-in was a while ago', async () => {
    const username = fresh();
    const browser = await passworded(place, username);
    await vestibule.advanceClock(HOUR / 2);
    await browser.create().catch(() => undefined);
    expect(await passkeysOf(vestibule, username)).toEqual([]);
  });
});

describe('7 enrolment for another account', () => {
  test('what one person began, the next one in the same browser does not finish', async () => {
    const [first, second] = [fresh(), fresh()];
    const browser = await passworded(place, first);
    await browser.visitor.choose('skip');
    await browser.visitor.visit(`${LIST}/add`);
    const options = await browser.options<PublicKeyCredentialCreationOptionsJSON>();
    const token = csrfOn(browser.visitor.page);
    const credential = JSON.stringify(await browser.device.create(options));
    await browser.visitor.visit(await place.portal.authorizationUrl({ prompt: 'login' }));
    await browser.visitor.choose('switch');
    await browser.visitor.submit({ username: second });
    await browser.visitor.submit({ password: PASSWORD });
    await browser.visitor.choose('skip');
    expect(browser.visitor.left.searchParams.has('code')).toBe(true);
    await browser.visitor.visit(`${LIST}/add`);
    for (const _csrf of [token, csrfOn(browser.visitor.page)])
      expect((await browser.send(`${LIST}/add`, { _csrf, credential })).status).toBe(400);
    expect([await passkeysOf(vestibule, first), await passkeysOf(vestibule, second)]).toEqual([[], []]);
  });

  test('nor in one and the same interaction', async () => {
    const [first, second] = [fresh(), fresh()];
    const browser = await passworded(place, first);
    const { pathname } = browser.visitor.page.url;
    const options = await browser.options<PublicKeyCredentialCreationOptionsJSON>();
    const credential = JSON.stringify(await browser.device.create(options));
    // Nothing on the page leads back to the name; a form of an attacker’s own may try.
    const answer = await browser.send(pathname.replace('offer-passkey', 'identify'), { username: second });
    expect(answer.body.location).toBe(pathname);
    expect((await browser.send(pathname, { credential, username: second })).status).toBe(400);
    expect(await passkeysOf(vestibule, second)).toEqual([]);
  });

  test('steps that were not reached create and sign in nothing', async () => {
    const username = fresh();
    const browser = await asked(place, username);
    const { pathname } = browser.visitor.page.url;
    const base = pathname.slice(0, pathname.lastIndexOf('/'));
    for (const step of ['offer-passkey', 'passkey', 'consent', 'account-passkey-add']) {
      const options = await browser.send(`${base}/${step}/options`, {});
      expect([step, options.body.challenge, options.body.location]).toEqual([step, undefined, pathname]);
      const { status, body } = await browser.send(`${base}/${step}`, step === 'consent' ? {} : { credential: '{}' });
      expect([step, status === 400 || body.location === pathname]).toEqual([step, true]);
    }
  });

  test('somebody suspended at the offer creates nothing, and is not signed in', async () => {
    const username = fresh();
    const browser = await passworded(place, username);
    const response = await browser.device.create(await browser.options());
    await changeAccount(vestibule, username, { state: 'suspended' });
    // What was proven is void: back to the first page.
    expect((await browser.hand(response)).body.location).toMatch(/\/identify$/);
    await browser.visitor.visit(await place.portal.authorizationUrl({ prompt: 'none' }));
    expect(browser.visitor.left.searchParams.get('error')).toBe('login_required');
    expect(await passkeysOf(vestibule, username)).toEqual([]);
  });
});

describe('46 credential IDOR', () => {
  test('another’s passkey is as absent as none: in every route, unchanged', async () => {
    const [a, b] = [fresh(), fresh()];
    const own = await enrolled(place, a);
    const theirs = await enrolled(place, b);
    const browser = await asked(place, a, own.device);
    await browser.use();
    const before = await passkeysOf(vestibule, b);
    const _csrf = await tokenOf(browser, idOf(own));
    const nobodys = Buffer.alloc(32, 1).toString('base64url');
    const answers = [];
    for (const id of [idOf(theirs), nobodys]) {
      const of: unknown[] = [];
      for (const path of [`${LIST}/${id}`, `${LIST}/${id}/delete`]) {
        const page = await browser.visitor.request('GET', new URL(path, vestibule.issuer), undefined);
        const posted = await browser.send(path, path.endsWith('delete') ? { _csrf } : { _csrf, name: 'Taken over' });
        of.push(page.status, page.step, posted.status, posted.body.code, posted.body.detail);
      }
      answers.push(of);
    }
    expect(answers[0]?.filter((value) => value === 404)).toHaveLength(4);
    expect(answers[0]).toEqual(answers[1]);
    expect(await passkeysOf(vestibule, b)).toEqual(before);
    expect((await (await asked(place, b, theirs.device)).use()).status).toBe(200);
  });

  test('a form of another site changes nothing, nor one with another session’s token', async () => {
    const [a, b] = [fresh(), fresh()];
    const own = await enrolled(place, a);
    const other = await enrolled(place, b);
    const browser = await asked(place, a, own.device);
    await browser.use();
    const id = idOf(own);
    const mine = await tokenOf(browser, id);
    const foreign = await tokenOf(other, idOf(other));
    const before = await passkeysOf(vestibule, a);
    const post = (path: string, fields: Record<string, string>, headers: Record<string, string>) =>
      browser.visitor.request('POST', new URL(path, vestibule.issuer), new URLSearchParams(fields).toString(), headers);
    for (const path of [`${LIST}/${id}`, `${LIST}/${id}/delete`, `${LIST}/add`, `${LIST}/add/options`]) {
      const status = async (fields: Record<string, string>, headers: Record<string, string>) =>
        (await post(path, fields, headers)).status;
      expect(await status({ _csrf: mine }, { origin: 'https://evil.example' })).toBe(403);
      expect(await status({ _csrf: mine }, { origin: 'null' })).toBe(403);
      expect(await status({ _csrf: mine }, { 'sec-fetch-site': 'cross-site' })).toBe(403);
      expect(await status({ _csrf: foreign }, { origin: vestibule.issuer })).toBe(400);
      expect(await status({}, { origin: vestibule.issuer })).toBe(400);
      const json = { origin: vestibule.issuer, 'content-type': 'application/json' };
      expect(await status({ _csrf: mine }, json)).toBe(415);
    }
    expect(await passkeysOf(vestibule, a)).toEqual(before);
  });
});
