import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { PEOPLE } from '../../examples/people.ts';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { tabTo } from '../support/page-faults.ts';
import {
  atKeyboard,
  begin,
  chooseNewPassword,
  claimsAt,
  complaintsOf,
  giveCode,
  givePassword,
  giveUsername,
  headingOf,
  press,
  problemOn,
  signIn,
  stepOf,
  textOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { MFA, sentenceOf } from '../support/second-factor.ts';

/** Where the link of the mail leads. */
const NEW_PASSWORD = '/recovery/password/new';
const NEW = 'salt-lantern-orbit-meadow';
const HALF_AN_HOUR = 1800;
const brunos = PEOPLE.find(({ username }) => username === 'bruno')?.totp?.secret ?? '';

requires('chromium')('who can’t sign in', () => {
  const browser = withBrowser();
  let demo: Demo;
  let extranet: string;

  beforeAll(async () => {
    demo = await startDemo();
    extranet = `${demo.portals}/extranet`;
    await demo.addPeople([
      ...['locked', 'forgetful', 'traveller', 'collector', 'keyboard'],
      { username: 'francophone', profile: { locale: 'fr-CH' } },
      { username: 'germanophone', profile: { locale: 'de-CH' } },
    ]);
  }, 60_000);
  afterAll(() => demo?.stop());

  const listen = (page: Page) => complaintsOf(page, [demo.issuer, demo.portals]);

  /** From a portal, or from the page that is shown, to the page that says where the link is. */
  async function ask(page: Page, username: string): Promise<void> {
    await begin(page, extranet);
    await press(page, '[data-alternative=recovery]');
    await press(page, '[data-alternative=forgot-password]');
    await giveUsername(page, username);
    expect(await stepOf(page)).toBe('recovery-sent');
  }

  /** To the page that the link of the newest mail leads to. */
  async function follow(page: Page, username: string): Promise<string> {
    const link = await demo.nextLink(username, NEW_PASSWORD);
    await page.goto(link);
    // The address says nothing that a history, a Referer or somebody behind one's back could keep.
    expect([await stepOf(page), page.url()]).toEqual(['change-password', `${demo.issuer}${NEW_PASSWORD}`]);
    return link;
  }

  test('after five wrong passwords confirms the address, opens the mail and is at the portal, signed in', async () => {
    const page = await browser.open();
    const complaints = listen(page);
    await begin(page, extranet);
    await giveUsername(page, 'locked');
    for (let tries = 1; tries < 5; tries += 1) await givePassword(page, 'locked', `wrong ${tries}`);
    expect(await stepOf(page)).toBe('password');
    await givePassword(page, 'locked', 'wrong once more');
    expect([await stepOf(page), await headingOf(page)]).toEqual(['locked', 'Too many wrong passwords']);
    expect(await textOf(page)).toContain('15 minutes');
    expect(await page.locator('#continue').textContent()).toBe('Yes, create my password');
    await press(page);
    expect(await page.getByRole('status').textContent()).toContain('a mail with a link is on its way');

    // A mail opens in a tab of its own.
    const tab = await page.context().newPage();
    const heard = listen(tab);
    await follow(tab, 'locked');
    expect([await headingOf(tab), await tab.locator('.account strong').textContent()]).toEqual([
      'Choose a new password',
      'locked',
    ]);
    await chooseNewPassword(tab, NEW);
    expect([tab.url(), await claimsAt(tab)]).toEqual([
      extranet,
      expect.objectContaining({ aud: 'extranet', preferred_username: 'locked', amr: ['pwd'] }),
    ]);
    await demo.mailsTo('locked', 1, /password of your account was changed/);
    // And the page left behind leads there, too.
    await page.reload();
    await press(page);
    expect([page.url(), (await claimsAt(page))?.preferred_username]).toEqual([extranet, 'locked']);
    expect([...complaints, ...heard]).toEqual([]);
  });

  test('goes on to the six-digit code where there is an app', async () => {
    const page = await browser.open();
    await ask(page, 'bruno');
    await follow(page, 'bruno');
    await chooseNewPassword(page, NEW);
    expect(await stepOf(page)).toBe('totp');
    await giveCode(page, await demo.nextCode(brunos));
    expect([page.url(), await claimsAt(page)]).toEqual([
      extranet,
      expect.objectContaining({ amr: ['pwd', 'otp', 'mfa'], acr: MFA }),
    ]);
  });

  test('reads the same whether or not there is such a name', async () => {
    const page = await browser.open();
    const answers: unknown[] = [];
    for (const username of ['sam', 'nobody-of-that-name']) {
      await ask(page, username);
      const { pathname } = new URL(page.url());
      answers.push([pathname, await page.title(), await headingOf(page), await textOf(page)]);
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  test('opens the mail on the telephone, and signs in where it was begun', async () => {
    const [page, phone] = [await browser.open(), await browser.open({ viewport: { width: 360, height: 740 } })];
    await ask(page, 'traveller');
    await follow(phone, 'traveller');
    await chooseNewPassword(phone, NEW);
    expect([await stepOf(phone), await headingOf(phone), await phone.locator('#continue').textContent()]).toEqual([
      'recovery-done',
      'Your password is changed',
      'Back to Chalets Soleil Extranet',
    ]);
    await press(phone);
    expect([phone.url(), await claimsAt(phone)]).toEqual([extranet, undefined]);

    await signIn(page, extranet, 'traveller');
    expect(await problemOn(page)).toMatch(sentenceOf('wrong_password'));
    await givePassword(page, 'traveller', NEW);
    expect(await claimsAt(page)).toMatchObject({ preferred_username: 'traveller' });
  });

  test('with a link that is dead asks for a new one', async () => {
    const page = await browser.open();
    const complaints = listen(page);
    const meets = async (link: string, heading: string) => {
      await page.goto(link);
      expect([await stepOf(page), await headingOf(page)]).toEqual(['error', heading]);
      expect(await page.locator('.reference code').textContent()).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
      expect([page.url(), await page.locator('#continue').textContent()]).toEqual([
        `${demo.issuer}${NEW_PASSWORD}`,
        'Ask for a new link',
      ]);
    };
    await ask(page, 'collector');
    const first = await demo.nextLink('collector', NEW_PASSWORD);
    await ask(page, 'collector');
    const second = await demo.nextLink('collector', NEW_PASSWORD);
    await meets(first, 'There is a newer link');
    await meets(second.slice(0, -5), 'This link does not work');
    await page.goto(second);
    await chooseNewPassword(page, NEW);
    expect(await claimsAt(page)).toBeDefined();
    await meets(second, 'This link has been used already');

    await press(page);
    expect(await stepOf(page)).toBe('recovery-password');
    await giveUsername(page, 'collector');
    const third = await demo.nextLink('collector', NEW_PASSWORD);
    await demo.advanceClock(HALF_AN_HOUR + 1);
    await meets(third, 'This link has run out');
    await press(page);
    await giveUsername(page, 'collector');
    await follow(page, 'collector');
    await chooseNewPassword(page, `${NEW}-again`);
    // Asked for without a portal, it leads to none.
    expect([await stepOf(page), await page.locator('#continue').count()]).toEqual(['recovery-done', 0]);
    await page.context().clearCookies();
    await begin(page, extranet);
    await giveUsername(page, 'collector');
    await givePassword(page, 'collector', `${NEW}-again`);
    expect(await claimsAt(page)).toBeDefined();
    expect(complaints).toEqual([]);
  });

  test('has forgotten the username: reads whom to ask at this portal, and goes back to where it was', async () => {
    const page = await browser.open();
    await begin(page, extranet);
    await press(page, '[data-alternative=recovery]');
    await press(page, '[data-alternative=forgot-username]');
    expect([await stepOf(page), await headingOf(page)]).toEqual(['recovery-username', 'Forgotten your username?']);
    expect(await textOf(page)).toContain('Chalets Soleil, partner support: +41 27 555 20 20');
    expect(await page.locator('input:not([type=hidden])').count()).toBe(0);
    // Remembered after all.
    await press(page);
    expect(await stepOf(page)).toBe('identify');
    await giveUsername(page, 'sam@example.org');
    await givePassword(page, 'sam');
    expect(await claimsAt(page)).toMatchObject({ preferred_username: 'sam' });
  });

  describe.each([
    {
      script: 'without JavaScript',
      options: { javaScriptEnabled: false, locale: 'fr-CH' },
      username: 'francophone',
      headings: ['Connexion impossible ?', 'Mot de passe oublié ?', 'Consultez vos e-mails', 'Choisissez un nouveau'],
      problem: 'Les deux nouveaux mots de passe ne sont pas identiques.',
      subject: /nouveau mot de passe a été demandé/,
    },
    {
      script: 'with JavaScript',
      options: { locale: 'de-CH' },
      username: 'germanophone',
      headings: ['Können Sie sich nicht', 'Passwort vergessen?', 'Sehen Sie in Ihrem Postfach', 'Wählen Sie ein neues'],
      problem: 'Die beiden neuen Passwörter stimmen nicht überein.',
      subject: /neues Passwort angefordert/,
    },
  ])('$script', ({ options, username, headings, problem, subject }) => {
    test(`goes the whole way, speaking ${options.locale}`, async () => {
      const page = await browser.open(options);
      const seen: string[] = [];
      const note = async () => {
        expect(await page.locator('html').getAttribute('lang')).toBe(options.locale);
        seen.push(spaced(await headingOf(page)));
      };
      await begin(page, extranet);
      await press(page, '[data-alternative=recovery]');
      await note();
      await press(page, '[data-alternative=forgot-password]');
      await note();
      await giveUsername(page, `${username}@example.org`);
      await note();
      expect(await demo.mailsTo(username, 1, subject)).toHaveLength(1);
      await follow(page, username);
      await note();
      expect(seen).toEqual(headings.map((heading) => expect.stringContaining(heading)));
      await chooseNewPassword(page, NEW, `${NEW}s`);
      expect(spaced(await problemOn(page))).toContain(problem);
      await chooseNewPassword(page, NEW);
      expect([page.url(), await claimsAt(page)]).toEqual([
        extranet,
        expect.objectContaining({ preferred_username: username }),
      ]);
    });
  });

  test('needs nothing but the keyboard', async () => {
    const page = await browser.open();
    const { enter, type } = atKeyboard(page);
    await page.goto(extranet);
    await tabTo(page, 'sign-in');
    await enter();
    for (const alternative of ['recovery', 'forgot-password']) {
      await tabTo(page, alternative);
      await enter();
    }
    await type('username', 'keyboard');
    expect(await stepOf(page)).toBe('recovery-sent');
    await follow(page, 'keyboard');
    await page.locator('#new_password:focus').waitFor();
    await page.keyboard.type(NEW);
    await tabTo(page, 'new_password_again');
    await type('new_password_again', `${NEW}s`);
    expect(await problemOn(page)).toMatch(sentenceOf('passwords_differ'));
    await tabTo(page, 'new_password');
    await page.keyboard.type(NEW);
    await tabTo(page, 'new_password_again');
    await type('new_password_again', NEW);
    expect(await claimsAt(page)).toMatchObject({ preferred_username: 'keyboard' });
  });
});

/** Without the spaces that keep punctuation on the line. */
const spaced = (text: string): string => text.replaceAll(/\s/g, ' ');
