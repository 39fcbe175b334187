import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { crowd, passPassword } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, call, chooseNewPassword, errorAt } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const DAY = 86_400;
const QUARTER_HOUR = 900;
const NOT_ME = '/recovery/not-me';
const NEW_PASSWORD = '/recovery/password/new';
const NEW = 'salt-lantern-orbit-meadow';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, german: { profile: { locale: 'de' } } }, 20);
const unverified = { username: 'ben', password: 'a-demo-password-of-some-length', email: 'ben@mail.example' };

let mail: MailSink;
let vestibule: Vestibule;
let portal: Portal;
/** The owner, with a browser that was never here. */
let visitor: Visitor;

beforeAll(async () => {
  mail = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [...reachable(people.everybody), unverified],
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
  // Requests for mails are counted by address, and everybody here has the same one.
  await vestibule.advanceClock(QUARTER_HOUR + 1);
});

/** Somebody who knows the password is in: with a session and a refresh token. */
async function thief(person: Person) {
  const browser = new Visitor(vestibule);
  await browser.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
  await passPassword(browser, person);
  await browser.submit();
  const { refresh_token = '' } = await portal.exchange(browser.left);
  return { browser, refresh: () => portal.refresh(refresh_token) };
}

/** The link of the notice about the thief's sign-in. */
const notMeLink = async (person: Person): Promise<URL> =>
  linkIn(await mail.next(addressOf(person), /new device|neuen Gerät/), NOT_ME);
/** How many links for a new password somebody was mailed so far. */
const linksMailed = (person: Person): number =>
  mail.to(addressOf(person)).filter(({ subject }) => subject.includes('new password')).length;

test('“This wasn’t me” ends every session, mails a link for a new password, and says so', async () => {
  const person = people.next('plain');
  const { browser, refresh } = await thief(person);
  const link = await notMeLink(person);
  await visitor.visit(link);
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'not-me']);
  expect([visitor.page.url.pathname, visitor.page.url.search]).toEqual([NOT_ME, '']);
  expect(visitor.page.text).toContain(person.username);
  // Until it is confirmed, nothing has happened.
  await refresh();

  await visitor.submit();
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery-sent']);
  await expect(refresh()).rejects.toMatchObject({ error: 'invalid_grant' });
  await browser.visit('/account');
  expect(browser.page.step).toBe('identify');
  expect((await auditOf(vestibule, 'account.not_me')).at(-1)).toMatchObject({ accountId: expect.any(String) });

  await visitor.visit(linkIn(await mail.next(addressOf(person), /new password/), NEW_PASSWORD));
  await chooseNewPassword(visitor, NEW);
  expect(visitor.page.step).toBe('recovery-done');
  await browser.submit({ username: person.username });
  await browser.submit({ password: person.password });
  expect([browser.page.status, browser.page.step]).toEqual([400, 'password']);
});

test('a sign-in that the thief had not finished comes to nothing', async () => {
  const person = people.next('plain');
  await thief(person);
  const browser = new Visitor(vestibule);
  await browser.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
  await passPassword(browser, person);
  expect(browser.page.step).toBe('consent');
  await visitor.visit(await notMeLink(person));
  await visitor.submit();
  await browser.submit();
  expect(browser.page.location).toBeUndefined();
});

test('works once', async () => {
  const person = people.next('plain');
  await thief(person);
  const link = await notMeLink(person);
  const second = new Visitor(vestibule);
  await second.visit(link);
  await visitor.visit(link);
  await visitor.submit();
  await second.submit();
  expect([second.page.status, second.page.heading]).toEqual([400, 'This link has been used already']);
  await second.visit(link);
  expect(second.page.heading).toBe('This link has been used already');
  await mail.next(addressOf(person), /new password/);
  await nothingOwed(vestibule);
  expect(linksMailed(person)).toBe(1);
});

test('works days later, beside newer ones, and not for ever', async () => {
  const person = people.next('plain');
  await thief(person);
  const first = await notMeLink(person);
  await thief(person);
  const second = await notMeLink(person);
  await vestibule.advanceClock(6 * DAY);
  await visitor.visit(first);
  await visitor.submit();
  expect(visitor.page.step).toBe('recovery-sent');
  await vestibule.advanceClock(DAY + 1);
  await visitor.visit(second);
  expect([visitor.page.status, visitor.page.heading]).toEqual([400, 'This link has run out']);
});

test('opens nothing by being opened, as scanners do', async () => {
  const person = people.next('plain');
  const { refresh } = await thief(person);
  const link = await notMeLink(person);
  for (const method of ['GET', 'HEAD']) await call(vestibule, link.pathname + link.search, { method });
  await new Visitor(vestibule).visit(link);
  await refresh();
  await nothingOwed(vestibule);
  expect(linksMailed(person)).toBe(0);
});

test('is no link to a new password, nor the other way round', async () => {
  const person = people.next('plain');
  await thief(person);
  const { search } = await notMeLink(person);
  await visitor.visit(`${NEW_PASSWORD}${search}`);
  expect([visitor.page.status, visitor.page.heading]).toEqual([400, 'This link does not work']);
});

test('mails the link also where strangers asked for as many as an account gets', async () => {
  const person = people.next('plain');
  await thief(person);
  const link = await notMeLink(person);
  for (let times = 0; times < 4; times += 1) {
    const stranger = new Visitor(vestibule);
    await stranger.visit('/recovery/password');
    await stranger.submit({ username: person.username });
  }
  await nothingOwed(vestibule);
  expect(linksMailed(person)).toBe(3);
  await visitor.visit(link);
  await visitor.submit();
  await nothingOwed(vestibule);
  expect(linksMailed(person)).toBe(4);
});

test('speaks the person’s language in the mail', async () => {
  const person = people.next('german');
  await thief(person);
  await visitor.visit(await notMeLink(person));
  await visitor.submit();
  expect((await mail.next(addressOf(person), /neues Passwort/)).text).toMatch(/^Guten Tag/);
});

test('whose address nobody confirmed is told, and gets advice in the place of a link', async () => {
  const browser = new Visitor(vestibule);
  await browser.visit(await portal.authorizationUrl());
  await passPassword(browser, unverified);
  expect(errorAt(browser.left)).toBeNull();
  const { text, html } = await mail.next(unverified.email, /new device/);
  expect(text).toContain('change your password at once');
  expect(text + html).not.toContain('token=');
});
