import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { crowd, passPassword, sentenceOf } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

const HOME = '/account/password';
const STOLEN = 'salt-lantern-orbit-meadow';
const UNHEARD_OF = 'gravel-minuet-sorbet-lynx';
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();

const people = crowd({ plain: {} }, 20);
let answers: () => { status: number; body: string };
const asked: { url: string; padding: string }[] = [];
let rangeApi: Server;
let vestibule: Vestibule;
let visitor: Visitor;

const known = () => ({ status: 200, body: `${'0'.repeat(35)}:0\r\n${sha1(STOLEN).slice(5)}:42\r\n` });
const broken = () => ({ status: 503, body: 'later' });

beforeAll(async () => {
  rangeApi = createServer((request, response) => {
    asked.push({ url: request.url ?? '', padding: String(request.headers['add-padding']) });
    const { status, body } = answers();
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
  });
  await new Promise<void>((done) => rangeApi.listen(0, '127.0.0.1', done));
  vestibule = await startVestibule({ people: people.everybody, settings: settingsOf('accept') });
});
afterAll(async () => {
  await vestibule?.stop();
  rangeApi.close();
});
beforeEach(() => {
  visitor = new Visitor(vestibule);
  asked.length = 0;
  answers = known;
});

const settingsOf = (on_failure: 'accept' | 'refuse') => ({
  passwords: {
    breach_lookup: { url: `http://127.0.0.1:${(rangeApi.address() as AddressInfo).port}/range`, on_failure },
  },
  passkeys: { offer: { enabled: false } },
});

async function change(person: Person, password: string): Promise<void> {
  await visitor.visit(HOME);
  if (visitor.page.step === 'identify') await passPassword(visitor, person);
  await visitor.submit({
    current_password: person.password,
    new_password: password,
    new_password_again: password,
  });
}

test('a password of a data breach is refused; five digits of its hash leave the server, and nothing else', async () => {
  const person = people.next('plain');
  await change(person, STOLEN);
  expect([visitor.page.status, visitor.page.step]).toEqual([400, 'change-password']);
  expect(visitor.page.error).toMatch(sentenceOf('password_breached'));
  expect(asked).toEqual([{ url: `/range/${sha1(STOLEN).slice(0, 5)}`, padding: 'true' }]);
  await change(person, UNHEARD_OF);
  expect(visitor.page.text).toContain('Your password is changed.');
});

test('what is refused anyway is not asked about', async () => {
  await change(people.next('plain'), '1qaz2wsx3edc4rfv');
  expect(visitor.page.error).toMatch(sentenceOf('password_common'));
  expect(asked).toEqual([]);
});

test('without an answer the password is taken, or refused, as the operator wants; nothing of it is logged', async () => {
  answers = broken;
  await change(people.next('plain'), STOLEN);
  expect(visitor.page.text).toContain('Your password is changed.');
  const line = await vestibule.logged('password.breach_lookup.failed');
  expect(JSON.stringify(line)).not.toContain(sha1(STOLEN).slice(0, 5));

  await vestibule.configure({ settings: settingsOf('refuse') });
  await vestibule.restart();
  try {
    visitor = new Visitor(vestibule);
    const person = people.next('plain');
    await change(person, STOLEN);
    expect(visitor.page.error).toMatch(sentenceOf('breach_lookup_failed'));
    answers = known;
    await change(person, UNHEARD_OF);
    expect(visitor.page.text).toContain('Your password is changed.');
  } finally {
    await vestibule.configure({ settings: settingsOf('accept') });
    await vestibule.restart();
  }
});

test('people add asks as well', async () => {
  const { code, stderr } = await vestibule.command(['people', 'add', 'petra', '--password-stdin'], `${STOLEN}\n`);
  expect([code, stderr]).toEqual([1, expect.stringContaining('seen in a data breach')]);
});
