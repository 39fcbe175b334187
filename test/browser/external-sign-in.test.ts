import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { EID, eidas, passEid, passEidByKeyboard } from '../support/demo-eid.ts';
import { faultsOf, focusOf, tabTo } from '../support/page-faults.ts';
import {
  atKeyboard,
  begin,
  claimsAt,
  complaintsOf,
  giveCode,
  givePassword,
  giveUsername,
  headingOf,
  makePasskey,
  press,
  problemOn,
  stepOf,
  textOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { withApp } from '../support/second-factor.ts';
import { BROWSERS } from '../support/virtual-authenticator.ts';

/** The narrowest telephone; `faultsOf` looks at it with text of twice the size, too. */
const TELEPHONE = { width: 320, height: 640 };
const LINK = { en: 'Link Demo eID to your account', de: 'Demo-eID mit Ihrem Konto verknüpfen' };

/** The citizens are five, and an identity stays linked: each test has one of its own. */
requires('chromium')('with the demo’s eID a person', () => {
  const browser = withBrowser();
  let demo: Demo;
  let mutuelle: string;
  let origins: readonly string[];

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    origins = [demo.issuer, demo.portals, demo.eid];
    await demo.addPeople(['ella', 'enzo', { username: 'flora', ...withApp }, 'gina', 'hugo']);
  }, 60_000);
  afterAll(() => demo?.stop());

  /** In a browser that was never here, there and back at once. */
  async function comeAgain(...as: [citizen: 'alice' | 'bruno' | 'nora' | 'aline' | 'jan', level?: 'low' | 'high']) {
    const page = await browser.open();
    await begin(page, mutuelle);
    await passEid(page, ...as);
    return page;
  }
  const buttonsOn = (page: Page) => page.locator('.external').allTextContents();

  test('finds its button, with name and logo, on both first pages of the portals that offer it', async () => {
    const page = await browser.open({ locale: 'fr-BE' });
    const complaints = complaintsOf(page, origins);
    await begin(page, mutuelle);
    const logo = () =>
      page.evaluate(
        `(({ naturalWidth, alt, src }) => [naturalWidth > 0, alt, src])(document.querySelector('${EID} img'))`,
      );
    for (const step of ['identify', 'password']) {
      expect([await stepOf(page), await buttonsOn(page)]).toEqual([step, ['Me connecter avec eID Démo']]);
      // A picture of the provider’s is served here: it learns nothing of who only looks at the page.
      expect(await logo()).toEqual([true, '', expect.stringMatching(`^${demo.issuer}/assets/`)]);
      if (step === 'identify') await giveUsername(page, 'ella');
    }
    await begin(page, `${demo.portals}/agenda`);
    expect([await stepOf(page), await buttonsOn(page)]).toEqual(['identify', []]);
    await giveUsername(page, 'ella');
    expect([await stepOf(page), await buttonsOn(page)]).toEqual(['password', []]);
    expect(complaints).toEqual([]);
  });

  test.each([true, false])('who cancels there is back where they were, and told so (script: %s)', async (script) => {
    const page = await browser.open({ javaScriptEnabled: script, viewport: TELEPHONE });
    const complaints = complaintsOf(page, origins);
    await begin(page, mutuelle);
    for (const step of ['identify', 'password']) {
      await press(page, EID);
      if (script) expect(await faultsOf(page)).toEqual([]);
      await press(page, '#cancel');
      expect(await stepOf(page)).toBe(step);
      // Read first, and the one thing that is said.
      expect(await problemOn(page)).toMatch(/You cancelled at Demo eID. You can try again or sign in another way.$/);
      if (script) expect(await faultsOf(page)).toEqual([]);
      if (step === 'identify') await giveUsername(page, 'ella');
    }
    expect(await textOf(page)).toContain('ella');
    await givePassword(page, 'ella');
    expect((await claimsAt(page))?.amr).toEqual(['pwd']);
    expect(complaints).toEqual([]);
  });

  describe('whom nobody knows here', () => {
    test('links it to the account they prove, by keyboard alone, in the dark, in German', async () => {
      const page = await browser.open({ locale: 'de-CH', colorScheme: 'dark', viewport: TELEPHONE });
      const complaints = complaintsOf(page, origins);
      const keyboard = atKeyboard(page);
      await begin(page, mutuelle);
      expect(await faultsOf(page)).toEqual([]);
      await passEidByKeyboard(page, 'nora');
      expect([await stepOf(page), await headingOf(page)]).toEqual(['external', LINK.de]);
      const text = await textOf(page);
      expect(text).toContain('Laut Demo-eID sind Sie Nora Haddad.');
      // The third way besides linking and creating: somebody who helps.
      expect(text).toMatch(/bitten Sie um Hilfe\. Mutuelle Azur, Mitgliederdienst: \+32 2 555 12 34/);
      expect(await faultsOf(page)).toEqual([]);
      await tabTo(page, 'continue');
      await keyboard.enter();
      // What it is asked for, and no button that leads in a circle.
      expect([await stepOf(page), await textOf(page), await buttonsOn(page)]).toEqual([
        'identify',
        expect.stringContaining('wird Demo-eID mit Ihrem Konto verknüpft'),
        [],
      ]);
      expect(await faultsOf(page)).toEqual([]);
      await keyboard.type('username', 'ella');
      expect([await textOf(page), await buttonsOn(page)]).toEqual([
        expect.stringContaining('wird Demo-eID mit Ihrem Konto verknüpft'),
        [],
      ]);
      await keyboard.type('password', 'ella-demo-password');
      const claims = await claimsAt(page);
      expect(claims).toMatchObject({ acr: eidas('substantial'), amr: ['pwd'] });
      expect(complaints).toEqual([]);

      const again = await comeAgain('nora', 'high');
      expect(again.url()).toBe(mutuelle);
      expect(await claimsAt(again)).toMatchObject({ sub: claims?.sub, acr: eidas('high') });
    });

    test('links it without a script, and with whatever the account has besides a password', async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await begin(page, mutuelle);
      await passEid(page, 'bruno');
      expect([await stepOf(page), await headingOf(page)]).toEqual(['external', LINK.en]);
      await press(page);
      await giveUsername(page, 'flora');
      await givePassword(page, 'flora');
      expect(await stepOf(page)).toBe('totp');
      await giveCode(page, await demo.nextCode(withApp.totp.secret));
      const claims = await claimsAt(page);
      expect(claims).toMatchObject({ acr: eidas('substantial'), amr: ['pwd', 'otp', 'mfa'] });

      const again = await comeAgain('bruno');
      expect(await claimsAt(again)).toMatchObject({ sub: claims?.sub, acr: eidas('substantial') });
      // A low level is one factor, as a password is.
      const low = await comeAgain('bruno', 'low');
      expect(await stepOf(low)).toBe('totp');
      await giveCode(low, await demo.nextCode(withApp.totp.secret));
      expect((await claimsAt(low))?.sub).toBe(claims?.sub);
    });

    test('goes another way instead, and nothing is linked', async () => {
      const page = await browser.open();
      await begin(page, mutuelle);
      await passEid(page, 'jan');
      await press(page, '[data-alternative=back]');
      expect(await stepOf(page)).toBe('identify');
      await giveUsername(page, 'enzo');
      await givePassword(page, 'enzo');
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
      expect(await stepOf(await comeAgain('jan'))).toBe('external');
    });

    test('creates an account, which it signs in to from then on', async () => {
      const page = await browser.open({ javaScriptEnabled: false });
      await begin(page, mutuelle);
      await passEid(page, 'aline');
      await press(page, '[data-alternative=create]');
      expect(await headingOf(page)).toContain('Aline Petit');
      const claims = await claimsAt(page);
      expect(claims?.acr).toBe(eidas('substantial'));
      const again = await comeAgain('aline', 'high');
      expect(await claimsAt(again)).toMatchObject({ sub: claims?.sub, acr: eidas('high') });
    });

    test('whose passkey can not be used without a script goes on without linking', async () => {
      await makePasskey(browser, mutuelle, 'hugo');
      const page = await browser.open({ javaScriptEnabled: false });
      await begin(page, mutuelle);
      await passEid(page, 'alice');
      await press(page);
      await giveUsername(page, 'hugo');
      await givePassword(page, 'hugo');
      await press(page, '[data-alternative=back]');
      expect([page.url(), await claimsAt(page)]).toEqual([mutuelle, expect.objectContaining({ amr: ['pwd'] })]);
      expect(await stepOf(await comeAgain('alice'))).toBe('external');
    });

    test('can not show here what protects the account, and goes on without linking', async () => {
      await makePasskey(browser, mutuelle, 'gina');
      const page = await browser.open({ locale: 'fr-CH', viewport: TELEPHONE });
      await page.addInitScript(BROWSERS.withoutPasskeys);
      const complaints = complaintsOf(page, origins);
      await begin(page, mutuelle);
      await passEid(page, 'alice');
      await press(page);
      await giveUsername(page, 'gina');
      await givePassword(page, 'gina');
      expect([await stepOf(page), await headingOf(page)]).toEqual(['external', 'Impossible ici']);
      expect(await textOf(page)).toContain('Vous pouvez continuer sans lier');
      expect(await faultsOf(page)).toEqual([]);
      await tabTo(page, 'back');
      expect(await focusOf(page)).toBe('back');
      await atKeyboard(page).enter();
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
      expect(complaints).toEqual([]);
      expect(await stepOf(await comeAgain('alice'))).toBe('external');
    });
  });
});
