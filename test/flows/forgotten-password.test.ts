import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, keyOn, MFA, nextCode, passPassword, sentenceOf, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, call, chooseNewPassword, errorAt, signIn } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const MINUTE = 60;
/** Where the link of the mail leads. */
const LINK = '/recovery/password/new';
const NEW = 'salt-lantern-orbit-meadow';

const mutuelle = clientFile('mutuelle', { client_uri: 'https://mutuelle.example/' });
const people = crowd({ plain: {}, app: withApp, german: { profile: { locale: 'de-CH' } } });

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
      { username: 'unverified', password: 'a-demo-password-of-some-length', email: 'unverified@mail.example' },
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
  // Requests are counted for a quarter of an hour, and everybody here comes from one address.
  await vestibule.advanceClock(16 * MINUTE);
});

/** From the first page to the request for a link. */
async function ask(username: string, by = visitor): Promise<void> {
  await by.visit(await portal.authorizationUrl());
  await by.choose('recovery');
  await by.choose('forgot-password');
  await by.submit({ username });
}

/** The link of the next mail to somebody who asked for one. */
async function linkFor(person: Person, by = visitor): Promise<URL> {
  await ask(person.username, by);
  return linkIn(await mail.next(addressOf(person), /new password/), LINK);
}

describe('from the first page', () => {
  test('Can’t sign in → username → mail → new password → back at the portal with tokens', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl());
    await visitor.choose('recovery');
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery']);
    expect(visitor.page.text).toContain('Portal mutuelle');
    expect([...visitor.page.alternatives.keys()]).toEqual(
      expect.arrayContaining(['forgot-password', 'forgot-username']),
    );
    await visitor.choose('forgot-password');
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery-password']);
    await visitor.submit({ username: '   ' });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'recovery-password']);
    expect(visitor.page.error).toMatch(sentenceOf('username_required'));
    // Any spelling, and the address as well as the name.
    await visitor.submit({ username: ` ${addressOf(person).toUpperCase()} ` });
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery-sent']);

    const letter = await mail.next(addressOf(person));
    expect(letter.from).toBe('"Portal mutuelle" <no-reply@sink.example>');
    expect(letter.text).toContain(person.username);
    expect(letter.text).toContain('30 minutes');
    const link = linkIn(letter, LINK);
    expect(link.href).toMatch(new RegExp(`^${vestibule.issuer}/recovery/password/new\\?token=[\\w-]{43}$`));
    expect(letter.html).toContain(`href="${link.href}"`);

    await visitor.visit(link);
    expect([visitor.page.step, visitor.page.url.pathname, visitor.page.url.search]).toEqual([
      'change-password',
      '/recovery/password/new',
      '',
    ]);
    await chooseNewPassword(visitor, NEW);
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd'] });
    await mail.next(addressOf(person), /password of your account was changed/);
    expect((await auditOf(vestibule, 'password.reset')).at(-1)).toMatchObject({ accountId: expect.any(String) });
    // The link is spent, also where its cookie still is.
    await visitor.visit(link);
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(visitor.page.heading).toBe('This link has been used already');
    expect(visitor.page.links.some(({ url }) => url.pathname === '/recovery/password')).toBe(true);
  });

  test('goes on to the app, and two factors are two', async () => {
    const person = people.next('app');
    const link = await linkFor(person);
    await visitor.visit(link);
    await chooseNewPassword(visitor, NEW);
    expect(visitor.page.step).toBe('totp');
    await visitor.submit({ code: await codeOf(vestibule) });
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test.each(['nobody-here', 'nobody@mail.example', 'unverified'])('%s: the same answer, and no mail', async (name) => {
    const person = people.next('plain');
    await ask(person.username);
    const known = [visitor.page.status, visitor.page.text, visitor.page.url.pathname];
    await mail.next(addressOf(person));
    await nothingOwed(vestibule);
    const count = mail.mails.length;
    const other = new Visitor(vestibule);
    await ask(name, other);
    expect([other.page.status, other.page.text, other.page.url.pathname]).toEqual(known);
    await nothingOwed(vestibule);
    expect(mail.mails).toHaveLength(count);
  });

  test('who remembers after all goes back and signs in', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl());
    await visitor.submit({ username: person.username });
    await visitor.choose('recovery');
    const back = visitor.page.links.find(({ url }) => url.pathname.startsWith('/interaction/'));
    await visitor.visit(back?.url ?? '/');
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('a portal may demand more than the password: the app is set up on the way', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl({ acr_values: MFA }));
    await visitor.choose('recovery');
    await visitor.choose('forgot-password');
    await visitor.submit({ username: person.username });
    await visitor.visit(linkIn(await mail.next(addressOf(person), /new password/), LINK));
    await chooseNewPassword(visitor, NEW);
    expect(visitor.page.step).toBe('enrol-totp');
    await visitor.submit({ code: await codeOf(vestibule, keyOn(visitor.page)) });
    expect(visitor.page.step).toBe('recovery-codes');
    await visitor.submit({ kept: 'yes' });
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('without a portal it ends where it says that the password is changed', async () => {
    const person = people.next('plain');
    await visitor.visit('/recovery');
    await visitor.choose('forgot-password');
    await visitor.submit({ username: person.username });
    await visitor.visit(linkIn(await mail.next(addressOf(person)), LINK));
    await chooseNewPassword(visitor, NEW);
    expect([visitor.page.step, visitor.page.url.pathname]).toEqual(['recovery-done', '/recovery/password/done']);
    expect(visitor.page.links.some(({ text }) => text.includes('mutuelle'))).toBe(false);
  });
});

describe('a portal’s sign-in that can’t be gone on with', () => {
  const expectDone = (by: Visitor) => {
    expect([by.page.status, by.page.step]).toEqual([200, 'recovery-done']);
    expect(by.page.links.map(({ url }) => url.href)).toContain('https://mutuelle.example/');
  };

  test.each(['named', 'not yet named'])(
    'was given up meanwhile, the person %s: a button to the portal',
    async (how) => {
      const person = people.next('plain');
      await visitor.visit(await portal.authorizationUrl());
      if (how === 'named') await visitor.submit({ username: person.username });
      const { url } = visitor.page;
      await visitor.choose('recovery');
      await visitor.choose('forgot-password');
      await visitor.submit({ username: person.username });
      const link = linkIn(await mail.next(addressOf(person)), LINK);
      await visitor.visit(url);
      await visitor.choose('cancel');
      expect(errorAt(visitor.left)).toBe('access_denied');
      await visitor.visit(link);
      await chooseNewPassword(visitor, NEW);
      expectDone(visitor);
    },
  );

  test('ran out meanwhile: a button to the portal', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl());
    const { url } = visitor.page;
    await vestibule.advanceClock(50 * MINUTE);
    await visitor.choose('recovery');
    await visitor.choose('forgot-password');
    await visitor.submit({ username: person.username });
    const link = linkIn(await mail.next(addressOf(person)), LINK);
    await vestibule.advanceClock(20 * MINUTE);
    await visitor.visit(link);
    await chooseNewPassword(visitor, NEW);
    expectDone(visitor);
    await visitor.visit(url);
    expect(visitor.page.status).toBe(400);
  });

  test('was of somebody signed in, whose session ends with the reset: a button to the portal', async () => {
    const person = people.next('plain');
    await signIn(visitor, portal, {}, person);
    await vestibule.advanceClock(MINUTE);
    await visitor.visit(await portal.authorizationUrl({ max_age: '1' }));
    expect(visitor.page.step).toBe('password');
    await visitor.choose('recovery');
    await visitor.choose('forgot-password');
    await visitor.submit({ username: person.username });
    await visitor.visit(linkIn(await mail.next(addressOf(person), /new password/), LINK));
    await chooseNewPassword(visitor, NEW);
    expectDone(visitor);
    await visitor.visit(await portal.authorizationUrl());
    await passPassword(visitor, { ...person, password: NEW });
    expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd'] });
  });

  test('is of another browser: that one is not signed in, this one neither', async () => {
    const person = people.next('plain');
    const link = await linkFor(person);
    const phone = new Visitor(vestibule);
    await phone.visit(link);
    expect(phone.page.text).toContain('Portal mutuelle');
    await chooseNewPassword(phone, NEW);
    expectDone(phone);
    await phone.visit('/account');
    expect(phone.page.step).toBe('identify');

    await visitor.visit(`/interaction/${visitor.page.url.searchParams.get('interaction')}`);
    expect(visitor.page.step).toBe('identify');
    await passPassword(visitor, { ...person, password: NEW });
    expect(errorAt(visitor.left)).toBeNull();
  });
});

describe('a link', () => {
  test('is superseded by the next one', async () => {
    const person = people.next('plain');
    const first = await linkFor(person);
    const second = await linkFor(person);
    await visitor.visit(first);
    expect([visitor.page.status, visitor.page.heading]).toEqual([400, 'There is a newer link']);
    await visitor.visit(second);
    await chooseNewPassword(visitor, NEW);
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('works for half an hour, and a page opened in time does not prolong it', async () => {
    const person = people.next('plain');
    const link = await linkFor(person);
    await vestibule.advanceClock(29 * MINUTE);
    await visitor.visit(link);
    expect(visitor.page.step).toBe('change-password');
    await vestibule.advanceClock(MINUTE + 1);
    await chooseNewPassword(visitor, NEW);
    expect([visitor.page.status, visitor.page.heading]).toEqual([400, 'This link has run out']);
    await visitor.visit(link);
    expect(visitor.page.heading).toBe('This link has run out');
    await visitor.visit(visitor.page.links.find(({ url }) => url.pathname === '/recovery/password')?.url ?? '/');
    expect(visitor.page.step).toBe('recovery-password');
    await signIn(new Visitor(vestibule), portal, {}, person);
  });

  test('is not used up by being opened, however often and by whomever', async () => {
    const person = people.next('plain');
    const link = await linkFor(person);
    for (const method of ['GET', 'HEAD', 'GET'])
      expect((await call(vestibule, link.pathname + link.search, { method })).status).toBe(303);
    await new Visitor(vestibule).visit(link);
    await visitor.visit(link);
    await visitor.visit('/recovery/password/new');
    await chooseNewPassword(visitor, NEW);
    expect(errorAt(visitor.left)).toBeNull();
  });

  test.each([
    ['cut off', (link: URL) => link.href.slice(0, -3)],
    ['without its token', (link: URL) => link.href.split('?')[0] ?? ''],
    ['made up', () => `/recovery/password/new?token=${'a'.repeat(43)}`],
  ])('%s does not work, and says what to do', async (_how, damage) => {
    const link = await linkFor(people.next('plain'));
    const stranger = new Visitor(vestibule);
    await stranger.visit(damage(link));
    expect([stranger.page.status, stranger.page.heading]).toEqual([400, 'This link does not work']);
    expect(stranger.page.links.some(({ url }) => url.pathname === '/recovery/password')).toBe(true);
  });
});

describe('a new password', () => {
  test.each([
    ['', '', 'new_password_required'],
    [NEW, `${NEW}s`, 'passwords_differ'],
    ['too-short-14-ch', 'too-short-14-c', 'passwords_differ'],
    ['umbra-tile-fog', 'umbra-tile-fog', 'password_too_short'],
    ['1qaz2wsx3edc4rfv', '1qaz2wsx3edc4rfv', 'password_common'],
    ['mail.example.plain', 'mail.example.plain', 'password_personal'],
    ['123456789012345', '123456789012345', 'password_guessable'],
    [`${'x'.repeat(257)}`, `${'x'.repeat(257)}`, 'password_too_long'],
  ])('%j, %j: %s; the link is not used up', async (new_password, new_password_again, problem) => {
    const person = people.next('plain');
    await visitor.visit(await linkFor(person));
    await visitor.submit({ new_password, new_password_again });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'change-password']);
    expect(visitor.page.error).toMatch(sentenceOf(problem));
    await chooseNewPassword(visitor, NEW);
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('may be shorter where there is an app: eight characters', async () => {
    await visitor.visit(await linkFor(people.next('app')));
    await chooseNewPassword(visitor, 'gz7-kpw');
    expect(visitor.page.error).toContain('8 characters');
    await chooseNewPassword(visitor, 'gz7-kpwf');
    expect(visitor.page.step).toBe('totp');
  });

  test('ends every session, token and sign-in that was begun with the old one', async () => {
    const person = people.next('plain');
    const old = new Visitor(vestibule);
    await old.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
    await passPassword(old, person);
    await old.submit();
    const tokens = await portal.exchange(old.left);
    await visitor.visit(await linkFor(person));
    await chooseNewPassword(visitor, NEW);
    await expect(portal.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(portal.userinfo(tokens.access_token)).rejects.toThrow();
    await old.visit(await portal.authorizationUrl());
    expect(old.page.step).toBe('identify');
  });
});

describe('the mail’s language', () => {
  test('is the person’s own', async () => {
    const person = people.next('german');
    await ask(person.username);
    const { subject } = await mail.next(addressOf(person));
    expect(subject).toMatch(/Passwort/);
  });

  test('is that of the page for whoever has set none', async () => {
    const person = people.next('plain');
    visitor.headers = { 'accept-language': 'fr-CH,fr;q=0.9' };
    await ask(person.username);
    const { subject, text } = await mail.next(addressOf(person));
    expect(subject).toMatch(/mot de passe/i);
    expect(text).toMatch(/^Bonjour/);
  });

  test('is the one chosen on a page, before the browser’s', async () => {
    const person = people.next('plain');
    visitor.headers = { 'accept-language': 'fr-CH,fr;q=0.9' };
    await visitor.visit(await portal.authorizationUrl());
    await visitor.visit(`${visitor.page.url}?lang=it`);
    await visitor.choose('recovery');
    await visitor.choose('forgot-password');
    await visitor.submit({ username: person.username });
    expect((await mail.next(addressOf(person))).text).toMatch(/^Buongiorno/);
  });
});
