import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { accessibilityViolations } from '../support/axe.ts';
import { withBrowser } from '../support/browser.ts';
import { givePassword, giveUsername, press, stepOf } from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { codeOf, nextCode, withApp } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';

const anna = { username: 'anna', password: 'anna-demo-password', ...withApp };

requires('chromium')('a device that a person trusts', () => {
  const browser = withBrowser();
  let vestibule: Vestibule;

  beforeAll(async () => {
    vestibule = await startVestibule({ people: [anna], settings: { trusted_devices: { enabled: true } } });
  }, 60_000);
  afterAll(() => vestibule?.stop());

  /** To the account area, as on another day: signed out, with what the browser keeps. */
  const signIn = async (page: Page): Promise<void> => {
    await page.context().clearCookies({ name: /^vestibule_session/ });
    await page.goto(`${vestibule.issuer}/account/two-factor`);
    await giveUsername(page, anna.username);
    await givePassword(page, anna.username);
  };

  const giveCode = async (page: Page, { trust = false } = {}): Promise<void> => {
    // A code works once: the next one comes by moving the clock.
    await nextCode(vestibule);
    await page.locator('#code').fill(await codeOf(vestibule));
    if (trust) await page.locator('#trust').check();
    await press(page);
  };

  test('is asked for no code for a while, is listed, and is asked again once it is taken off the list', async () => {
    const page = await browser.open();
    await signIn(page);
    expect([await stepOf(page), await page.locator('label[for=trust]').textContent()]).toEqual([
      'totp',
      'Don’t ask on this device for 30 days',
    ]);
    expect(await accessibilityViolations(page)).toEqual([]);
    await giveCode(page, { trust: true });
    expect(await stepOf(page)).toBe('account-two-factor');

    await signIn(page);
    expect(await stepOf(page)).toBe('account-two-factor');
    expect(await page.locator('[data-alternative=forget]').count()).toBe(1);
    expect(await accessibilityViolations(page)).toEqual([]);
    // Another browser is not trusted with anybody.
    const other = await browser.open();
    await signIn(other);
    expect(await stepOf(other)).toBe('totp');

    await press(page, '[data-alternative=forget]');
    expect(await page.locator('[role=status]').textContent()).toContain('You will be asked for the code');
    await signIn(page);
    expect(await stepOf(page)).toBe('totp');
    // Signed in without the wish, the device stays a stranger.
    await giveCode(page);
    await signIn(page);
    expect(await stepOf(page)).toBe('totp');
  });
});
