import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  keyOn,
  nextCode,
  passPassword,
  RECOVERY_CODES,
  recoveryCodesOn,
  SECRET,
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const NOT_ME = '/recovery/not-me';
const password = 'a-demo-password-of-some-length';
const mutuelle = clientFile('mutuelle');
const anna = {
  username: 'anna',
  password,
  profile: { name: 'Anna <b>Muster</b>', locale: 'de-CH', zoneinfo: 'Europe/Zurich' },
} satisfies Person;
/** One for the test that changes her. */
const clara = { username: 'clara', password, profile: { locale: 'de' } } satisfies Person;
const nobodysMail = ['ben', 'carl'].map((username) => ({ username, password }));
const people = crowd({ plain: {}, app: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } } }, 10);

let mail: MailSink;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  mail = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [...reachable([anna, clara, ...people.everybody]), ...nobodysMail],
    settings: { branding: { name: 'Caisse du Lac' }, mail: { ...mail.settings, from: 'no-reply@caisse.test' } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await mail?.close();
});
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

async function addPasskey(username: string): Promise<{ browser: PasskeyBrowser; id: string }> {
  const device = new SoftwareAuthenticator({
    origin: vestibule.issuer,
    aaguid: 'd548826e-79b4-db40-a3d8-11116f7e8349',
  });
  const browser = new PasskeyBrowser(visitor, vestibule.issuer, device);
  await visitor.visit('/account/passkeys/add');
  await passPassword(visitor, { username, password });
  if (visitor.page.step === 'offer-passkey') await visitor.choose('skip');
  await browser.create();
  expect(visitor.page.step).toBe('account-passkey-name');
  return { browser, id: String(device.credentials[0]?.id) };
}

/** Signs in to a page of the account area, with the app where there is one. */
async function signInTo(path: string, person: Person): Promise<void> {
  await visitor.visit(path);
  await passPassword(visitor, person);
  if (visitor.page.step === 'offer-passkey') await visitor.choose('skip');
  if (visitor.page.step !== 'totp') return;
  await visitor.submit({ code: await codeOf(vestibule) });
  await nextCode(vestibule);
}

describe('a notice', () => {
  test('tells of a passkey that comes or goes, in the person’s language and as plain text', async () => {
    const { browser, id } = await addPasskey('anna');
    const added = await mail.next(addressOf(anna), /^Ihrem Konto wurde ein Passkey hinzugefügt$/);
    // Swiss quotation marks, and nothing of a name is markup.
    expect(added.text).toContain('Der Passkey «Bitwarden» wurde dem Konto anna bei Caisse du Lac hinzugefügt.');
    expect(added.text).toContain('Guten Tag Anna <b>Muster</b>,');
    expect(added.html).toContain('Anna &lt;b&gt;Muster&lt;/b&gt;');
    expect(added.html).not.toContain('<b>');
    expect(added.from).toBe('"Caisse du Lac" <no-reply@caisse.test>');
    expect(added.recipients).toEqual([addressOf(anna)]);
    // "This wasn't me": at the configured address, and the token is all there is to it.
    expect(linkIn(added, NOT_ME).href).toMatch(new RegExp(`^${vestibule.issuer}${NOT_ME}\\?token=[\\w-]{43}$`));

    await visitor.visit(`/account/passkeys/${id}/delete`);
    await browser.use();
    await visitor.submit();
    const removed = await mail.next(addressOf(anna), /entfernt/);
    expect(removed.text).toContain('«Bitwarden»');
    expect(removed.messageId).not.toBe(added.messageId);
  });

  test('tells of an app set up in the account area, and of a recovery code that was used', async () => {
    const person = people.next('plain');
    await signInTo('/account/two-factor/app', person);
    await visitor.submit({ code: await codeOf(vestibule, keyOn(visitor.page)) });
    const [first = ''] = recoveryCodesOn(visitor.page);
    const added = await mail.next(addressOf(person), /authenticator app was set up/);
    expect(added.text).toContain(person.username);
    const elsewhere = new Visitor(vestibule);
    await elsewhere.visit(await portal.authorizationUrl());
    await passPassword(elsewhere, person);
    await elsewhere.choose('recovery-code');
    await elsewhere.submit({ recovery_code: first });
    expect(elsewhere.page.step).toBe('recovery-codes');
    const used = await mail.next(addressOf(person), /recovery code of your account was used/);
    expect(used.text).toContain('Codes left: 9.');
    // Each has a link of its own.
    expect(linkIn(used, NOT_ME).href).not.toBe(linkIn(added, NOT_ME).href);
  });

  test('tells of new recovery codes, and of the end of two-factor authentication', async () => {
    const person = people.next('app');
    await signInTo('/account/two-factor', person);
    await visitor.submit({}, { button: 'renew' });
    linkIn(await mail.next(addressOf(person), /New recovery codes/), NOT_ME);
    await visitor.visit('/account/two-factor/off');
    await visitor.submit();
    linkIn(await mail.next(addressOf(person), /Two-factor authentication was deactivated/), NOT_ME);
  });

  test('tells of an app and a passkey that came on the way in', async () => {
    const person = people.next('plain');
    const browser = new PasskeyBrowser(visitor, vestibule.issuer);
    await visitor.visit(await portal.authorizationUrl());
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('offer-passkey');
    await browser.create();
    expect(errorAt(visitor.left)).toBeNull();
    await mail.next(addressOf(person), /passkey was added/);

    const demanded = people.next('plain');
    const other = new Visitor(vestibule);
    await other.visit(await portal.authorizationUrl({ acr_values: 'https://refeds.org/profile/mfa' }));
    await passPassword(other, demanded);
    if (other.page.step === 'offer-passkey') await other.choose('skip');
    expect(other.page.step).toBe('enrol-totp');
    await other.submit({ code: await codeOf(vestibule, keyOn(other.page)) });
    await mail.next(addressOf(demanded), /authenticator app was set up/);
  });

  test('is not sent for what was refused', async () => {
    const person = people.next('app');
    await visitor.visit(await portal.authorizationUrl());
    await passPassword(visitor, person);
    await visitor.choose('recovery-code');
    await visitor.submit({ recovery_code: 'AAAAA-BBBBB-CCCCC' });
    expect(visitor.page.status).toBe(400);
    await nothingOwed(vestibule);
    expect(mail.to(addressOf(person))).toEqual([]);
  });

  test('is in nobody’s way: whom nobody can write to does the same', async () => {
    await nothingOwed(vestibule);
    const before = mail.mails.length;
    await addPasskey('ben');
    await nothingOwed(vestibule);
    expect(mail.mails).toHaveLength(before);
  });
});

test('an operator removes the passkeys of somebody who lost them; it is recorded and mailed', async () => {
  await addPasskey('clara');
  const { code, stdout } = await vestibule.command([
    'people',
    'reset-factors',
    addressOf(clara).toUpperCase(),
    '--verified-by',
    'identity card at the desk',
    '--json',
  ]);
  expect([code, JSON.parse(stdout)]).toEqual([0, { id: expect.any(String), removed: ['passkey'], told: true }]);
  expect((await mail.next(addressOf(clara), /zurückgesetzt/)).text).toContain('Caisse du Lac');

  visitor = new Visitor(vestibule);
  new PasskeyBrowser(visitor, vestibule.issuer);
  await visitor.visit('/account/passkeys');
  await visitor.submit({ username: 'clara' });
  expect(visitor.page.step).toBe('password');

  const again = await vestibule.command(['people', 'reset-factors', 'clara', '--verified-by', 'telephone']);
  expect(again).toMatchObject({ code: 0, stdout: 'clara has nothing to reset.\n' });
});

test('whoever has no address is not told, and the operator is told that', async () => {
  await addPasskey('carl');
  const { code, stdout } = await vestibule.command(['people', 'reset-factors', 'carl', '--verified-by', 'telephone']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('The person is not told')]);
});

test.each([
  [['people', 'reset-factors', 'anna'], 2, '--verified-by'],
  [['people', 'reset-factors'], 2, 'name one person'],
  [['people', 'reset-factors', 'nobody', '--verified-by', 'x'], 1, 'nobody of the name nobody'],
])('%j is refused with the reason', async (args, code, reason) => {
  const result = await vestibule.command(args);
  expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(reason)]);
});
