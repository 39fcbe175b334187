import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, MFA, nextCode, RECOVERY_CODES, SECRET } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { csrfOn } from './support/account-area.ts';
import { expectErrorPage } from './support/answers.ts';
import { APP, factorsOf, interactionOf, isSignedInAt, passworded, RENEW, sendForm } from './support/second-factor.ts';

const LATER = ['totp', 'sms', 'recovery-code', 'enrol-totp', 'recovery-codes'];
const OTHER_CODES = Array.from({ length: 10 }, (_, n) => `9THER-${n}XW2M-4TB9Z`);

const mutuelle = clientFile('mutuelle');
const people = crowd(
  {
    app: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } },
    other: { totp: { secret: 'KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU', recoveryCodes: OTHER_CODES } },
    // Without recovery codes: the app is the only way on.
    bare: { totp: { secret: SECRET } },
    demanded: { minimumAcr: MFA },
    plain: {},
  },
  30,
);

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: people.everybody,
    settings: { limits: { lockout: { tries: 1000 }, address: { count: 10_000 } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

const begin = (person: Person, parameters = {}) => passworded(vestibule, portal, person, parameters, visitor);
const isSignedIn = (by = visitor) => isSignedInAt(by, portal);

describe('tampered fields', () => {
  test.each([
    ['totp', { recovery_code: RECOVERY_CODES[0] ?? '' }],
    ['totp', { password: 'x' }],
    ['totp', { kept: 'yes' }],
    ['totp', { proofs: '[]' }],
    ['totp', { 'code[$ne]': 'x' }],
    ['recovery-code', { code: '123456' }],
    ['recovery-code', { trust: 'yes' }],
    ['recovery-code', { renew: 'yes' }],
  ])('fields of other steps are refused on the page "%s": %j', async (step, fields) => {
    await begin(people.next('app'));
    if (step === 'recovery-code') await visitor.choose('recovery-code');
    const right = step === 'totp' ? { code: await codeOf(vestibule) } : { recovery_code: RECOVERY_CODES[0] ?? '' };
    await visitor.post(visitor.page.url, { _csrf: csrfOn(visitor.page), ...right, ...fields });
    await expectErrorPage(vestibule, visitor.page, 400);
    expect(await isSignedIn()).toBe(false);
  });

  test('two codes in one form are refused', async () => {
    await begin(people.next('app'));
    const form = new URLSearchParams([
      ['_csrf', csrfOn(visitor.page)],
      ['code', '000000'],
      ['code', await codeOf(vestibule)],
    ]);
    await visitor.post(visitor.page.url, form);
    await expectErrorPage(vestibule, visitor.page, 400);
    expect(await isSignedIn()).toBe(false);
  });

  test.each(['sms', 'recovery-code', 'passkey', 'password', 'enrol-totp', 'none', '__proto__'])(
    'another way that the person does not have (%s) leads nowhere',
    async (alternative) => {
      await begin(people.next('bare'));
      await visitor.post(visitor.page.url, { _csrf: csrfOn(visitor.page), alternative });
      expect([visitor.page.status, visitor.page.step]).toEqual([400, 'totp']);
      expect(await isSignedIn()).toBe(false);
    },
  );

  test('"Not you?" takes everything back: the next person proves both again', async () => {
    const [one, two] = [people.next('app'), people.next('other')];
    await begin(one);
    // With the right code in the same form: it is not looked at.
    await visitor.post(visitor.page.url, { _csrf: csrfOn(visitor.page), switch: '', code: await codeOf(vestibule) });
    expect(visitor.page.step).toBe('identify');
    await visitor.submit({ username: two.username });
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: two.password });
    // Nor does the code of the first one count for the second.
    await visitor.submit({ code: await codeOf(vestibule) });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'totp']);
    expect(await isSignedIn()).toBe(false);
  });

  test('codes of another account, of either kind, are wrong', async () => {
    await begin(people.next('app'));
    await visitor.submit({ code: await codeOf(vestibule, people.next('other').totp?.secret) });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'totp']);
    await visitor.choose('recovery-code');
    for (const code of OTHER_CODES.slice(0, 2)) {
      await visitor.submit({ recovery_code: code });
      expect([visitor.page.status, visitor.page.step]).toEqual([400, 'recovery-code']);
    }
    expect(await isSignedIn()).toBe(false);
  });

  test('a form of another site, or with the token of another interaction, is refused with a right code', async () => {
    await begin(people.next('app'));
    const elsewhere = await passworded(vestibule, portal, people.next('app'));
    const code = await codeOf(vestibule);
    for (const [_csrf, origin, status] of [
      [csrfOn(visitor.page), 'https://evil.example', 403],
      [csrfOn(visitor.page), 'null', 403],
      [csrfOn(elsewhere.page), vestibule.issuer, 400],
      ['', vestibule.issuer, 400],
    ] as const) {
      const page = await visitor.request('POST', visitor.page.url, new URLSearchParams({ _csrf, code }).toString(), {
        origin,
      });
      await expectErrorPage(vestibule, page, status);
    }
    expect(await isSignedIn()).toBe(false);
  });

  test('another interaction’s pages are shown to nobody else', async () => {
    await begin(people.next('demanded'));
    const thief = await passworded(vestibule, portal, people.next('app'));
    for (const step of LATER) {
      await thief.visit(`${interactionOf(visitor)}/${step}`);
      await expectErrorPage(vestibule, thief.page, 400);
    }
  });

  test('recovery codes are not made where there is no app', async () => {
    const person = people.next('plain');
    await begin(person);
    await visitor.visit(APP);
    expect((await sendForm(visitor, RENEW, {})).status).toBe(303);
    expect(await factorsOf(vestibule, person)).toMatchObject({ seeds: [], codes: [] });
  });
});
