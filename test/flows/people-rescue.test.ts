import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, nextCode, passPassword, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, errorAt, lockOut, signIn } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const QUARTER_HOUR = 900;
const NEW_PASSWORD = '/recovery/password/new';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, app: withApp }, 20);
const nowhere = { username: 'ben', password: 'a-demo-password-of-some-length' };

let mail: MailSink;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  mail = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [...reachable(people.everybody), nowhere],
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
  await vestibule.advanceClock(QUARTER_HOUR + 1);
});

const run = (...args: string[]) => vestibule.command(['people', ...args]);

/** A session and a refresh token of somebody. */
async function signedIn(person: Person) {
  await visitor.visit(await portal.authorizationUrl({ scope: 'openid offline_access', prompt: 'consent' }));
  await passPassword(visitor, person);
  if (visitor.page.step === 'totp') await visitor.submit({ code: await codeOf(vestibule) });
  await visitor.submit();
  const { refresh_token = '' } = await portal.exchange(visitor.left);
  return async () => {
    await expect(portal.refresh(refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
    await visitor.visit('/account');
    expect(visitor.page.step).toBe('identify');
  };
}

describe('people unlock', () => {
  test('ends a lock at once, and is recorded', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl());
    await lockOut(visitor, person.username);
    const { code, stdout } = await run('unlock', addressOf(person).toUpperCase(), '--json');
    const { id, locked } = JSON.parse(stdout);
    expect([code, locked]).toEqual([0, true]);
    expect((await auditOf(vestibule, 'people.unlocked')).at(-1)).toMatchObject({ accountId: id });
    const other = new Visitor(vestibule);
    await signIn(other, portal, {}, person);
    expect(errorAt(other.left)).toBeNull();
    // The first lock after that is a first one.
    const stranger = new Visitor(vestibule);
    await stranger.visit(await portal.authorizationUrl());
    await lockOut(stranger, person.username);
    expect(stranger.page.text).toContain('15 minutes');
  });

  test('lets the browser go on that showed the lock', async () => {
    const person = people.next('plain');
    await visitor.visit(await portal.authorizationUrl());
    await lockOut(visitor, person.username);
    expect((await run('unlock', person.username)).stdout).toBe(`${person.username} can try the password again.\n`);
    await visitor.visit(await portal.authorizationUrl());
    await passPassword(visitor, person);
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('says when there was nothing to end', async () => {
    const { username } = people.next('plain');
    const { code, stdout } = await run('unlock', username);
    expect([code, stdout]).toEqual([0, `${username} was not locked; failed tries so far are forgotten.\n`]);
  });

  test.each([
    [['unlock', 'nobody'], 1, 'nobody of the name nobody'],
    [['unlock'], 2, 'name one person'],
    [['unlock', 'a', 'b'], 2, 'name one person'],
  ])('%j is refused with the reason', async (args, code, reason) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(reason) });
  });
});

describe('people set-email', () => {
  const OTHER = 'somewhere-else@mail.example';
  const setEmail = (person: Person, address: string) =>
    run('set-email', person.username, address, '--verified-by', 'identity card at the desk');

  test('gives another address: both are told, the person is signed out, links mailed before are void', async () => {
    const person = people.next('plain');
    const expectOut = await signedIn(person);
    const asking = new Visitor(vestibule);
    await asking.visit('/recovery/password');
    await asking.submit({ username: person.username });
    const link = linkIn(await mail.next(addressOf(person), /new password/), NEW_PASSWORD);

    expect(await setEmail(person, OTHER)).toEqual({
      code: 0,
      stdout: `${person.username} has the address ${OTHER} now.\n`,
      stderr: '',
    });
    const [before, after] = [
      await mail.next(addressOf(person), /e-mail address of your account was changed/),
      await mail.next(OTHER, /e-mail address of your account was changed/),
    ];
    for (const { text } of [before, after]) expect(text).toContain(person.username);
    // Whoever has the old address is told, and can do nothing with it any more.
    expect(before.text + before.html).not.toContain('token=');
    linkIn(after, '/recovery/not-me');
    await expectOut();
    expect((await auditOf(vestibule, 'people.email_changed')).at(-1)).toMatchObject({
      accountId: expect.any(String),
      details: { verified_by: 'identity card at the desk' },
    });
    const old = new Visitor(vestibule);
    await old.visit(link);
    expect([old.page.status, old.page.heading]).toEqual([400, 'There is a newer link']);
    // The new address is where links go, and signs in; the old one is nobody's.
    await asking.visit('/recovery/password');
    await asking.submit({ username: OTHER });
    await mail.next(OTHER, /new password/);
    await asking.visit('/recovery/password');
    await asking.submit({ username: addressOf(person) });
    await nothingOwed(vestibule);
    expect(mail.to(addressOf(person)).filter(({ subject }) => subject.includes('new password'))).toHaveLength(1);
    const other = new Visitor(vestibule);
    await signIn(other, portal, {}, { ...person, username: OTHER });
    expect(errorAt(other.left)).toBeNull();
  });

  test('is refused where it is somebody else’s, and nothing is changed or told', async () => {
    const [person, other] = [people.next('plain'), people.next('plain')];
    await nothingOwed(vestibule);
    const count = mail.mails.length;
    const { code, stderr } = await setEmail(person, addressOf(other).toUpperCase());
    expect([code, stderr]).toEqual([1, expect.stringContaining('belongs to somebody else')]);
    await nothingOwed(vestibule);
    expect(mail.mails).toHaveLength(count);
  });

  test('somebody without an address gets one', async () => {
    expect(await setEmail(nowhere, 'ben@mail.example')).toMatchObject({ code: 0 });
    await mail.next('ben@mail.example', /e-mail address/);
    await visitor.visit('/recovery/password');
    await visitor.submit({ username: 'ben' });
    await mail.next('ben@mail.example', /new password/);
  });

  test.each([
    [['set-email', 'ben', 'x@mail.example'], 2, '--verified-by'],
    [['set-email', 'ben', '--verified-by', 'x'], 2, 'name one person and one address'],
    [['set-email', 'nobody', 'x@mail.example', '--verified-by', 'x'], 1, 'nobody of the name nobody'],
    [['set-email', 'ben', 'a@x.example, b@x.example', '--verified-by', 'x'], 1, 'not one plain e-mail address'],
    [['set-email', 'ben', 'Ben <a@x.example>', '--verified-by', 'x'], 1, 'not one plain e-mail address'],
  ])('%j is refused with the reason', async (args, code, reason) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(reason) });
  });
});

test('people reset-factors signs out everywhere, and the mail says what was done', async () => {
  const person = people.next('app');
  const expectOut = await signedIn(person);
  const { code, stdout } = await run('reset-factors', person.username, '--verified-by', 'telephone');
  expect([code, stdout]).toEqual([0, expect.stringContaining('A mail to the person is on its way.')]);
  await mail.next(addressOf(person), /How you sign in was reset/);
  await expectOut();
  await passPassword(visitor, person);
  expect(visitor.page.step).not.toBe('totp');
});

describe('people add', () => {
  test.each([
    ['short', 'shorter than'],
    ['1qaz2wsx3edc4rfv', 'much used'],
    ['petra-keller@mail.example', 'made of the username, address or name'],
    ['qwertyuiopasdfgh', 'easily guessed'],
  ])('refuses %j as a password, with the reason', async (password, reason) => {
    const args = ['people', 'add', 'petra-keller', '--email', 'petra-keller@mail.example', '--password-stdin'];
    const { code, stderr } = await vestibule.command(args, `${password}\n`);
    expect([code, stderr]).toEqual([1, expect.stringContaining(reason)]);
    expect((await run('unlock', 'petra-keller')).code).toBe(1);
  });
});
