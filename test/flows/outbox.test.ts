import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { crowd, passPassword } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { chooseNewPassword, owedMails, signIn, until } from './arrange.ts';
import { addressOf, metric, reachable, startForgetfulServer, startSilentServer } from './mails.ts';

const MINUTE = 60;
/** A mail is its worker's for a minute, and a mail server that was away is given a rest for as long at most. */
const LEASE = MINUTE;
const REST = MINUTE;
const RETRY = 3600;
const NEW = 'salt-lantern-orbit-meadow';

const mutuelle = clientFile('mutuelle');
const people = crowd({ plain: {} }, 20);

let port: number;
let vestibule: Vestibule;
let portal: Portal;
let mail: MailSink | undefined;

beforeAll(async () => {
  port = await freePort();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: reachable(people.everybody),
    settings: {
      mail: { host: '127.0.0.1', port, tls: 'none', from: 'no-reply@vestibule.test' },
      passkeys: { offer: { enabled: false } },
    },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => vestibule.advanceClock(16 * MINUTE));
afterEach(async () => {
  await mail?.close();
  mail = undefined;
});

const waiting = () => metric(vestibule, 'vestibule_outbox_mails{state="waiting"}');
const dead = () => metric(vestibule, 'vestibule_outbox_mails{state="dead"}');

/** Somebody asks for a link. @returns the Message-ID that its mail is going to have */
async function ask({ username }: Person): Promise<string> {
  const visitor = new Visitor(vestibule);
  const earlier = await owedMails(vestibule);
  await visitor.visit('/recovery/password');
  await visitor.submit({ username });
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery-sent']);
  const [id] = (await owedMails(vestibule)).filter((each) => !earlier.includes(each));
  return `<${id}@localhost>`;
}

/** Message-IDs of what somebody got. */
const idsOf = (person: Person): readonly string[] =>
  mail?.to(addressOf(person)).map(({ messageId }) => messageId) ?? [];

/** Waits for what is said in the log from now on. */
function loggedFromNow(event: string): Promise<unknown> {
  const before = new Set(vestibule.logs);
  return vestibule.logged(event, (line) => !before.has(line));
}

test('a mail server that is away: the mail comes when it is back, once, and its link works', async () => {
  const person = people.next('plain');
  const postponed = loggedFromNow('mail.postponed');
  const id = await ask(person);
  expect(await postponed).toMatchObject({ level: 'warn', kind: 'recovery', reason: expect.stringContaining('ECONN') });
  expect(await waiting()).toBe(1);

  mail = await startMailSink({ port });
  await vestibule.advanceClock(REST + 1);
  const letter = await mail.next(addressOf(person));
  expect(letter.messageId).toBe(id);
  await nothingOwed(vestibule);
  expect(idsOf(person)).toEqual([id]);
  // Composed when it was sent: what was owed for long is good for as long as any other.
  const visitor = new Visitor(vestibule);
  await visitor.visit(linkIn(letter, '/recovery/password/new'));
  await chooseNewPassword(visitor, NEW);
  expect(visitor.page.step).toBe('recovery-done');
  await nothingOwed(vestibule);
});

test('the server is killed between commit and send: after its restart the mail is sent, exactly once', async () => {
  const person = people.next('plain');
  const id = await ask(person);
  await vestibule.kill();
  mail = await startMailSink({ port });
  await vestibule.advanceClock(LEASE + 1);
  await vestibule.restart();
  await mail.next(addressOf(person));
  await nothingOwed(vestibule);
  // Nor later.
  await vestibule.advanceClock(RETRY);
  await nothingOwed(vestibule);
  expect(idsOf(person)).toEqual([id]);
});

test('the server is killed while it sends: the same', async () => {
  const person = people.next('plain');
  const silent = await startSilentServer(port);
  const id = await ask(person);
  await silent.called();
  await vestibule.kill();
  await silent.close();
  mail = await startMailSink({ port });
  await vestibule.advanceClock(LEASE + 1);
  await vestibule.restart();
  await mail.next(addressOf(person));
  await nothingOwed(vestibule);
  expect(idsOf(person)).toEqual([id]);
});

test('a notice is owed from the moment of what it tells of: a kill loses neither or both', async () => {
  const person = people.next('plain');
  const visitor = new Visitor(vestibule);
  await visitor.visit('/account/password');
  await passPassword(visitor, person);
  await visitor.submit({ current_password: person.password, new_password: NEW, new_password_again: NEW });
  expect(visitor.page.text).toContain('Your password is changed.');
  await vestibule.kill();
  mail = await startMailSink({ port });
  await vestibule.advanceClock(LEASE + 1);
  await vestibule.restart();
  await signIn(new Visitor(vestibule), portal, {}, { ...person, password: NEW });
  await mail.next(addressOf(person), /password of your account was changed/);
  await nothingOwed(vestibule);
  const subjects = mail.to(addressOf(person)).map(({ subject }) => subject);
  expect(subjects.filter((subject) => subject.includes('password'))).toHaveLength(1);
});

test('a mail that has to be sent twice is the same one, with a link that works', async () => {
  const person = people.next('plain');
  const forgetful = await startForgetfulServer(port);
  try {
    await vestibule.advanceClock(REST + 1);
    const postponed = loggedFromNow('mail.postponed');
    const id = await ask(person);
    await postponed;
    await vestibule.advanceClock(RETRY);
    await nothingOwed(vestibule);
    expect(forgetful.taken.map(({ messageId }) => messageId)).toEqual([id, id]);
    const [first, second] = forgetful.taken.map(({ text }) => /http\S+/.exec(text)?.[0]);
    expect(first).toBe(second);
    const visitor = new Visitor(vestibule);
    await visitor.visit(String(first));
    await chooseNewPassword(visitor, NEW);
    expect(visitor.page.step).toBe('recovery-done');
  } finally {
    await forgetful.close();
  }
});

test('a reload takes another mail server into use, for what waits as well', async () => {
  const person = people.next('plain');
  const reload = async (mailPort: number) => {
    await vestibule.configure({ settings: { mail: { port: mailPort } } });
    const reloaded = loggedFromNow('config.reloaded');
    vestibule.signal('SIGHUP');
    await reloaded;
  };
  const id = await ask(person);
  mail = await startMailSink();
  await reload(mail.port);
  try {
    await vestibule.advanceClock(REST + 1);
    expect((await mail.next(addressOf(person))).messageId).toBe(id);
    await nothingOwed(vestibule);
    expect(idsOf(person)).toEqual([id]);
  } finally {
    await reload(port);
  }
});

test('the server is restarted in order while a mail waits: nothing is lost', async () => {
  const person = people.next('plain');
  const id = await ask(person);
  await vestibule.restart();
  mail = await startMailSink({ port });
  await vestibule.advanceClock(REST + 1);
  expect((await mail.next(addressOf(person))).messageId).toBe(id);
});

test('an address that the mail server refuses is given up, counted, and in nobody’s way', async () => {
  const [gone, person] = [people.next('plain'), people.next('plain')];
  mail = await startMailSink({ port, refuse: (address) => (address === addressOf(gone) ? 550 : undefined) });
  await vestibule.advanceClock(REST + 1);
  const before = await dead();
  const buried = loggedFromNow('mail.dead');
  await ask(gone);
  expect(await buried).toMatchObject({ level: 'error', kind: 'recovery', reason: expect.stringContaining('550') });
  expect(JSON.stringify(await buried)).not.toContain(gone.username);
  expect([await dead(), await waiting()]).toEqual([before + 1, 0]);
  await ask(person);
  await mail.next(addressOf(person));
  expect(await metric(vestibule, 'vestibule_mails_total{kind="recovery",outcome="dead"}')).toBeGreaterThanOrEqual(1);
});

test('a mail server that wants to be asked again (greylisting) is asked again', async () => {
  const [grey, person] = [people.next('plain'), people.next('plain')];
  let asked = 0;
  mail = await startMailSink({
    port,
    refuse: (address) => (address === addressOf(grey) && asked++ < 2 ? 451 : undefined),
  });
  await vestibule.advanceClock(REST + 1);
  const postponed = loggedFromNow('mail.postponed');
  await ask(grey);
  await postponed;
  await ask(person);
  await mail.next(addressOf(person));
  await vestibule.advanceClock(RETRY);
  await until(
    () => asked === 2,
    () => 'it was not asked again',
  );
  await vestibule.advanceClock(RETRY);
  await mail.next(addressOf(grey));
  await nothingOwed(vestibule);
  expect([idsOf(grey).length, idsOf(person).length]).toEqual([1, 1]);
});

test('one that never answers delays no sign-in and no answer', async () => {
  const [first, person] = [people.next('plain'), people.next('plain')];
  await vestibule.advanceClock(REST + 1);
  const silent = await startSilentServer(port);
  try {
    await ask(first);
    await silent.called();
    const before = performance.now();
    await signIn(new Visitor(vestibule), portal, {}, person);
    await ask(person);
    // It would keep a connection for fifteen seconds.
    expect(performance.now() - before).toBeLessThan(5000);
    expect(await waiting()).toBeGreaterThanOrEqual(3);
  } finally {
    await vestibule.kill();
    await silent.close();
  }
  mail = await startMailSink({ port });
  await vestibule.advanceClock(LEASE + 1);
  await vestibule.restart();
  await mail.next(addressOf(first));
  await mail.next(addressOf(person), /new password/);
  await mail.next(addressOf(person), /new device/);
});
