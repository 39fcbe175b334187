import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Mailbox, startMailbox } from '../../examples/mailbox/index.ts';
import { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { freePort } from '../support/ports.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const password = 'a-demo-password-of-some-length';
const anna = {
  username: 'anna',
  password,
  email: 'anna@example.org',
  emailVerified: true,
  profile: { name: 'Anna <b>Muster</b>', locale: 'de-CH', zoneinfo: 'Europe/Zurich' },
} satisfies Person;
/** One for each test that changes somebody. */
const clara = { username: 'clara', password, email: 'clara@example.org', profile: { locale: 'de' } } satisfies Person;
const dora = { username: 'dora', password, email: 'dora@example.org' } satisfies Person;
const nobodysMail = { username: 'ben', password } satisfies Person;

let mailbox: Mailbox;
let vestibule: Vestibule;

beforeAll(async () => {
  mailbox = await startMailbox({ port: await freePort(), smtpPort: await freePort(), log: () => {} });
  vestibule = await startVestibule({
    people: [anna, clara, dora, nobodysMail],
    settings: {
      branding: { name: 'Caisse du Lac' },
      mail: { host: 'localhost', port: mailbox.smtpPort, tls: 'none', from: 'no-reply@caisse.test' },
    },
  });
});
afterAll(async () => {
  await vestibule?.stop();
  await mailbox?.close();
});

const mails = async (): Promise<Mail[]> => (await fetch(`${mailbox.url}/messages.json`)).json() as Promise<Mail[]>;

/** The server hands mails over after its answer, and says so in the log. */
async function mailOf(account: unknown, notice: string): Promise<Mail | undefined> {
  await vestibule.logged('mail.sent', (line) => line.notice === notice && line.account === account);
  return (await mails()).find(({ to, subject }) => to === anna.email && subject.includes(WORDS[notice] ?? ''));
}

const WORDS: Readonly<Record<string, string>> = {
  passkey_added: 'hinzugefügt',
  passkey_removed: 'entfernt',
};

async function addPasskey(username: string) {
  const earlier = new Set(vestibule.logs);
  const visitor = new Visitor(vestibule);
  const device = new SoftwareAuthenticator({
    origin: vestibule.issuer,
    aaguid: 'd548826e-79b4-db40-a3d8-11116f7e8349',
  });
  const browser = new PasskeyBrowser(visitor, vestibule.issuer, device);
  await visitor.visit('/account/passkeys/add');
  await visitor.submit({ username });
  await visitor.submit({ password });
  if (visitor.page.step === 'offer-passkey') await visitor.choose('skip');
  await browser.create();
  expect(visitor.page.step).toBe('account-passkey-name');
  const { account } = await vestibule.logged('passkey.added', (line) => !earlier.has(line));
  return { visitor, browser, account, id: String(device.credentials[0]?.id) };
}

test('who adds and removes a passkey is told so, in their language and as plain text', async () => {
  const { visitor, browser, id, account } = await addPasskey('anna');
  const added = await mailOf(account, 'passkey_added');
  expect(added).toMatchObject({ to: 'anna@example.org', subject: 'Ihrem Konto wurde ein Passkey hinzugefügt' });
  // Swiss quotation marks, and nothing of a name is markup.
  expect(added?.text).toContain('Der Passkey «Bitwarden» wurde dem Konto anna bei Caisse du Lac hinzugefügt.');
  expect(added?.text).toContain('Guten Tag Anna <b>Muster</b>,');
  expect(added?.html).toContain('Anna &lt;b&gt;Muster&lt;/b&gt;');
  expect(added?.html).not.toContain('<b>');

  await visitor.visit(`/account/passkeys/${id}/delete`);
  await browser.use();
  await visitor.submit();
  expect((await mailOf(account, 'passkey_removed'))?.text).toContain('«Bitwarden»');
});

test('whom nobody can write to is not in the way of anything', async () => {
  const before = (await mails()).length;
  await addPasskey('ben');
  expect(await mails()).toHaveLength(before);
});

test('a mail server that does not answer delays no sign-in, and is named in the log', async () => {
  await vestibule.configure({ settings: { mail: { port: await freePort() } } });
  await vestibule.restart();
  try {
    await addPasskey('dora');
    expect(await vestibule.logged('mail.failed')).toMatchObject({ notice: 'passkey_added' });
  } finally {
    await vestibule.configure({ settings: { mail: { port: mailbox.smtpPort } } });
    await vestibule.restart();
  }
});

test('an operator removes the passkeys of somebody who lost them; it is recorded and mailed', async () => {
  await addPasskey('clara');
  const { code, stdout } = await vestibule.command([
    'people',
    'reset-factors',
    'Clara@example.org',
    '--verified-by',
    'identity card at the desk',
    '--json',
  ]);
  expect([code, JSON.parse(stdout)]).toEqual([0, { id: expect.any(String), removed: ['passkey'], told: 'told' }]);
  const told = (await mails()).find(({ subject }) => subject.includes('zurückgesetzt'));
  expect(told).toMatchObject({ to: 'clara@example.org', text: expect.stringContaining('Caisse du Lac') });

  const visitor = new Visitor(vestibule);
  new PasskeyBrowser(visitor, vestibule.issuer);
  await visitor.visit('/account/passkeys');
  await visitor.submit({ username: 'clara' });
  expect(visitor.page.step).toBe('password');

  const again = await vestibule.command(['people', 'reset-factors', 'clara', '--verified-by', 'telephone']);
  expect(again).toMatchObject({ code: 0, stdout: 'clara has nothing to reset.\n' });
});

test.each([
  [['people', 'reset-factors', 'anna'], 2, '--verified-by'],
  [['people', 'reset-factors'], 2, 'name one person'],
  [['people', 'reset-factors', 'nobody', '--verified-by', 'x'], 1, 'nobody of the name nobody'],
])('%j is refused with the reason', async (args, code, reason) => {
  const result = await vestibule.command(args);
  expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(reason)]);
});
