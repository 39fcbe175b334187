import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { faultsOf, stopsToContinue } from '../support/page-faults.ts';
import {
  begin,
  chooseNewPassword,
  claimsAt,
  complaintsOf,
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
import { sentenceOf } from '../support/second-factor.ts';

const NEW_PASSWORD = '/recovery/password/new';
const NOT_ME = '/recovery/not-me';
const NEW = 'salt-lantern-orbit-meadow';
const FIELDS = ['current_password', 'new_password', 'new_password_again'];
/** The longest words; `looks.test.ts` has the others. */
const LOOKS = [{ colorScheme: 'dark', locale: 'de-CH' }] as const;

requires('chromium')('a password for life', () => {
  const browser = withBrowser();
  let demo: Demo;
  let extranet: string;

  beforeAll(async () => {
    demo = await startDemo();
    extranet = `${demo.portals}/extranet`;
    await demo.addPeople(['changes', 'alarmed', 'typing', 'light', 'dark']);
  }, 60_000);
  afterAll(() => demo?.stop());

  const listen = (page: Page) => complaintsOf(page, [demo.issuer, demo.portals]);
  const noticeOn = async (page: Page) => (await page.getByRole('status').first().textContent())?.trim();

  async function signInToPassword(page: Page, username: string): Promise<void> {
    await page.goto(`${demo.issuer}/.well-known/change-password`);
    await giveUsername(page, username);
    await givePassword(page, username);
    expect([await stepOf(page), page.url()]).toEqual(['change-password', `${demo.issuer}/account/password`]);
  }

  async function change(page: Page, current: string, password: string, again?: string): Promise<void> {
    await page.locator('#current_password').fill(current);
    await chooseNewPassword(page, password, again);
  }

  test('is changed in the account area: what is wrong is said, nothing is changed by it, and the rest is', async () => {
    const [page, other] = [await browser.open(), await browser.open()];
    const complaints = listen(page);
    await signIn(other, extranet, 'changes');
    await signInToPassword(page, 'changes');
    const current = 'changes-demo-password';
    for (const [given, password, again, problem] of [
      ['not-the-password', NEW, NEW, 'wrong_current_password'],
      [current, NEW, `${NEW}s`, 'passwords_differ'],
      [current, 'too-short', 'too-short', 'password_too_short'],
      [current, current, current, 'password_unchanged'],
      ['', NEW, NEW, 'current_password_required'],
    ] as const) {
      await change(page, given, password, again);
      expect([problem, await problemOn(page)]).toEqual([problem, expect.stringMatching(sentenceOf(problem))]);
      expect(await page.title()).toMatch(/^Error: Change your password/);
    }
    await page.locator('#sign_out_others').check();
    await change(page, current, NEW);
    expect([await stepOf(page), await noticeOn(page)]).toEqual(['change-password', 'Your password is changed.']);
    await demo.mailsTo('changes', 1, /password of your account was changed/);
    // Signed in here, and nowhere else.
    await page.reload();
    expect(await stepOf(page)).toBe('change-password');
    await other.goto(`${demo.issuer}/account/password`);
    await giveUsername(other, 'changes');
    await givePassword(other, 'changes');
    expect(await problemOn(other)).toMatch(sentenceOf('wrong_password'));
    await givePassword(other, 'changes', NEW);
    expect(await stepOf(other)).toBe('change-password');
    expect(complaints).toEqual([]);
  });

  test('that somebody else changed: “This wasn’t me” signs out everywhere, and a new one is mailed for', async () => {
    const [owner, thief] = [await browser.open(), await browser.open()];
    const complaints = listen(owner);
    await signIn(owner, extranet, 'alarmed');
    await signInToPassword(thief, 'alarmed');
    await change(thief, 'alarmed-demo-password', 'password-of-a-thief');
    const [mail] = await demo.mailsTo('alarmed', 1, /password of your account was changed/);
    const address = new RegExp(`${demo.issuer}${NOT_ME}\\?\\S+`);
    await owner.goto(address.exec(mail?.text ?? '')?.[0] ?? 'no link');
    expect([await stepOf(owner), await headingOf(owner), owner.url()]).toEqual([
      'not-me',
      'This wasn’t you?',
      `${demo.issuer}${NOT_ME}`,
    ]);
    expect(await owner.locator('.account strong').textContent()).toBe('alarmed');
    // A mail scanner opens links as well: nobody is signed out yet.
    await thief.reload();
    expect(await stepOf(thief)).toBe('change-password');

    await press(owner);
    expect([await stepOf(owner), await headingOf(owner)]).toEqual(['recovery-sent', 'Check your mail']);
    expect(await textOf(owner)).toContain('All devices are signed out.');
    await thief.reload();
    expect(await stepOf(thief)).toBe('identify');
    // The portal asks Vestibule again, and that the person.
    await owner.context().clearCookies({ name: 'extranet_session' });
    await begin(owner, extranet);
    expect(await stepOf(owner)).toBe('identify');

    await owner.goto(await demo.nextLink('alarmed', NEW_PASSWORD));
    await chooseNewPassword(owner, NEW);
    expect(await stepOf(owner)).toBe('recovery-done');
    await givesPassword(thief, 'alarmed', 'password-of-a-thief');
    expect(await problemOn(thief)).toMatch(sentenceOf('wrong_password'));
    await begin(owner, extranet);
    await givesPassword(owner, 'alarmed', NEW);
    expect(await claimsAt(owner)).toMatchObject({ preferred_username: 'alarmed' });
    expect(complaints).toEqual([]);
  });

  async function givesPassword(page: Page, username: string, password: string): Promise<void> {
    await giveUsername(page, username);
    await givePassword(page, username, password);
  }

  test('is typed with help: a hint of its strength, a look at it, and the password manager', async () => {
    const page = await browser.open();
    await signInToPassword(page, 'typing');
    const fields = page.locator('form input:not([type=hidden], [type=checkbox])');
    expect(
      await fields.evaluateAll((all) =>
        all.map((field) => [field.getAttribute('name'), field.getAttribute('autocomplete')]),
      ),
    ).toEqual([
      [null, 'username'],
      ['current_password', 'current-password'],
      ['new_password', 'new-password'],
      ['new_password_again', 'new-password'],
    ]);
    expect(await fields.first().inputValue()).toBe('typing');

    const hint = page.locator('#strength');
    for (const [typed, said] of [
      ['seven77', 'Characters still missing: 8'],
      ['aaaaaaaaaaaaaaaa', 'It repeats itself'],
      ['typing@example.org', 'Much of it is your name'],
      [NEW, 'That is long enough.'],
    ] as const) {
      await page.locator('#new_password').fill(typed);
      await hint.getByText(said).waitFor();
    }
    const types = () => Promise.all(FIELDS.map((name) => page.locator(`#${name}`).getAttribute('type')));
    for (const label of ['Current password', 'New password', 'New password once more'])
      await page.getByRole('button', { name: `Show password: ${label}`, exact: true }).click();
    expect(await types()).toEqual(['text', 'text', 'text']);
    await page.getByRole('button', { name: 'Hide password: New password', exact: true }).click();
    expect(await types()).toEqual(['text', 'password', 'text']);

    await page.locator('#current_password').focus();
    const rest = ['reveal', 'new_password', 'reveal', 'new_password_again', 'reveal', 'sign_out_others', 'continue'];
    expect(await stopsToContinue(page)).toEqual(rest);
    await change(page, 'typing-demo-password', NEW);
    expect(await noticeOn(page)).toBe('Your password is changed.');
  });

  test.each(LOOKS)('every page is clean on a 320-pixel telephone: %j', async (look) => {
    const username = look.colorScheme;
    const page = await browser.open({ viewport: { width: 320, height: 640 }, ...look });
    const complaints = listen(page);
    const found: Record<string, readonly unknown[]> = {};
    const clean = async (step: string, what = '') => {
      expect([await stepOf(page), await page.locator('html').getAttribute('lang')]).toEqual([step, look.locale]);
      found[step + what] = await faultsOf(page);
    };
    await begin(page, extranet);
    await giveUsername(page, username);
    for (let tries = 0; tries < 5; tries += 1) await givePassword(page, username, 'wrong');
    await clean('locked');
    await press(page);
    await clean('locked', ', sent');
    await press(page, '[data-alternative=recovery]');
    await clean('recovery');
    await press(page, '[data-alternative=forgot-username]');
    await clean('recovery-username');
    await press(page);
    await press(page, '[data-alternative=recovery]');
    await press(page, '[data-alternative=forgot-password]');
    await giveUsername(page, '');
    await clean('recovery-password', ', problem');
    await giveUsername(page, 'nobody-of-that-name');
    await clean('recovery-sent');
    const link = await demo.nextLink(username, NEW_PASSWORD);
    await page.context().clearCookies();
    await page.goto(link);
    await chooseNewPassword(page, 'too-short');
    await clean('change-password', ', new');
    await chooseNewPassword(page, NEW);
    await clean('recovery-done');
    await page.goto(link);
    await clean('error');
    await page.goto(`${demo.issuer}/account/password`);
    await givesPassword(page, username, NEW);
    await change(page, 'wrong', `${NEW}s`);
    await clean('change-password', ', problem');
    await change(page, NEW, `${NEW}s`);
    await clean('change-password', ', changed');
    await page.goto(await demo.nextLink(username, NOT_ME));
    await clean('not-me');
    await press(page);
    await clean('recovery-sent', ', not me');
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, []])));
    expect(complaints).toEqual([]);
  });
});
