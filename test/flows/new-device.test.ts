import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, MFA, nextCode, passPassword, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { auditOf, errorAt, signIn } from './arrange.ts';
import { addressOf, reachable } from './mails.ts';

const DAY = 86_400;
const WINDOWS =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {}, app: withApp }, 20);

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

/** A new sign-in in a browser that keeps its other cookies. */
async function signInAnew(person: Person, by = visitor): Promise<void> {
  by.cookies.clear('vestibule_session');
  await signIn(by, portal, {}, person);
  expect(errorAt(by.left)).toBeNull();
}
async function told(person: Person): Promise<number> {
  await nothingOwed(vestibule);
  return mail.to(addressOf(person)).filter(({ subject }) => subject.includes('new device')).length;
}

test('the first sign-in with a browser is told by mail, and recorded, the next ones are not', async () => {
  const person = people.next('plain');
  visitor.headers = { 'user-agent': WINDOWS };
  await signInAnew(person);
  const { text } = await mail.next(addressOf(person), /new device/);
  expect(text).toContain('Edge, Windows');
  expect(text).toContain(person.username);
  expect((await auditOf(vestibule, 'device.new')).at(-1)).toMatchObject({
    clientId: 'mutuelle',
    details: { device: 'Edge, Windows' },
  });
  await signInAnew(person);
  await vestibule.advanceClock(300 * DAY);
  await signInAnew(person);
  expect(await told(person)).toBe(1);
});

test('another browser is told, and so is another person in the same one', async () => {
  const [person, other] = [people.next('plain'), people.next('plain')];
  await signInAnew(person);
  await signInAnew(person, new Visitor(vestibule));
  expect(await told(person)).toBe(2);
  await signInAnew(other);
  expect(await told(other)).toBe(1);
  // Both are known there from now on.
  await signInAnew(person);
  await signInAnew(other);
  expect([await told(person), await told(other)]).toEqual([2, 1]);
});

test('a browser that signs out all others is no new one afterwards', async () => {
  const person = people.next('plain');
  await signInAnew(person);
  await visitor.visit('/account/password');
  await visitor.submit({
    current_password: person.password,
    new_password: 'salt-lantern-orbit-meadow',
    new_password_again: 'salt-lantern-orbit-meadow',
    sign_out_others: 'yes',
  });
  expect(visitor.page.text).toContain('Your password is changed.');
  await signInAnew({ ...person, password: 'salt-lantern-orbit-meadow' });
  expect(await told(person)).toBe(1);
});

test('a sign-in that did not get to its end is none', async () => {
  const person = people.next('app');
  await visitor.visit(await portal.authorizationUrl());
  await passPassword(visitor, person);
  expect(visitor.page.step).toBe('totp');
  expect(await told(person)).toBe(0);
  await visitor.submit({ code: await codeOf(vestibule) });
  expect(errorAt(visitor.left)).toBeNull();
  expect(await told(person)).toBe(1);
});

test('neither another portal nor a step-up in a session is a new device', async () => {
  const person = people.next('app');
  await visitor.visit(await portal.authorizationUrl());
  await passPassword(visitor, person);
  await visitor.submit({ code: await codeOf(vestibule) });
  await visitor.visit(await portal.authorizationUrl());
  expect(errorAt(visitor.left)).toBeNull();
  await nextCode(vestibule);
  await visitor.visit(await portal.authorizationUrl({ acr_values: MFA, max_age: '0' }));
  if (visitor.page.step === 'password') await visitor.submit({ password: person.password });
  await visitor.submit({ code: await codeOf(vestibule) });
  expect(errorAt(visitor.left)).toBeNull();
  expect(await told(person)).toBe(1);
});

test('a passkey on a new device is told as well', async () => {
  const person = people.next('plain');
  const first = new PasskeyBrowser(visitor, vestibule.issuer);
  await visitor.visit('/account/passkeys/add');
  await passPassword(visitor, person);
  await first.create();
  const elsewhere = new Visitor(vestibule);
  const second = new PasskeyBrowser(elsewhere, vestibule.issuer, first.device);
  await elsewhere.visit(await portal.authorizationUrl());
  await elsewhere.submit({ username: person.username });
  await second.use();
  expect(errorAt(elsewhere.left)).toBeNull();
  expect(await told(person)).toBe(2);
});

test('a browser that says strange things of itself adds nothing to the mail', async () => {
  const person = people.next('plain');
  visitor.headers = { 'user-agent': 'Call +41 900 000 000 now <b>http://evil.example</b>' };
  await signInAnew(person);
  const { text, html } = await mail.next(addressOf(person), /new device/);
  expect(text + html).not.toMatch(/900 000|evil/);
});

test('without a mail server nobody is told, then or later, and it is recorded all the same', async () => {
  const person = people.next('plain');
  const reload = async (settings: unknown) => {
    await vestibule.configure({ settings: { mail: settings } });
    const before = new Set(vestibule.logs);
    vestibule.signal('SIGHUP');
    await vestibule.logged('config.reloaded', (line) => !before.has(line));
  };
  const recorded = (await auditOf(vestibule, 'device.new')).length;
  await reload(null);
  try {
    await signInAnew(person);
    expect(await auditOf(vestibule, 'device.new')).toHaveLength(recorded + 1);
  } finally {
    await reload(mail.settings);
  }
  expect(await told(person)).toBe(0);
});
