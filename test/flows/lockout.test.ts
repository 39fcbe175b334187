import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, MFA, nextCode, passPassword, SFA, sentenceOf, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, chooseNewPassword, errorAt, lockOut, signIn } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** Where the link of the mail leads. */
const LINK = '/recovery/password/new';
const NEW = 'salt-lantern-orbit-meadow';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, app: withApp });

let mail: MailSink;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  mail = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [
      ...reachable(people.everybody),
      { username: 'without-address', password: 'a-demo-password-of-some-length' },
    ],
    settings: { mail: mail.settings, passkeys: { offer: { enabled: false } } },
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

/** In a new browser, from the portal to the page that says that the password is locked. */
async function locked({ username }: Pick<Person, 'username'>, by = new Visitor(vestibule)): Promise<Visitor> {
  await by.visit(await portal.authorizationUrl());
  await lockOut(by, username);
  return by;
}

describe('five wrong passwords', () => {
  test('lock: the page says for how long, and the right password opens nothing in another browser either', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: person.username });
    for (let wrong = 0; wrong < 4; wrong += 1) {
      await visitor.submit({ password: `wrong-password-number-${wrong}` });
      expect([visitor.page.status, visitor.page.step]).toEqual([400, 'password']);
      expect(visitor.page.error).toMatch(sentenceOf('wrong_password'));
    }
    await visitor.submit({ password: 'wrong-password-number-5' });
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'locked']);
    expect(visitor.page.text).toContain('15 minutes');
    expect(visitor.page.text).toContain(person.username);
    expect(visitor.page.alternatives.has('recovery')).toBe(true);
    expect(visitor.page.forms[0]?.names).not.toContain('password');

    await signInTo(visitor, person);
    expect(visitor.page.step).toBe('locked');
    const other = new Visitor(vestibule);
    await signInTo(other, { ...person, password: 'something-else-altogether' });
    expect(other.page.step).toBe('locked');
    expect((await auditOf(vestibule, 'login.locked')).at(-1)).toMatchObject({ accountId: expect.any(String) });
  });

  test('do so once only: fewer and then the right one, and counting begins anew', async () => {
    const person = people.next('plain');
    for (let round = 0; round < 2; round += 1) {
      const by = new Visitor(vestibule);
      await by.visit(await portal.authorizationUrl());
      await by.submit({ username: person.username });
      for (let wrong = 0; wrong < 4; wrong += 1) await by.submit({ password: `wrong-password-number-${wrong}` });
      await by.submit({ password: person.password });
      expect(errorAt(by.left)).toBeNull();
    }
  });

  test('of one person leave everybody else alone', async () => {
    await locked(people.next('plain'));
    await signIn(visitor, portal, {}, people.next('plain'));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('lock for a while that grows, and ends by itself', async () => {
    const person = people.next('plain');
    await locked(person);
    for (const minutes of [15, 30, 60]) {
      await vestibule.advanceClock((minutes - 1) * MINUTE);
      const still = new Visitor(vestibule);
      await signInTo(still, person);
      expect([minutes, still.page.step]).toEqual([minutes, 'locked']);
      await vestibule.advanceClock(MINUTE + 1);
      await locked(person);
    }
    await vestibule.advanceClock(2 * HOUR + 1);
    await signIn(visitor, portal, {}, person);
    expect(errorAt(visitor.left)).toBeNull();
    // Forgotten by the success: the next lock is a first one.
    const again = await locked(person);
    expect(again.page.text).toContain('15 minutes');
  });

  test('a page that was left open goes on when the lock is over', async () => {
    const person = people.next('plain');
    await locked(person, visitor);
    await vestibule.advanceClock(15 * MINUTE + 1);
    await visitor.visit(visitor.page.url);
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    expect(errorAt(visitor.left)).toBeNull();
  });
});

const signInTo = async (by: Visitor, person: Person): Promise<void> => {
  await by.visit(await portal.authorizationUrl());
  await by.submit({ username: person.username });
  if (by.page.step === 'password') await by.submit({ password: person.password });
};

describe('whoever is locked out by mistakes', () => {
  test('confirms the address, opens the mail, chooses a new password, and is at the portal with tokens', async () => {
    const person = people.next('plain');
    await locked(person, visitor);
    const before = Math.floor(vestibule.now() / 1000);
    await visitor.submit();
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'locked']);
    expect(visitor.page.text).toMatch(/mail with a link is on its way/);
    // Once is enough: the button is gone, the ways out are not.
    expect(visitor.page.forms[0]?.buttons.some(({ id }) => id === 'continue')).toBe(false);

    const letter = await mail.next(addressOf(person));
    expect(letter.subject).toBe('A new password was asked for at Portal mutuelle');
    await visitor.visit(linkIn(letter, LINK));
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'change-password']);
    expect(visitor.page.url.search).toBe('');
    expect(visitor.page.text).toContain(person.username);
    expect(visitor.page.forms[0]?.names).toEqual(expect.arrayContaining(['new_password', 'new_password_again']));
    expect(visitor.page.forms[0]?.names).not.toContain('current_password');

    await chooseNewPassword(visitor, NEW);
    const claims = (await portal.exchange(visitor.left)).claims();
    expect(claims).toMatchObject({ amr: ['pwd'], acr: SFA });
    expect(Number(claims?.auth_time)).toBeGreaterThanOrEqual(before);
    expect((await mail.next(addressOf(person), /password of your account was changed/)).text).toContain('/not-me?');

    // Unlocked, and it is the new one that counts.
    const other = new Visitor(vestibule);
    await other.visit(await portal.authorizationUrl());
    await passPassword(other, person);
    expect([other.page.status, other.page.step]).toEqual([400, 'password']);
    await other.submit({ password: NEW });
    expect(errorAt(other.left)).toBeNull();
  });

  test('goes on to the app where there is one: the new password does not stand in for it', async () => {
    const person = people.next('app');
    await locked(person, visitor);
    await visitor.submit();
    await visitor.visit(linkIn(await mail.next(addressOf(person)), LINK));
    await chooseNewPassword(visitor, NEW);
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'totp']);
    await visitor.submit({ code: await codeOf(vestibule) });
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('is told the same at a name that nobody has, and nothing is mailed', async () => {
    const person = people.next('plain');
    const pages = [];
    await nothingOwed(vestibule);
    const count = mail.mails.length;
    for (const username of ['nobody-of-that-name', 'without-address']) {
      const by = await locked({ username });
      const before = by.page.text.replaceAll(username, '…');
      await by.submit();
      pages.push([before, by.page.text.replaceAll(username, '…')]);
    }
    await nothingOwed(vestibule);
    expect(mail.mails).toHaveLength(count);
    const by = await locked(person);
    const before = by.page.text.replaceAll(person.username, '…');
    await by.submit();
    pages.push([before, by.page.text.replaceAll(person.username, '…')]);
    expect(pages[0]).toEqual(pages[2]);
    expect(pages[1]).toEqual(pages[2]);
    await mail.next(addressOf(person));
  });

  test('can begin again as somebody else', async () => {
    const other = people.next('plain');
    await locked(people.next('plain'), visitor);
    await visitor.submit({}, { button: 'switch' });
    expect(visitor.page.step).toBe('identify');
    await passPassword(visitor, other);
    expect(errorAt(visitor.left)).toBeNull();
  });
});

describe('nobody is shut out by a stranger’s guesses', () => {
  test('a browser that signed in before has tries of its own', async () => {
    const person = people.next('plain');
    await signIn(visitor, portal, {}, person);
    await locked(person);
    visitor.cookies.clear('vestibule_session');
    await visitor.visit(await portal.authorizationUrl());
    await passPassword(visitor, person);
    expect(errorAt(visitor.left)).toBeNull();

    // And five wrong ones there lock that browser alone.
    visitor.cookies.clear('vestibule_session');
    await vestibule.advanceClock(24 * HOUR);
    await visitor.visit(await portal.authorizationUrl());
    await lockOut(visitor, person.username);
    const elsewhere = new Visitor(vestibule);
    await signIn(elsewhere, portal, {}, person);
    expect(errorAt(elsewhere.left)).toBeNull();
  });

  test('a passkey signs in during a lock', async () => {
    const person = people.next('plain');
    const browser = new PasskeyBrowser(visitor, vestibule.issuer);
    await visitor.visit('/account/passkeys/add');
    await passPassword(visitor, person);
    await browser.create();
    await locked(person);
    visitor.cookies.clear('vestibule_session');
    visitor.cookies.clear('vestibule_known');
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: person.username });
    expect(visitor.page.step).toBe('passkey');
    await visitor.choose('password');
    expect(visitor.page.step).toBe('locked');
    await visitor.choose('passkey');
    await browser.use();
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('a session goes on, and its refresh tokens', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
    await passPassword(visitor, person);
    await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    await locked(person);
    await portal.refresh(tokens.refresh_token ?? '');
    await portal.userinfo(tokens.access_token);
    await visitor.visit(await portal.authorizationUrl());
    expect(errorAt(visitor.left)).toBeNull();
  });
});
