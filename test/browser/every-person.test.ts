import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { faultsOf, focusOf, tabTo } from '../support/page-faults.ts';
import { begin, claimsAt, complaintsOf, givePassword, giveUsername, press, stepOf } from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { addDevice, BROWSERS } from '../support/virtual-authenticator.ts';

/** Bytes over the wire, headers included, of the first page with everything it loads. */
const FIRST_PAGE = 30 * 1024;

requires('chromium')('every page of the journey', () => {
  const browser = withBrowser();
  let demo: Demo;
  let mutuelle: string;
  let agenda: string;

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    agenda = `${demo.portals}/agenda`;
  }, 60_000);
  afterAll(() => demo?.stop());

  test('is accessible, fits a 320-pixel telephone and is clean', async () => {
    const page = await browser.open({ viewport: { width: 320, height: 640 } });
    const complaints = complaintsOf(page, [demo.issuer, demo.portals]);
    const found: Record<string, readonly unknown[]> = {};
    const look = async (name: string, step: string | null) => {
      expect([name, await stepOf(page)]).toEqual([name, step]);
      found[name] = await faultsOf(page);
    };
    await page.goto(agenda);
    await look('portal', null);
    await press(page, '#sign-in');
    await look('username', 'identify');
    await giveUsername(page, '');
    await look('username left out', 'identify');
    await giveUsername(page, 'alice');
    await look('password', 'password');
    await givePassword(page, 'alice', 'wrong');
    await look('wrong password', 'password');
    await givePassword(page, 'alice');
    await look('consent', 'consent');
    await press(page, '[data-alternative=cancel]');
    await look('portal, cancelled', null);
    await begin(page, mutuelle);
    await look('portal, signed in', null);
    await press(page, '#step-up');
    await press(page, '[data-alternative=cancel]');
    await look('portal, no second step', null);
    await page.goto(`${demo.issuer}/session/end`);
    await look('sign-out', 'sign-out');
    await press(page);
    await look('signed out', 'signed-out');
    await page.goto(`${demo.issuer}/interaction/unknown`);
    await look('start again', 'error');
    await page.goto(`${demo.issuer}/auth?client_id=mutuelle&response_type=code&redirect_uri=https://evil.example`);
    await look('wrong return address', 'error');
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, []])));
    expect(complaints).toEqual([]);
  });

  test.each([
    { colorScheme: 'light', locale: 'en-GB' },
    { colorScheme: 'dark', locale: 'de-CH' },
  ] as const)('is so with passkeys, too: %j', async (options) => {
    const page = await browser.open({ viewport: { width: 320, height: 640 }, ...options });
    const complaints = complaintsOf(page, [demo.issuer, demo.portals]);
    const found: Record<string, readonly unknown[]> = {};
    const username = `owner-${options.locale}`.toLowerCase();
    await demo.addPeople([username]);
    const look = async (name: string, step: string, at = page) => {
      await at.locator(`main[data-step="${step}"] h1`).waitFor();
      expect([await at.locator('html').getAttribute('lang'), name]).toEqual([options.locale, name]);
      found[name] = await faultsOf(at);
    };
    const click = (selector = '#continue') => page.locator(selector).click();
    const problem = () => page.locator('#problem:focus').waitFor();
    const device = await addDevice(page);
    await device.recognises(false);
    await page.goto(`${demo.issuer}/account/passkeys`);
    await look('username', 'identify');
    await giveUsername(page, username);
    await givePassword(page, username);
    await look('offer', 'offer-passkey');
    await click();
    await problem();
    await look('offer, not recognised', 'offer-passkey');
    await press(page, '[data-alternative=skip]');
    await look('no passkey', 'account-passkeys');
    await press(page);
    await look('add', 'account-passkey-add');
    await click();
    await problem();
    await look('add, not recognised', 'account-passkey-add');
    await device.recognises(true);
    await click();
    await look('name', 'account-passkey-name');
    await press(page);
    await look('list', 'account-passkeys');
    await device.recognises(false);
    await press(page, '.cards a[href$=delete]');
    await problem();
    await look('passkey, not recognised', 'passkey');
    await device.recognises(true);
    await page.reload();
    await look('delete', 'account-passkey-delete');
    await device.reacts(false);
    await page.context().clearCookies();
    await page.goto(`${demo.issuer}/account/passkeys`);
    await giveUsername(page, username);
    await look('passkey', 'passkey');
    await press(page, '[data-alternative=password]');
    await givePassword(page, username);
    // Signed in by the password, in a browser that can't show the passkey that is asked for.
    const old = await page.context().newPage();
    await old.addInitScript(BROWSERS.withoutPasskeys);
    await old.goto(`${demo.issuer}/account/passkeys`);
    await look('list in an old browser', 'account-passkeys', old);
    await press(old, '.cards a[href$=delete]');
    await look('refused', 'account-refused', old);
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, []])));
    expect(complaints).toEqual([]);
  });

  test('can be done with the keyboard alone', async () => {
    const page = await browser.open();
    const { keyboard } = page;
    const enter = () => Promise.all([page.waitForEvent('load'), keyboard.press('Enter')]);
    // Where the page puts the focus by itself, which may be a moment after it has loaded.
    const focused = (id: string) => page.locator(`#${id}:focus`).waitFor();
    await page.goto(agenda);
    await tabTo(page, 'sign-in');
    await enter();
    // The field has the focus already, and Enter sends the form.
    await focused('username');
    await keyboard.type('dieter');
    await enter();
    await focused('password');
    await keyboard.type('not-his-password');
    await enter();
    // The field comes next, wherever a slow page had put the focus.
    await focused('problem');
    await tabTo(page, 'password');
    await keyboard.type('dieter-demo-password');
    await enter();
    expect(await stepOf(page)).toBe('consent');
    await tabTo(page, 'continue');
    await enter();
    expect(await claimsAt(page)).toMatchObject({ aud: 'agenda' });
    await tabTo(page, 'sign-out');
    await enter();
    expect(await claimsAt(page)).toBeUndefined();
  });

  test('is walked through by Tab from top to bottom, and the focus is seen', async () => {
    const page = await browser.open();
    const stops = async () => {
      const seen: string[] = [];
      await page.locator('main :focus').waitFor();
      for (let focus = await focusOf(page); focus !== '' && seen.length < 30; focus = await focusOf(page)) {
        seen.push(focus);
        await page.keyboard.press('Tab');
      }
      return seen;
    };
    const rest = ['continue', 'external:demo-eid', 'recovery', 'cancel', 'A', 'en', 'fr', 'nl', 'de', 'it'];
    await begin(page, mutuelle);
    expect(await stops()).toEqual(['username', ...rest]);
    await giveUsername(page, 'alice');
    expect(await stops()).toEqual(['password', 'reveal', ...rest]);
  });

  test('lets the browser’s password manager do its work', async () => {
    const page = await browser.open();
    const attributes = (selector: string, names: readonly string[]) =>
      page.locator(selector).evaluate((field, wanted) => wanted.map((name) => field.getAttribute(name)), names);
    await begin(page, mutuelle);
    expect(await attributes('#username', ['name', 'autocomplete', 'autocapitalize', 'spellcheck'])).toEqual([
      'username',
      'username webauthn',
      'none',
      'false',
    ]);
    await giveUsername(page, 'alice');
    const form = 'form:has(#password)';
    expect(await attributes(`${form} [autocomplete=username]`, ['value', 'name', 'readonly', 'type'])).toEqual([
      'alice',
      null,
      '',
      'text',
    ]);
    expect(await attributes('#password', ['name', 'type', 'autocomplete'])).toEqual([
      'password',
      'password',
      'current-password',
    ]);
    // Looked at, then sent: as a password again, and in full.
    await page.locator('#password').fill('alice-demo-password');
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await attributes('#password', ['type'])).toEqual(['text']);
    await press(page);
    expect(await claimsAt(page)).toBeDefined();
  });

  test('weighs little, and is protected by a strict policy', async () => {
    const page = await browser.open();
    await page.goto(mutuelle);
    const bytes = await bytesOf(page, () => press(page, '#sign-in'));
    expect(await stepOf(page)).toBe('identify');
    expect(bytes).toBeGreaterThan(1024);
    expect(bytes).toBeLessThanOrEqual(FIRST_PAGE);
    const headers = (await page.reload())?.headers() ?? {};
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });

  /** What comes over the wire until the page has loaded, by the browser's own count. */
  async function bytesOf(page: Page, visit: () => Promise<void>): Promise<number> {
    const debuggee = await page.context().newCDPSession(page);
    await debuggee.send('Network.enable');
    await debuggee.send('Network.setCacheDisabled', { cacheDisabled: true });
    let bytes = 0;
    debuggee.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    debuggee.on('Network.requestWillBeSent', ({ redirectResponse }) => {
      bytes += redirectResponse?.encodedDataLength ?? 0;
    });
    await visit();
    return bytes;
  }
});
