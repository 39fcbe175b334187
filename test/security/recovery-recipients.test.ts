import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { linkIn, type MailSink, nothingOwed, startMailSink } from '../support/mail-sink.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import type { Person } from '../support/seed.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { csrfOn } from './support/account-area.ts';
import { expectErrorPage } from './support/answers.ts';
import { sendRaw } from './support/http.ts';
import { elsewhere, visitorFrom } from './support/lockout.ts';
import { mutuelle, signIn } from './support/people.ts';
import {
  ASK,
  ASK_USERNAME,
  ask,
  CHOOSE,
  mailOf,
  NEW,
  NOT_ME,
  notMeLinkFor,
  UNLIMITED,
  withMailbox,
} from './support/recovery.ts';
import { changeAccount } from './support/storage.ts';

const BRAND = 'Caisse <b>&"du\' Lac';
/** Requests for mails from one address. */
const LIMIT = 12;

const { everybody, next } = crowd({ person: {} }, 30);
const someone = (): Person => withMailbox(next('person'));

let vestibule: Vestibule;
let sink: MailSink;
let portal: Portal;

beforeAll(async () => {
  sink = await startMailSink();
  vestibule = await startVestibule({
    clients: [{ ...mutuelle, client_name: '<img src=x onerror=alert(1)>' }],
    people: everybody.map(withMailbox),
    settings: {
      mail: sink.settings,
      recovery: { mail_usernames: true },
      proxy: { trusted: ['127.0.0.1'] },
      branding: { name: BRAND },
      limits: { ...UNLIMITED, recovery_address: { count: LIMIT, window: '15m' } },
    },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  await sink?.close();
});

/** Everything that was mailed while something was done. */
async function mailedBy(work: () => Promise<unknown>) {
  await nothingOwed(vestibule);
  const before = sink.mails.length;
  await work();
  await nothingOwed(vestibule);
  return sink.mails.slice(before);
}

/** A form of ours, sent as an attacker would. */
async function sendForm(page: string, fields: string, headers = {}): Promise<number> {
  const visitor = visitorFrom(vestibule);
  await visitor.visit(page);
  const body = `_csrf=${csrfOn(visitor.page)}&${fields}`;
  return (
    await visitor.request('POST', new URL(page, vestibule.issuer), body, { origin: vestibule.issuer, ...headers })
  ).status;
}

describe('18 host poisoning', () => {
  const EVIL = [
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '444' },
    { forwarded: 'host=evil.example;proto=https' },
    { 'x-original-host': 'evil.example', 'x-host': 'evil.example', 'x-original-url': '//evil.example/' },
    { 'x-forwarded-prefix': '//evil.example', 'x-rewrite-url': 'https://evil.example/' },
    { referer: 'https://evil.example/' },
  ];

  test.each(EVIL)('whatever a request claims (%j), the address in the mail begins with the issuer', async (headers) => {
    const person = someone();
    const visitor = visitorFrom(vestibule);
    visitor.headers = { ...visitor.headers, ...headers };
    await ask(vestibule, person.username, '', visitor);
    const mail = await sink.next(mailOf(person), CHOOSE);
    expect(linkIn(mail, NEW).origin).toBe(vestibule.issuer);
    expect(mail.text + mail.html).not.toContain('evil.example');
  });

  test.each([
    ['another Host', ASK, 'evil.example'],
    ['an absolute address in the request line', 'http://evil.example/recovery/password', undefined],
    ['both', 'http://evil.example/recovery/password', 'evil.example'],
  ])('%s: refused, or the issuer’s address all the same', async (_what, target, host) => {
    const person = someone();
    const visitor = visitorFrom(vestibule);
    await visitor.visit(ASK);
    const body = new URLSearchParams({ _csrf: csrfOn(visitor.page), username: person.username }).toString();
    const mails = await mailedBy(async () => {
      const answer = await sendRaw(
        vestibule,
        [
          `POST ${target} HTTP/1.1`,
          `Host: ${host ?? new URL(vestibule.issuer).host}`,
          `X-Forwarded-For: ${elsewhere()}`,
          'Content-Type: application/x-www-form-urlencoded',
          `Content-Length: ${body.length}`,
          'Connection: close',
          '',
          body,
        ].join('\r\n'),
      );
      expect(answer.status).toBeGreaterThanOrEqual(300);
      expect(answer.status).toBeLessThan(500);
      expect(answer.head).not.toMatch(/evil\.example/);
    });
    for (const mail of mails) {
      expect(linkIn(mail, NEW).origin).toBe(vestibule.issuer);
      expect(mail.text + mail.html).not.toContain('evil.example');
    }
  });

  test('the link "This wasn’t me" too, of a sign-in with all of them', async () => {
    const person = someone();
    const visitor = new Visitor(vestibule);
    visitor.headers = Object.assign({}, ...EVIL);
    await signIn(visitor, portal, person).catch(() => undefined);
    const post = { vestibule, sink };
    await signIn(visitorFrom(vestibule), portal, person);
    expect((await notMeLinkFor(post, person)).origin).toBe(vestibule.issuer);
    for (const { text, html } of sink.to(mailOf(person))) expect(text + html).not.toContain('evil.example');
  });
});

describe('20 recipient splitting', () => {
  const other = 'attacker@evil.example';
  /** A person's own address with something that would reach, or name, somebody else. */
  const tricks = (email: string): readonly string[] => [
    `${email},${other}`,
    `${email}, ${other}`,
    `${email};${other}`,
    `${email} ${other}`,
    `${email}\r\nBcc: ${other}`,
    `${email}\nBcc: ${other}`,
    `${email}%0d%0aBcc:${other}`,
    `${email}\u0000${other}`,
    `"${email}"@evil.example`,
    `"x, ${email}"@evil.example`,
    `<${email}>,<${other}>`,
    `${other} <${email}>`,
    `"${other}" <${email}>`,
    `<${email}>`,
    `${email}(${other})`,
    `group:${email},${other};`,
    `${email}@evil.example`,
    `@evil.example:${email}`,
    `["${email}","${other}"]`,
    `{"$ne":"${email}"}`,
    'a'.repeat(65) + email,
    `${email}.`,
    `.${email}`,
    `user@[127.0.0.1]`,
  ];

  test.each([
    [ASK, 'username'],
    [ASK_USERNAME, 'email'],
  ])('%s: one plain address or 400, and nobody is mailed', async (page, field) => {
    const person = someone();
    const mails = await mailedBy(async () => {
      for (const value of tricks(mailOf(person))) {
        const status = await sendForm(page, new URLSearchParams({ [field]: value }).toString());
        expect([value, status]).toEqual([value, 400]);
      }
    });
    expect(mails).toEqual([]);
  });

  test.each([
    [ASK, 'username'],
    [ASK_USERNAME, 'email'],
  ])('%s: two of them, lists and objects are 400, and nobody is mailed', async (page, field) => {
    const email = encodeURIComponent(mailOf(someone()));
    const evil = encodeURIComponent(other);
    const mails = await mailedBy(async () => {
      for (const body of [
        `${field}=${email}&${field}=${evil}`,
        `${field}[]=${email}&${field}[]=${evil}`,
        `${field}[0]=${email}`,
        `${field}[$ne]=x`,
        `${field}.to=${email}`,
        `${field}=${email}&to=${evil}`,
        `${field}=${email}&cc=${evil}`,
        '',
        `${field}=`,
        `${field}=%20%09`,
      ])
        expect([body, await sendForm(page, body)]).toEqual([body, 400]);
      const json = JSON.stringify({ [field]: [mailOf(someone()), other] });
      expect(await sendForm(page, json, { 'content-type': 'application/json' })).toBe(415);
      expect(await sendForm(page, `${field}=${email}`, { 'content-type': 'text/plain' })).toBe(415);
    });
    expect(mails).toEqual([]);
  });

  test('letters that fold into others’ reach nobody but the account’s own address', async () => {
    const person = someone();
    const spelled = mailOf(person).replace('s', 'ſ').toUpperCase();
    const mails = await mailedBy(() => sendForm(ASK, new URLSearchParams({ username: spelled }).toString()));
    for (const { recipients } of mails) expect(recipients).toEqual([mailOf(person)]);
  });

  test('usernames go to the address of the account that has it, alone', async () => {
    const person = someone();
    const mails = await mailedBy(() =>
      sendForm(ASK_USERNAME, new URLSearchParams({ email: mailOf(person).toUpperCase() }).toString()),
    );
    expect(mails.map(({ recipients }) => recipients)).toEqual([[mailOf(person)]]);
    expect(mails[0]?.text).toContain(person.username);
  });
});

describe('21 mail HTML injection', () => {
  const MARKUP = '<a href="https://evil.example">Click</a><script>alert(1)</script>\'"&';

  test.each(['recovery', 'usernames', 'notice'])('%s: markup in names and brands is text', async (kind) => {
    const person = someone();
    await changeAccount(vestibule, person.username, {
      profile: { name: `${MARKUP}\r\nBcc: x@evil.example`, given_name: MARKUP, nickname: MARKUP },
    });
    const mails = await mailedBy(async () => {
      if (kind === 'notice') {
        await signIn(visitorFrom(vestibule), portal, person);
        return;
      }
      const visitor = visitorFrom(vestibule);
      await visitor.visit(await portal.authorizationUrl());
      const uid = visitor.page.url.pathname.split('/')[2];
      if (kind === 'recovery') await ask(vestibule, person.username, `?interaction=${uid}`, visitor);
      else {
        await visitor.visit(`${ASK_USERNAME}?interaction=${uid}`);
        await visitor.submit({ email: mailOf(person) });
      }
    });
    expect(mails).toHaveLength(1);
    const [mail] = mails as [(typeof mails)[0]];
    expect(mail.recipients).toEqual([mailOf(person)]);
    expect(mail.html).not.toMatch(/<script|<img|<b>|evil\.example["']|onerror=alert\(1\)>/i);
    const hrefs = [...mail.html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address ?? '');
    for (const address of hrefs) expect(new URL(address).origin).toBe(vestibule.issuer);
    for (const [name] of mail.headers) expect(['bcc', 'cc']).not.toContain(name);
    expect(mail.subject + mail.to + mail.from).not.toMatch(/[\r\n]/);
    // It is there, as what it is.
    expect(mail.html).toContain(kind === 'notice' ? 'Caisse &lt;b&gt;' : '&lt;img src=x');
  });

  test('the pages of a link show it as text as well', async () => {
    const person = someone();
    await changeAccount(vestibule, person.username, { profile: { name: MARKUP, family_name: MARKUP } });
    await signIn(visitorFrom(vestibule), portal, person);
    const notMe = await notMeLinkFor({ vestibule, sink }, person);
    await ask(vestibule, person.username, '', visitorFrom(vestibule));
    const choosing = linkIn(await sink.next(mailOf(person), CHOOSE), NEW);
    for (const [path, link] of [
      [NOT_ME, notMe],
      [NEW, choosing],
    ] as const) {
      const page = await visitorFrom(vestibule).visit(link);
      expect([path, page.status]).toEqual([path, 200]);
      expect(page.body).not.toContain('<script>alert');
      expect(page.body).not.toMatch(/<a[^>]*evil\.example/);
    }
  });
});

describe('15 limiter-key bypass', () => {
  const asking = async (address: string, page = ASK): Promise<number> => {
    const visitor = visitorFrom(vestibule, address);
    await visitor.visit(page);
    await visitor.submit(page === ASK ? { username: 'nobody-at-all' } : { email: 'nobody@example.org' });
    return visitor.page.status;
  };

  test('requests for mails are counted by address: another of the same /64, however written, is the same', async () => {
    const spelling = (n: number): string =>
      [`2001:db8:2:1::${n.toString(16)}`, `2001:0DB8:0002:0001:ABCD:0:0:${n}`, `2001:db8:2:1:${n}::`][n % 3] ?? '';
    for (let n = 1; n <= LIMIT; n++) expect(await asking(spelling(n), n % 2 ? ASK : ASK_USERNAME)).toBe(200);
    for (let n = 1; n <= 4; n++) expect(await asking(spelling(n + 100), n % 2 ? ASK : ASK_USERNAME)).toBe(429);
    expect(await asking('2001:db8:2:2::1')).toBe(200);
  });

  test('what a visitor puts in front of the proxy’s own entry changes nothing; the answer is a page with a date', async () => {
    const spelling = (n: number): string =>
      [`203.0.113.${n}, 192.0.2.9`, `192.0.2.9:${1024 + n}`, '::ffff:192.0.2.9', 'unknown, 192.0.2.9'][n % 4] ?? '';
    for (let n = 1; n <= LIMIT; n++) expect(await asking(spelling(n))).toBe(200);
    for (let n = 1; n <= 4; n++) expect(await asking(spelling(n + 50))).toBe(429);
    const visitor = visitorFrom(vestibule, '192.0.2.9');
    await visitor.visit(ASK);
    await visitor.submit({ username: 'nobody' });
    await expectErrorPage(vestibule, visitor.page, 429);
    expect(Number(visitor.page.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(visitor.page.headers['retry-after'])).toBeLessThanOrEqual(900);
  });

  test('so are those of the page of a lock, and "This wasn’t me" is not refused for them', async () => {
    const person = someone();
    const address = elsewhere();
    for (let n = 0; n < LIMIT; n++) await asking(address);
    await signIn(visitorFrom(vestibule), portal, person);
    const owner = visitorFrom(vestibule, address);
    await owner.visit(await notMeLinkFor({ vestibule, sink }, person));
    expect((await owner.submit()).step).toBe('recovery-sent');
  });
});
