import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import {
  begin,
  claimsAt,
  claimsOnArrival,
  complaintsOf,
  givePassword,
  giveUsername,
  makePasskey,
  press,
  problemOn,
  stepOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { addDevice, BROWSERS, type Device, type KeptPasskey } from '../support/virtual-authenticator.ts';

const SINGLE = 'https://refeds.org/profile/sfa';

// One person with one passkey; whatever happens to it on a device, the sign-in ends at the portal.
requires('chromium')('where a passkey does not work, a person', () => {
  const browser = withBrowser();
  const owner = 'person-with-a-passkey';
  let demo: Demo;
  let mutuelle: string;
  let passkeys: readonly KeptPasskey[];

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    await demo.addPeople([owner]);
    passkeys = await makePasskey(browser, mutuelle, owner);
  }, 60_000);
  afterAll(() => demo?.stop());

  const openAs = async (script?: keyof typeof BROWSERS): Promise<Page> => {
    const page = await browser.open();
    if (script) await page.addInitScript(BROWSERS[script]);
    return page;
  };

  test('with a passkey that does not work in the username field reads so, and types the username', async () => {
    const page = await openAs();
    const device = await addDevice(page, { passkeys });
    await device.breaks('isBogusSignature');
    await page.goto(mutuelle);
    await page.locator('#sign-in').click();
    // The field goes on offering, and this device goes on choosing: out of reach, it stops.
    await page.locator('#problem').waitFor();
    await device.remove();
    expect(await page.locator('#problem').textContent()).toContain('That passkey did not work here.');
    await giveUsername(page, owner);
    await press(page, '[data-alternative=password]');
    await givePassword(page, owner);
    expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
  });

  describe.each<[string, keyof typeof BROWSERS, (device: Device) => Promise<void>, string]>([
    ['is not recognised', 'withoutAutofill', (device) => device.recognises(false), 'No passkey was used.'],
    ['lets the time run out', 'impatient', (device) => device.reacts(false), 'No passkey was used.'],
    ['deleted the passkey on the device', 'withoutAutofill', (device) => device.forget(), 'No passkey was used.'],
    ['has a device that fails', 'broken', async () => {}, 'Your device could not do that.'],
    [
      'has a device that answers wrongly',
      'withoutAutofill',
      (device) => device.breaks('isBogusSignature'),
      'That passkey did not work here.',
    ],
  ])('who %s', (_who, script, happen, expected) => {
    test('reads it in plain words, and takes the password on the same page', async () => {
      const page = await openAs('withoutAutofill');
      await page.addInitScript(BROWSERS[script]);
      const device = await addDevice(page, { passkeys });
      await happen(device);
      await begin(page, mutuelle);
      await giveUsername(page, owner);
      expect(await problemOn(page)).toContain(expected);
      expect([await stepOf(page), await page.title()]).toEqual(['passkey', 'Error: Use your passkey – Mutuelle Azur']);
      await press(page, '[data-alternative=password]');
      expect(await page.locator('.account').textContent()).toContain(owner);
      await givePassword(page, owner);
      // Whoever has a passkey is not offered another for having used the password.
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'], acr: SINGLE });
    });
  });

  test('tries again after a slip, on the same page', async () => {
    const page = await openAs('withoutAutofill');
    const device = await addDevice(page, { passkeys });
    await device.recognises(false);
    await begin(page, mutuelle);
    await giveUsername(page, owner);
    await problemOn(page);
    await device.recognises(true);
    await page.getByRole('button', { name: 'Use my passkey' }).click();
    expect(await claimsOnArrival(page)).toMatchObject({ amr: ['hwk', 'user', 'mfa'] });
  });

  test('takes the password while the device still waits', async () => {
    const page = await openAs('withoutAutofill');
    const device = await addDevice(page, { passkeys });
    await device.reacts(false);
    await begin(page, mutuelle);
    await giveUsername(page, owner);
    await page.getByRole('button', { name: 'One moment…' }).waitFor();
    await press(page, '[data-alternative=password]');
    await givePassword(page, owner);
    expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
  });

  describe.each([
    ['an old browser', true],
    ['no JavaScript', false],
  ])('with %s', (_what, javaScriptEnabled) => {
    let page: Page;
    let complaints: readonly string[];

    beforeEach(async () => {
      page = await browser.open({ javaScriptEnabled });
      await page.addInitScript(BROWSERS.withoutPasskeys);
      complaints = complaintsOf(page, [demo.issuer, demo.portals]);
    });
    afterEach(() => expect(complaints).toEqual([]));

    const alternatives = () =>
      page.locator('[data-alternative]').evaluateAll((all) => all.map((e) => e.getAttribute('data-alternative')));
    const small = () => page.locator('p.small:visible').allTextContents();
    const WHICH_CAN = expect.stringContaining('current version of Chrome, Edge, Safari or Firefox');

    test('signs in with the password, sees nothing of passkeys, and reads which browsers can', async () => {
      await begin(page, mutuelle);
      expect(await page.getByText('passkey').count()).toBe(0);
      await giveUsername(page, owner);
      expect([await stepOf(page), await alternatives()]).toEqual([
        'password',
        ['switch', 'external:demo-eid', 'recovery', 'cancel'],
      ]);
      expect(await small()).toEqual([WHICH_CAN]);
      await givePassword(page, owner);
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    });

    test('is shown no way to create one in the account area', async () => {
      await page.goto(`${demo.issuer}/account/passkeys`);
      await giveUsername(page, 'alice');
      await givePassword(page, 'alice');
      expect(await stepOf(page)).toBe('account-passkeys');
      expect([await page.locator('#continue').isVisible(), await small()]).toEqual([false, [WHICH_CAN]]);
      await page.goto(`${demo.issuer}/account/passkeys/add`);
      expect([await stepOf(page), await page.locator('#continue').isVisible()]).toEqual(['account-passkey-add', false]);
    });
  });

  describe('reads why passkeys can’t be changed without one', () => {
    const askToDelete = async (page: Page) => {
      await page.goto(`${demo.issuer}/account/passkeys`);
      await giveUsername(page, owner);
      await givePassword(page, owner);
      await press(page, '.cards a:has-text("Delete")');
    };

    test('in an old browser', async () => {
      const page = await openAs('withoutPasskeys');
      await askToDelete(page);
      expect([await stepOf(page), await page.locator('main .button:visible').allTextContents()]).toEqual([
        'account-refused',
        ['Back'],
      ]);
      await press(page);
      expect(await page.locator('.cards > li').count()).toBe(1);
    });

    // A browser that never said what it can might be able to, so the passkey is asked for.
    test('without JavaScript', async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await askToDelete(page);
      expect([await stepOf(page), await page.locator('main .button:visible').count()]).toEqual(['passkey', 0]);
      expect(await page.locator('p.small:visible').textContent()).toContain('your browser needs JavaScript.');
      await press(page, '[data-alternative=cancel]');
      expect(await page.locator('.cards > li').count()).toBe(1);
    });
  });
});
