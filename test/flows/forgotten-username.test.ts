import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { sentenceOf } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { addressOf } from './mails.ts';

const QUARTER_HOUR = 900;
const password = 'a-demo-password-of-some-length';
const mutuelle = clientFile('mutuelle');
const anna = { username: 'anna-m-1987', password, email: 'anna@mail.example', emailVerified: true };
const unverified = { username: 'ben', password, email: addressOf({ username: 'ben' }) };

let mail: MailSink;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  mail = await startMailSink();
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [anna, unverified],
    settings: {
      mail: mail.settings,
      branding: { support_contact: { en: 'the desk, 021 000 00 00', fr: 'le guichet, 021 000 00 00' } },
    },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await mail?.close();
});
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await vestibule.advanceClock(QUARTER_HOUR + 1);
});

/** Takes other settings into use, for the rest of the file unless `over` says so again. */
async function configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
  await vestibule.configure({ settings });
  const before = new Set(vestibule.logs);
  vestibule.signal('SIGHUP');
  await vestibule.logged('config.reloaded', (line) => !before.has(line));
}

async function open(): Promise<void> {
  await visitor.visit(await portal.authorizationUrl());
  await visitor.choose('recovery');
  await visitor.choose('forgot-username');
}

test('usually the page names who helps, in the person’s language and the portal’s name, and asks for nothing', async () => {
  await configure({ mail: mail.settings, recovery: { mail_usernames: false } });
  visitor.headers = { 'accept-language': 'fr' };
  await open();
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery-username']);
  expect(visitor.page.text).toContain('le guichet, 021 000 00 00');
  expect(visitor.page.body).toContain('Portal mutuelle');
  expect(visitor.page.forms.flatMap(({ names }) => names)).not.toContain('email');
  await visitor.choose('cancel');
  expect(visitor.page.step).toBe('identify');
});

test('where it is configured, the usernames of an address are mailed to it', async () => {
  await configure({ mail: mail.settings, recovery: { mail_usernames: true } });
  await open();
  await visitor.submit({ email: ' Anna@Mail.example ' });
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'recovery-sent']);
  const letter = await mail.next(anna.email, /usernames at Portal mutuelle/);
  expect(letter.recipients).toEqual([anna.email]);
  expect(letter.text).toContain(anna.username);
  expect(letter.html).toContain(anna.username);
  // Nothing in it lets anybody in.
  expect(letter.text).not.toContain('token=');
});

test.each(['nobody@mail.example', unverified.email])(
  '%s gets no mail, and whoever asks the same answer',
  async (email) => {
    await configure({ mail: mail.settings, recovery: { mail_usernames: true } });
    const answers = [];
    for (const asked of [anna.email, email]) {
      const by = new Visitor(vestibule);
      await by.visit('/recovery/username');
      await by.submit({ email: asked });
      answers.push([by.page.status, by.page.url.href, by.page.text]);
    }
    expect(answers[0]).toEqual(answers[1]);
    await mail.next(anna.email, /usernames/);
    await nothingOwed(vestibule);
    expect(mail.to(email)).toEqual([]);
  },
);

test.each([
  ['', 'email_required'],
  ['anna', 'email_invalid'],
  ['anna@mail.example, eve@mail.example', 'email_invalid'],
])('%j is asked for again', async (email, problem) => {
  await configure({ mail: mail.settings, recovery: { mail_usernames: true } });
  await visitor.visit('/recovery/username');
  await visitor.submit({ email });
  expect([visitor.page.status, visitor.page.step]).toEqual([400, 'recovery-username']);
  expect(visitor.page.error).toMatch(sentenceOf(problem));
});

test('without a mail server, every way leads to who helps', async () => {
  await configure({ mail: null, recovery: { mail_usernames: true } });
  for (const way of ['forgot-username', 'forgot-password']) {
    await visitor.visit('/recovery');
    await visitor.choose(way);
    expect([visitor.page.status, visitor.page.text]).toEqual([200, expect.stringContaining('the desk, 021 000 00 00')]);
    expect(visitor.page.forms.flatMap(({ names }) => names)).not.toContain('username');
  }
});

test('without a mail server, a lock offers no link that would never come', async () => {
  await configure({ mail: null });
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username: 'ben' });
  for (let wrong = 0; wrong < 5; wrong += 1) await visitor.submit({ password: `wrong-password-number-${wrong}` });
  expect(visitor.page.step).toBe('locked');
  expect(visitor.page.text).not.toMatch(/we send a link/);
  expect(visitor.page.forms.flatMap(({ buttons }) => buttons.map(({ id }) => id))).not.toContain('continue');
});
