import { describe, expect, test } from '@jest/globals';
import type { PageModels } from '../../../src/web/pages/index.ts';
import { configOf, openHouse } from './fixtures.ts';

const house = openHouse();
const context = house.context();
const form = { action: '/recovery/step', csrf: 'token' };
const tag = (html: string, id: string): string => new RegExp(`<[a-z]+[^>]* id="${id}"[^>]*>`).exec(html)?.[0] ?? '';
const heading = (html: string): string => /<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '';
const alternatives = (html: string): (string | undefined)[] =>
  [...html.matchAll(/ data-alternative="([^"]+)"/g)].map(([, way]) => way);

describe('the way to recovery', () => {
  const recoveryHref = '/recovery?interaction=uid';
  const passkeyForm = { ...form, optionsAction: '/options' };
  const known = { ...form, username: 'alice', switchAction: '/switch', cancel: true, recoveryHref };
  const pages = [
    house.pages.render('identify', { ...passkeyForm, cancel: true, recoveryHref }, context),
    house.pages.render('password', known, context),
    house.pages.render('passkey', { ...passkeyForm, ...known, passwordInstead: true }, context),
    house.pages.render('locked', { ...known, until: 1_790_000_300, mails: true, sent: false }, context),
  ];

  test.each(pages)('is a quiet link before the way out', (html) => {
    expect(html).toContain(
      '<li><a class="quiet" href="/recovery?interaction=uid" data-alternative="recovery">Can’t sign in?</a></li>',
    );
    expect(alternatives(html).slice(-2)).toEqual(['recovery', 'cancel']);
    expect(html.indexOf('id="continue"')).toBeLessThan(html.indexOf('data-alternative="recovery"'));
  });

  test('is not there where there is nowhere to go', () => {
    const plain = { ...form, username: 'alice', switchAction: '/switch' };
    expect(house.pages.render('password', plain, context)).not.toContain('Can’t sign in?');
    const elsewhere = { ...plain, recoveryHref: 'javascript:alert(1)' };
    expect(house.pages.render('password', elsewhere, context)).not.toContain('Can’t sign in?');
  });
});

describe('too many wrong passwords', () => {
  const model = { ...form, username: 'alice', switchAction: '/switch', until: 1_790_000_300, mails: true, sent: false };
  const render = (more: Partial<PageModels['locked']> = {}, language: 'en' | 'de' = 'en') =>
    house.pages.render('locked', { ...model, ...more }, house.context(language));

  test.each([
    [1_790_000_030, '30 seconds'],
    [1_790_000_300, '5 minutes'],
    [1_790_007_200, '2 hours'],
    [1_789_999_000, '1 second'],
  ])('until %d: says for how long, in words', (until, words) => {
    expect(render({ until })).toContain(`You can try again in ${words}.`);
  });

  test('in the language of the page', () => {
    expect(render({}, 'de')).toContain('Sie können es in 5 Minuten nochmals versuchen.');
  });

  test('offers a link by mail as the one decision, and other ways below', () => {
    const html = render({ passkey: true, cancel: true });
    expect(html).toMatch(/id="continue" type="submit">Yes, create my password</);
    expect(html).toContain('we send a link to the address of this account.');
    expect(alternatives(html)).toEqual(['switch', 'again', 'passkey', 'cancel']);
    expect(html).toContain('<strong translate="no">alice</strong>');
    expect(html).toMatch(/Sign in to<\/span>/);
    expect(html).toContain('We never ask for your password by telephone.');
    expect(html).not.toContain('type="password"');
  });

  test('once asked for, the answer promises nothing about the account', () => {
    const html = render({ sent: true, passkey: true });
    expect(html).toMatch(/role="status">.*If there is an account with that name, a mail with a link is on its way\./s);
    expect(html).not.toContain('id="continue"');
    expect(alternatives(html)).toEqual(['switch', 'again', 'passkey']);
  });

  test('names nobody has are told the same', () => {
    expect(render({ username: 'nobody' }).replaceAll('nobody', 'alice')).toBe(render());
  });
});

describe('recovery', () => {
  test('is a choice of two', () => {
    const model = { forgotPasswordHref: '/recovery/password', forgotUsernameHref: '/recovery/username' };
    const html = house.pages.render('recovery', { ...model, backHref: '/interaction/uid' }, context);
    expect(html).toMatch(
      /href="\/recovery\/password" data-alternative="forgot-password">I have forgotten my password</,
    );
    expect(html).toMatch(
      /href="\/recovery\/username" data-alternative="forgot-username">I have forgotten my username</,
    );
    expect(html).toMatch(/href="\/interaction\/uid" data-alternative="cancel">Back to signing in</);
    expect(alternatives(house.pages.render('recovery', model, context))).toEqual([
      'forgot-password',
      'forgot-username',
    ]);
    expect(html).not.toContain('<form');
  });

  test('of a password takes the username, and keeps what was typed', () => {
    const model = { ...form, backHref: '/recovery' };
    const html = house.pages.render('recovery-password', model, context);
    const field = tag(html, 'username');
    for (const attribute of ['name="username"', 'autocomplete="username"', 'autofocus', 'aria-describedby="hint"'])
      expect(field).toContain(attribute);
    expect(html).toMatch(/id="continue" type="submit">Confirm</);
    const wrong = house.pages.render(
      'recovery-password',
      { ...model, username: 'alise', problem: { code: 'username_invalid' } },
      context,
    );
    expect(tag(wrong, 'username')).toMatch(/value="alise".* aria-invalid="true" aria-describedby="problem hint"/);
    expect(wrong.indexOf('id="problem"')).toBeLessThan(wrong.indexOf('id="username"'));
  });

  test('of a username takes an e-mail address where usernames are mailed', () => {
    const html = house.pages.render(
      'recovery-username',
      { ...form, backHref: '/recovery', mails: true, email: 'anna@', problem: { code: 'email_invalid' } },
      context,
    );
    expect(tag(html, 'email')).toMatch(/name="email" type="email" value="anna@" required autocomplete="email"/);
    expect(html).toContain('such as anna@example.org.');
  });

  test('of a username says who helps where none are mailed', () => {
    const model = { ...form, backHref: '/recovery', mails: false };
    const html = house.pages.render('recovery-username', model, context);
    expect(/<main.*<\/main>/s.exec(html)?.[0]).toContain('Call 0800 123 456.');
    expect(html).not.toContain('<form');
    expect(html).toMatch(/id="continue" href="\/recovery"/);
    const own = openHouse(configOf());
    expect(own.pages.render('recovery-username', model, own.context())).toContain('ask the people who run the website');
  });

  test.each([
    ['password', 'If there is an account with that name'],
    ['username', 'If there are accounts with that address'],
    ['not_me', 'All devices are signed out.'],
  ] as const)('has one answer, about %s', (about, words) => {
    const html = house.pages.render('recovery-sent', { about, againHref: '/recovery/again' }, context);
    expect(heading(html)).toBe('Check your mail');
    expect(html).toContain(words);
    expect(html).toMatch(/spam folder.*Call 0800 123 456\./s);
    expect(html).toMatch(/href="\/recovery\/again" data-alternative="again">Ask again</);
    expect(html).not.toMatch(/Error:|role="alert"/);
  });

  test('ends at the portal, or says how to get there', () => {
    const html = house.pages.render('recovery-done', { portalHref: 'https://azur.example/' }, context);
    expect(html).toMatch(/id="continue" href="https:\/\/azur.example\/">Back to Mutuelle Azur</);
    expect(html).not.toContain('Go back to the website');
    const without = house.pages.render('recovery-done', {}, context);
    expect(without).not.toContain('id="continue"');
    expect(without).toContain('Go back to the website or app you came from.');
  });

  test('this wasn’t me: one button, what it does, and how to leave it', () => {
    const html = house.pages.render('not-me', { ...form, username: 'alice' }, context);
    expect(html).toMatch(/id="continue" type="submit">Sign out everywhere and choose a new password</);
    expect(html).toContain('<strong translate="no">alice</strong>');
    expect(html).toContain('all devices are signed out, this one as well');
    expect(html).toContain('close this page');
    expect([...html.matchAll(/<button/g)]).toHaveLength(1);
  });

  test.each(['link_invalid', 'link_used', 'link_expired', 'link_superseded'])('%s: a new link is asked for', (code) => {
    const model = { code, status: 410, reference: 'r', retryHref: '/recovery/password' };
    const html = house.pages.render('error', model, context);
    expect(html).toMatch(/id="continue" href="\/recovery\/password">Ask for a new link</);
    expect(heading(html)).toMatch(/link/);
    expect(html).not.toContain('Try again<');
  });
});

describe('a new password', () => {
  const model = { ...form, username: 'alice', minimum: 15, words: ['alice', 'alice@example.org'] };
  const account = { ...model, current: true, signOutOthers: true, backHref: '/account' };
  const link = { ...model, current: false, signOutOthers: false };
  const render = (more: PageModels['change-password']) => house.pages.render('change-password', more, context);
  const fields = (html: string) =>
    [...html.matchAll(/<input id="(\w+)" name="\1" type="password" required autocomplete="([a-z-]+)"/g)].map(
      ([, name, help]) => [name, help],
    );

  test('in the account area: the current one, the new one twice, and the others signed out on request', () => {
    const html = render(account);
    expect(heading(html)).toBe('Change your password');
    expect(fields(html)).toEqual([
      ['current_password', 'current-password'],
      ['new_password', 'new-password'],
      ['new_password_again', 'new-password'],
    ]);
    expect(tag(html, 'current_password')).toContain('autofocus');
    expect(tag(html, 'sign_out_others')).toMatch(/name="sign_out_others" type="checkbox" value="yes">/);
    expect(html).toMatch(/href="\/account\/password" aria-current="page">Password</);
    expect(html).toMatch(/href="\/account" data-alternative="cancel">Cancel</);
    expect(heading(render({ ...account, current: false }))).toBe('Choose a password');
  });

  test('behind a link: only the new one, whose it is, and what follows', () => {
    const html = render(link);
    expect(heading(html)).toBe('Choose a new password');
    expect(fields(html).map(([name]) => name)).toEqual(['new_password', 'new_password_again']);
    expect(tag(html, 'new_password')).toContain('autofocus');
    expect(html).toContain('<strong translate="no">alice</strong>');
    expect(html).toContain('all devices that are signed in now are signed out');
    expect(html).not.toMatch(/class="sections"|sign_out_others|data-alternative/);
  });

  test('helps password managers: the username without a name, and how long it must be', () => {
    const html = render(link);
    const username = /<input[^>]* autocomplete="username"[^>]*>/.exec(html)?.[0] ?? '';
    expect(username).toContain('value="alice"');
    expect(username).toContain('readonly');
    expect(username).not.toMatch(/\sname=|type="hidden"/);
    expect(tag(html, 'new_password')).toContain('minlength="15"');
    // The browser must not refuse by itself: it would not say why in our words.
    expect(html).toMatch(/<form method="post" action="\/recovery\/step" novalidate/);
    expect(html.indexOf('autocomplete="username"')).toBeLessThan(html.indexOf('id="new_password"'));
  });

  test('says beforehand what makes a good one, and prepares the hint while typing', () => {
    const html = render({ ...link, minimum: 8 });
    expect(tag(html, 'new_password')).toContain('aria-describedby="hint"');
    expect(html).toMatch(/id="hint">At least 8 characters\./);
    const strength = tag(html, 'strength');
    for (const attribute of [
      ' hidden',
      'aria-live="polite"',
      'data-min="8"',
      'data-short="Characters still missing: {count}"',
      'data-words="alice,alice@example.org"',
    ])
      expect(strength).toContain(attribute);
    for (const name of ['enough', 'repeats', 'personal']) expect(strength).toMatch(new RegExp(`data-${name}="[A-Z]`));
    const scripts = [...html.matchAll(/<script[^>]*\/([^/"]+)">/g)].map(([, name]) => name);
    expect(scripts).toEqual(['show-password.js', 'password-strength.js', 'submit-once.js']);
  });

  test.each(['current_password', 'new_password', 'new_password_again'] as const)(
    'a problem of %s stands above it and is tied to it alone',
    (field) => {
      const html = render({ ...account, field, problem: { code: 'password_too_short', values: { count: 15 } } });
      expect(html).toContain('Use at least 15 characters.');
      expect([...html.matchAll(/id="problem"/g)]).toHaveLength(1);
      expect([...html.matchAll(/aria-invalid="true"/g)]).toHaveLength(1);
      expect(tag(html, field)).toMatch(/aria-invalid="true" aria-describedby="problem( hint)?"/);
      expect(html).toMatch(new RegExp(`id="problem".*?</p>\\s*<label for="${field}">`, 's'));
      // The problem alone takes the focus.
      expect([...html.matchAll(/ autofocus/g)]).toHaveLength(1);
      for (const name of ['current_password', 'new_password', 'new_password_again'])
        expect(tag(html, name)).not.toContain('value=');
    },
  );

  test('a problem of no field stands on top', () => {
    const html = render({ ...account, problem: { code: 'breach_lookup_failed' } });
    expect(html.indexOf('id="problem"')).toBeLessThan(html.indexOf('id="current_password"'));
    expect(html).not.toContain('aria-invalid');
  });

  test('each field can be looked at, by a button with a name of its own', () => {
    const names = [...render(account).matchAll(/class="reveal" type="button" hidden [^>]*aria-label="([^"]+)"/g)];
    expect(names.map(([, name]) => name)).toEqual([
      'Show password: Current password',
      'Show password: New password',
      'Show password: New password once more',
    ]);
  });

  test('that it is changed is said, and the page stays quiet', () => {
    const html = render({ ...account, notice: 'changed' });
    expect(html).toMatch(/role="status">.*Your password is changed\./s);
    expect(html).not.toContain('autofocus');
  });
});
