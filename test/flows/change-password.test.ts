import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, startMailSink } from '../support/mail-sink.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, nextCode, passPassword, sentenceOf, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, call, errorAt, lockOut, removePassword, signIn } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const HOME = '/account/password';
const MINUTE = 60;
const DAY = 86_400;
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
    people: reachable(people.everybody),
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

/** The page, in a new browser. */
async function open(person: Person): Promise<void> {
  await visitor.visit(HOME);
  await passPassword(visitor, person);
  if (visitor.page.step === 'totp') await visitor.submit({ code: await codeOf(vestibule) });
  expect([visitor.page.status, visitor.page.step, visitor.page.url.pathname]).toEqual([200, 'change-password', HOME]);
}
const change = (current_password: string, password: string, over: Readonly<Record<string, string>> = {}) =>
  visitor.submit({ current_password, new_password: password, new_password_again: password, ...over });
const expectRefused = (problem: string) => {
  expect([visitor.page.status, visitor.page.step]).toEqual([400, 'change-password']);
  expect(visitor.page.error).toMatch(sentenceOf(problem));
};
const expectDone = () => {
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'change-password']);
  expect(visitor.page.error).toBeUndefined();
  expect(visitor.page.text).toContain('Your password is changed.');
};

/** In another browser: a session, and a refresh token. */
async function signedInElsewhere(person: Person) {
  const browser = new Visitor(vestibule);
  await browser.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
  await passPassword(browser, person);
  if (browser.page.step === 'totp') await browser.submit({ code: await codeOf(vestibule) });
  await browser.submit();
  const { refresh_token = '' } = await portal.exchange(browser.left);
  return {
    refresh: () => portal.refresh(refresh_token),
    hasSession: async () => {
      await browser.visit('/account');
      return browser.page.step !== 'identify';
    },
  };
}

describe('change password', () => {
  test('takes the current one and the new one twice; a notice is mailed, and the new one signs in', async () => {
    const person = people.next('plain');
    await open(person);
    expect(visitor.page.forms[0]?.names).toEqual(
      expect.arrayContaining(['current_password', 'new_password', 'new_password_again', 'sign_out_others']),
    );
    await change(person.password, NEW);
    expectDone();
    const { text } = await mail.next(addressOf(person), /password of your account was changed/);
    expect(text).toContain(person.username);
    expect((await auditOf(vestibule, 'password.changed')).at(-1)).toMatchObject({ accountId: expect.any(String) });
    const other = new Visitor(vestibule);
    await other.visit(await portal.authorizationUrl());
    await passPassword(other, person);
    expect([other.page.status, other.page.step]).toEqual([400, 'password']);
    await other.submit({ password: NEW });
    expect(errorAt(other.left)).toBeNull();
    // The notice of the page is there once.
    await visitor.visit(HOME);
    expect(visitor.page.text).not.toContain('Your password is changed.');
  });

  test('leaves other browsers signed in unless they are to be signed out', async () => {
    const person = people.next('plain');
    const other = await signedInElsewhere(person);
    await open(person);
    await change(person.password, NEW);
    expectDone();
    expect(await other.hasSession()).toBe(true);
    await other.refresh();
  });

  test('signs out everywhere else when asked to, and keeps this browser', async () => {
    const person = people.next('plain');
    const other = await signedInElsewhere(person);
    await open(person);
    await change(person.password, NEW, { sign_out_others: 'yes' });
    expectDone();
    expect(await other.hasSession()).toBe(false);
    await expect(other.refresh()).rejects.toMatchObject({ error: 'invalid_grant' });
    await visitor.visit('/account');
    expect(visitor.page.step).toBe('account-passkeys');
    // For portals, too.
    await visitor.visit(await portal.authorizationUrl());
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd'] });
  });

  test('is for people who are signed in, however long ago, with all they have', async () => {
    const person = people.next('app');
    await visitor.visit(HOME);
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('totp');
    await visitor.submit({ code: await codeOf(vestibule) });
    await vestibule.advanceClock(30 * MINUTE);
    await change(person.password, NEW);
    expectDone();
  });

  test('makes a link void that was mailed before, and ends the lock of a stranger’s guesses', async () => {
    const person = people.next('plain');
    await open(person);
    const stranger = new Visitor(vestibule);
    await stranger.visit(await portal.authorizationUrl());
    await lockOut(stranger, person.username);
    await stranger.submit();
    const link = linkIn(await mail.next(addressOf(person), /new password/), '/recovery/password/new');
    await change(person.password, NEW);
    expectDone();
    await stranger.visit(link);
    expect([stranger.page.status, stranger.page.heading]).toEqual([400, 'There is a newer link']);
    const other = new Visitor(vestibule);
    await signIn(other, portal, {}, { ...person, password: NEW });
    expect(errorAt(other.left)).toBeNull();
  });

  test('/.well-known/change-password leads there', async () => {
    const answer = await call(vestibule, '/.well-known/change-password');
    expect([answer.status, new URL(answer.headers.get('location') ?? '', vestibule.issuer).pathname]).toEqual([
      302,
      HOME,
    ]);
    expect((await call(vestibule, '/.well-known/change-password', { method: 'HEAD' })).status).toBe(302);
    await visitor.visit('/.well-known/change-password');
    await passPassword(visitor, people.next('plain'));
    expect([visitor.page.step, visitor.page.url.pathname]).toEqual(['change-password', HOME]);
  });
});

describe('is refused', () => {
  test.each([
    ['nothing as the current one', '', NEW, NEW, 'current_password_required'],
    ['a wrong current one', 'something-else-altogether', NEW, NEW, 'wrong_current_password'],
    ['no new one', undefined, '', '', 'new_password_required'],
    ['two that differ', undefined, NEW, `${NEW}s`, 'passwords_differ'],
    ['one of 14 characters', undefined, 'umbra-tile-fog', 'umbra-tile-fog', 'password_too_short'],
    ['one of 257 characters', undefined, 'y'.repeat(257), 'y'.repeat(257), 'password_too_long'],
    ['a much used one', undefined, '1qaz2wsx3edc4rfv', '1qaz2wsx3edc4rfv', 'password_common'],
    ['a sequence', undefined, 'qwertyuiopasdfgh', 'qwertyuiopasdfgh', 'password_guessable'],
    ['the e-mail address', undefined, '(address)', '(address)', 'password_personal'],
    ['the one that it is', undefined, '(current)', '(current)', 'password_unchanged'],
  ])('%s', async (_what, given, first, second, problem) => {
    const person = people.next('plain');
    const typed = (text: string) =>
      text.replace('(address)', `${addressOf(person)}1`).replace('(current)', person.password);
    await open(person);
    await visitor.submit({
      current_password: given ?? person.password,
      new_password: typed(first),
      new_password_again: typed(second),
    });
    expectRefused(problem);
    // Nothing typed comes back, and nothing was changed.
    expect(visitor.page.forms[0]?.fields.filter(({ type, value }) => type === 'password' && value !== '')).toEqual([]);
    await signIn(new Visitor(vestibule), portal, {}, person);
  });

  test('what is not typed as it should be is no guess: only wrong current passwords lock', async () => {
    const person = people.next('plain');
    await open(person);
    for (let times = 0; times < 6; times += 1) {
      await visitor.submit({ current_password: 'wrong-password', new_password: NEW, new_password_again: 'other' });
      expectRefused('passwords_differ');
    }
    visitor.cookies.clear('vestibule_known');
    for (let times = 0; times < 4; times += 1) {
      await change('wrong-password', NEW);
      expectRefused('wrong_current_password');
    }
    await change('wrong-password', NEW);
    expectRefused('password_locked');
    expect((await auditOf(vestibule, 'password.change_refused')).at(-1)).toMatchObject({
      accountId: expect.any(String),
    });
    await change(person.password, NEW);
    expectRefused('password_locked');
    // The same count as at the sign-in.
    const other = new Visitor(vestibule);
    await other.visit(await portal.authorizationUrl());
    await other.submit({ username: person.username });
    expect(other.page.step).toBe('locked');
    await vestibule.advanceClock(15 * MINUTE + 1);
    await visitor.visit(HOME);
    await change(person.password, NEW);
    expectDone();
  });
});

describe('eight characters', () => {
  test('do with an authenticator app', async () => {
    const person = people.next('app');
    await open(person);
    expect(visitor.page.text).toContain('At least 8 characters');
    await change(person.password, 'gz7-kpw');
    expectRefused('password_too_short');
    await change(person.password, 'sunshine1');
    expectRefused('password_common');
    await change(person.password, 'gz7-kpwf');
    expectDone();
  });

  test('do with a passkey', async () => {
    const person = people.next('plain');
    await open(person);
    expect(visitor.page.text).toContain('At least 15 characters');
    const browser = new PasskeyBrowser(visitor, vestibule.issuer);
    await visitor.visit('/account/passkeys/add');
    await browser.create();
    await visitor.visit(HOME);
    // Now that there is a passkey, it is shown first.
    expect(visitor.page.step).toBe('passkey');
    await browser.use();
    expect(visitor.page.text).toContain('At least 8 characters');
    await change(person.password, 'gz7-kpwf');
    expectDone();
  });
});

test('somebody without a password sets one: no current one is asked for, but a fresh proof', async () => {
  const person = people.next('plain');
  const browser = new PasskeyBrowser(visitor, vestibule.issuer);
  await visitor.visit('/account/passkeys/add');
  await passPassword(visitor, person);
  await browser.create();
  await removePassword(vestibule, person);
  await visitor.visit('/account/passkeys');
  await vestibule.advanceClock(DAY / 4);
  await visitor.visit(HOME);
  expect(visitor.page.step).toBe('passkey');
  await browser.use();
  expect([visitor.page.step, visitor.page.forms[0]?.names.includes('current_password')]).toEqual([
    'change-password',
    false,
  ]);
  await visitor.submit({ new_password: NEW, new_password_again: NEW });
  expectDone();
  expect(visitor.page.forms[0]?.names).toContain('current_password');
  await mail.next(addressOf(person), /password of your account was changed/);
  await signIn(new Visitor(vestibule), portal, {}, { ...person, password: NEW });
});
