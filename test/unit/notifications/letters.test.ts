import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseDocument } from 'htmlparser2';
import { LANGUAGES } from '../../../src/config/schema/values.ts';
import { buttonColours } from '../../../src/notifications/colours.ts';
import type { Mail } from '../../../src/notifications/index.ts';
import { NOTICE_EVENTS } from '../../../src/notifications/notices.ts';
import { contrast } from '../../../src/web/pages/contrast.ts';
import { accountOf, configOf, lettersOf } from './fixtures.ts';

const LINK = 'https://login.example.org/recovery/not-me?token=abc&x=1';
const AT = Date.UTC(2030, 0, 1, 12);
const letters = lettersOf(configOf());

/** Markup, a template's and the translator's own signs, line ends and a turn of the writing direction. */
const HOSTILE = '<b>&"\'</b> {{brand}} $t(mail.why) <%= 7 %>\r\nBcc: eve@evil.example\u2028\u202Eeve';
const ONE_LINE = '<b>&"\'</b> {{brand}} $t(mail.why) <%= 7 %> Bcc: eve@evil.example eve';

describe.each(LANGUAGES)('in %s', (language) => {
  const account = accountOf({ username: HOSTILE, profile: { name: HOSTILE, locale: language } });
  const values = { name: HOSTILE, device: HOSTILE, left: 3 };
  const all: [string, () => Mail][] = [
    ...NOTICE_EVENTS.flatMap((event): [string, () => Mail][] => [
      [`${event} with a link`, () => letters.notice(account, { event, values, at: AT }, LINK)],
      [`${event} without`, () => letters.notice(account, { event, values, at: AT }, undefined)],
    ]),
    ['recovery', () => letters.recovery(account, { link: LINK, minutes: 30, portal: HOSTILE })],
    [
      'usernames',
      () =>
        letters.usernames('anna@example.org', { usernames: [HOSTILE, 'b'], portal: HOSTILE, language, signIn: LINK }),
    ],
    ['usernames without a link', () => letters.usernames('anna@example.org', { usernames: ['anna'], language })],
  ];

  test.each(all)('%s is complete, and nothing of a name is markup, a line or a text', (_name, write) => {
    const { to, subject, text, html } = write();
    expect(to).toBe('anna@example.org');
    for (const written of [subject, text, html]) {
      // No name of a text, no value that was not given.
      expect(written).not.toMatch(/\bmail\.(?!why\))[a-z_]+|undefined|\[object/);
    }
    expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\u202e]/u);
    expect(subject.length).toBeGreaterThan(10);

    expect(text).not.toMatch(/^Bcc:/m);
    expect(text).not.toMatch(/[\u2028\u202e\r]|\n{3}|&(?:amp|lt|#)/);
    expect(text.split('\n').every((line) => line === line.trim())).toBe(true);

    expect(html).not.toMatch(/<b>|<%|[\u2028\u202e]/);
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toContain('name="color-scheme" content="light dark"');
    // Nothing is fetched, nothing runs.
    expect(html).not.toMatch(/<(?:img|script|link|iframe|form|style)|\bsrc=|url\(|\bon\w+=/i);
    expect(visible(html)).toContain(text.split('\n')[0]);
  });

  test('a notice: to whom, where, when, one button and its link as text', () => {
    const mail = letters.notice(account, { event: 'passkey_added', values, at: AT }, LINK);
    const [, , sentence, when] = mail.text.split('\n');
    expect(sentence).toContain(ONE_LINE);
    expect(sentence).toContain('Mutuelle Azur');
    expect(when).toContain('2030');
    expect(mail.text.split('\n')).toContain(LINK);
    expect(links(mail.html)).toEqual([LINK, LINK]);
    expect(visible(mail.html)).toContain(LINK);
  });

  test('a notice without a link gives advice instead', () => {
    const mail = letters.notice(account, { event: 'passkey_added', values, at: AT }, undefined);
    expect(mail.text + mail.html).not.toContain('http');
    expect(mail.text.split('\n\n')).toHaveLength(4);
  });

  test('recovery: the link, and how long it works', () => {
    const mail = letters.recovery(account, { link: LINK, minutes: 30, portal: 'Portail' });
    expect(mail).toMatchObject({ from: 'Portail', subject: expect.stringContaining('Portail') });
    expect(mail.text.split('\n')).toContain(LINK);
    expect(mail.text).toMatch(/\b30\smin/i);
    expect(links(mail.html)).toEqual([LINK, LINK]);
  });
});

const links = (html: string): string[] =>
  [...html.matchAll(/<a href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'));

function visible(html: string): string {
  const text = (node: { data?: unknown; children?: unknown }): string =>
    typeof node.data === 'string' ? node.data : Array.isArray(node.children) ? node.children.map(text).join('') : '';
  return text(parseDocument(html, { decodeEntities: true }) as never);
}

test('a notice reads well as plain text', () => {
  const account = accountOf({ profile: { name: 'Anna Muster', zoneinfo: 'Europe/Zurich' } });
  const { subject, from, text } = letters.notice(
    account,
    { event: 'new_device', values: { device: 'Firefox on Linux' }, at: AT },
    LINK,
  );
  expect({ subject, from }).toEqual({ subject: 'Your account was used on a new device', from: 'Mutuelle Azur' });
  expect(text).toBe(`Hello Anna Muster,

Somebody signed in to the account anna at Mutuelle Azur on a device that had not been used for it before: Firefox on Linux.
January 1, 2030 at 1:00 PM GMT+1

If this wasn’t you, open this link and confirm. It signs out everywhere and lets you choose a new password.
${LINK}

You receive this because it concerns how you sign in to Mutuelle Azur. It can’t be switched off.
`);
});

test('a recovery mail reads well as plain text', () => {
  expect(letters.recovery(accountOf(), { link: LINK, minutes: 30 }).text).toBe(`Hello anna,

Somebody asked to choose a new password for the account anna at Mutuelle Azur. This link is for that. It works once, for 30 minutes.

Choose a new password
${LINK}

If this wasn’t you, you need do nothing. As long as nobody uses the link, your password stays as it is.

You receive this because your account was named at Mutuelle Azur by somebody who can’t sign in.
`);
});

test('a list of usernames reads well as plain text', () => {
  const about = { usernames: ['anna', 'anna.m'], signIn: 'https://portal.example/' };
  expect(letters.usernames('anna@example.org', about).text).toBe(`Hello,

Somebody asked which usernames at Mutuelle Azur belong to this e-mail address. You can sign in with:

- anna
- anna.m

Sign in
https://portal.example/

If this wasn’t you, you need do nothing. Nobody but you gets this message.

You receive this because your e-mail address was entered at Mutuelle Azur by somebody who has forgotten a username.
`);
});

test('the person’s own language goes before the one it was asked for in', () => {
  const about = { link: LINK, minutes: 30, language: 'fr' };
  expect(letters.recovery(accountOf({ profile: { locale: 'de-CH' } }), about).text).toMatch(/^Guten Tag/);
  expect(letters.recovery(accountOf(), about).text).toMatch(/^Bonjour/);
  expect(letters.recovery(accountOf(), { ...about, language: 'xx' }).text).toMatch(/^Hello/);
});

test('a notice may go to another address than the account’s', () => {
  const notice = { event: 'email_changed', values: {}, at: AT } as const;
  const mail = letters.notice(accountOf({ email: 'new@example.org' }), notice, LINK, 'old@example.org');
  expect(mail.to).toBe('old@example.org');
  expect(mail.text + mail.html).not.toContain('new@example.org');
});

test('an impossible time zone is no reason not to write', () => {
  const account = accountOf({ profile: { zoneinfo: 'Mars/Olympus' } });
  expect(letters.notice(account, { event: 'totp_added', values: {}, at: AT }, LINK).text).toContain('UTC');
});

test('a name of any length stays a name', () => {
  const account = accountOf({ profile: { name: '😀'.repeat(1000) } });
  const [greeting = ''] = letters.recovery(account, { link: LINK, minutes: 30 }).text.split('\n');
  expect(greeting.length).toBeLessThan(300);
  expect(greeting.isWellFormed()).toBe(true);
});

test.each(['#000000', '#ffffff', '#FFD700', '#777777', '#0b6e99', '#e2001a', undefined])(
  'the label of a button in %s can be read',
  (accent) => {
    const { ground, text } = buttonColours(accent);
    expect(contrast(ground, text)).toBeGreaterThan(4.5);
    const own = lettersOf(configOf({ branding: { theme: { ...(accent && { accent }) } } }));
    const { html } = own.recovery(accountOf(), { link: LINK, minutes: 30 });
    expect(html).toContain(`background-color: ${ground}; color: ${text}`);
  },
);

describe('an operator’s overlay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-letters-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const recovery = (files: Record<string, string>): Mail => {
    const overlay = mkdtempSync(join(folder, 'overlay-'));
    mkdirSync(join(overlay, 'mail'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(overlay, 'mail', name), content);
    return lettersOf(configOf({ branding: { overlay } })).recovery(accountOf(), { link: LINK, minutes: 30 });
  };

  test('wins file by file', () => {
    const { text, html } = recovery({
      'recovery.txt.ejs': 'Own words: <%= link %>',
      'layout.html.ejs': '<main lang="<%= language %>"><%- content %></main>',
    });
    expect(text).toBe(`Own words: ${LINK}\n`);
    expect(html).toMatch(/^<main lang="en"><p>Hello anna,/);
    expect(links(html)).toEqual([LINK, LINK]);
  });

  test('that does not compile is named', () => {
    expect(() => recovery({ 'notice.txt.ejs': '<% if ( %>' })).toThrow(/mail\/notice\.txt\.ejs/);
  });
});
