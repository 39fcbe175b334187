import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startPortals } from '../../examples/portals/index.ts';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { begin, claimsAt, givePassword, giveUsername, headingOf, press, signIn, stepOf } from '../support/person.ts';
import { clientFile } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { requires } from '../support/requirements.ts';
import { startVestibule } from '../support/vestibule.ts';

const HOURS = 3600;

requires('chromium')('a sign-in that is interrupted', () => {
  const browser = withBrowser();

  describe('in the demo', () => {
    let demo: Demo;
    let mutuelle: string;
    let extranet: string;
    let agenda: string;

    beforeAll(async () => {
      demo = await startDemo();
      mutuelle = `${demo.portals}/mutuelle`;
      extranet = `${demo.portals}/extranet`;
      agenda = `${demo.portals}/agenda`;
    }, 60_000);
    afterAll(() => demo?.stop());

    /** The page that says "start again" and leads to the portal, where that works. */
    async function startsAgain(page: Page, portal: string): Promise<void> {
      expect([await stepOf(page), await headingOf(page)]).toEqual(['error', 'Please start again']);
      expect(await page.title()).toBe('Error: Please start again – Mutuelle Azur');
      expect(await page.locator('.reference code').textContent()).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
      await press(page);
      expect(page.url()).toBe(portal);
      await press(page, '#sign-in');
      expect(await stepOf(page)).toBe('identify');
    }

    test('by a long telephone call is begun again at the portal', async () => {
      const page = await browser.open();
      await begin(page, mutuelle);
      await giveUsername(page, 'alice');
      await demo.advanceClock(2 * HOURS);
      await givePassword(page, 'alice');
      await startsAgain(page, mutuelle);
    });

    test('by a browser that lost its cookies is begun again at the portal', async () => {
      const page = await browser.open();
      await begin(page, mutuelle);
      await page.context().clearCookies();
      await giveUsername(page, 'alice');
      await startsAgain(page, mutuelle);
    });

    test('and continued in another browser is begun again at the portal', async () => {
      const page = await browser.open();
      await begin(page, mutuelle);
      await giveUsername(page, 'alice');
      const other = await browser.open();
      await other.goto(page.url());
      await startsAgain(other, mutuelle);
    });

    test('by "back" or a reload shows the page that is due', async () => {
      const page = await browser.open();
      await begin(page, mutuelle);
      await giveUsername(page, 'alice');
      await page.goBack();
      expect(await stepOf(page)).toBe('password');
      await page.reload();
      expect(await stepOf(page)).toBe('password');
      await givePassword(page, 'alice', 'wrong');
      await page.reload();
      expect(await stepOf(page)).toBe('password');
      await givePassword(page, 'alice');
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    });

    test('by "back" after it was done leads to the portal, where one is signed in', async () => {
      const page = await browser.open();
      await signIn(page, mutuelle, 'alice');
      await page.goBack();
      expect([await stepOf(page), await headingOf(page)]).toEqual(['error', 'Please start again']);
      await press(page);
      expect(page.url()).toBe(mutuelle);
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    });

    test.each([true, false])('by an impatient second click is none (JavaScript: %s)', async (javaScriptEnabled) => {
      const page = await browser.open({ javaScriptEnabled });
      const twice = async (until: string) => {
        await page.locator('#continue').dblclick();
        await page.locator(until).waitFor();
      };
      await begin(page, agenda);
      await page.locator('#username').fill('sam');
      await twice('#password');
      await page.locator('#password').fill('sam-demo-password');
      await twice('[data-step=consent], #claims');
      // Allowed once for both runs of this test.
      if ((await claimsAt(page)) === undefined) await twice('#claims');
      expect(await claimsAt(page)).toMatchObject({ aud: 'agenda' });
    });

    test('by another tab: both end signed in', async () => {
      const first = await browser.open();
      const second = await first.context().newPage();
      await begin(first, mutuelle);
      await begin(second, mutuelle);
      await giveUsername(second, 'alice');
      await first.bringToFront();
      await giveUsername(first, 'alice');
      await second.bringToFront();
      await givePassword(second, 'alice');
      expect(await claimsAt(second)).toBeDefined();
      await first.bringToFront();
      await givePassword(first, 'alice');
      expect(first.url()).toBe(mutuelle);
      expect(await claimsAt(first)).toMatchObject({ sub: (await claimsAt(second))?.sub });
    });

    test('in a tab that shows an old page goes on with the page that is due', async () => {
      const page = await browser.open();
      await begin(page, mutuelle);
      const old = await page.context().newPage();
      await old.goto(page.url());
      await page.bringToFront();
      await giveUsername(page, 'alice');
      await old.bringToFront();
      await giveUsername(old, 'bruno');
      expect(await stepOf(old)).toBe('password');
      expect(await old.locator('.account').textContent()).toContain('alice');
      await page.bringToFront();
      await givePassword(page, 'alice');
      await old.bringToFront();
      await givePassword(old, 'alice');
      expect([await stepOf(old), await headingOf(old)]).toEqual(['error', 'Please start again']);
      await press(old);
      expect(await claimsAt(old)).toBeDefined();
    });

    test('by another person in another tab: whoever signed in last is signed in, everywhere', async () => {
      const first = await browser.open();
      const second = await first.context().newPage();
      await begin(first, extranet);
      await giveUsername(first, 'dieter');
      await signIn(second, mutuelle, 'alice');
      await first.bringToFront();
      await givePassword(first, 'dieter');
      expect(await claimsAt(first)).toMatchObject({ preferred_username: 'dieter' });
      await second.reload();
      expect(await claimsAt(second)).toBeUndefined();
    });
  });

  test('by a restart of the server goes on where it was, and single sign-on with it', async () => {
    const port = await freePort();
    const home = `http://localhost:${port}/mutuelle`;
    const mutuelle = clientFile('mutuelle', {
      client_secret: 'mutuelle-demo-secret',
      redirect_uris: [`${home}/callback`],
      post_logout_redirect_uris: [home],
    });
    const alice = { username: 'alice', password: 'alice-demo-password' };
    const vestibule = await startVestibule({ clients: [mutuelle], people: [alice] });
    const portals = await startPortals({ port, issuer: vestibule.issuer, log: () => {} });
    try {
      const page = await browser.open();
      await begin(page, home);
      await giveUsername(page, 'alice');
      await vestibule.kill();
      await vestibule.restart();
      await givePassword(page, 'alice');
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
      await vestibule.restart();
      await page.context().clearCookies({ name: 'mutuelle_session' });
      await begin(page, home);
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    } finally {
      await portals.close();
      await vestibule.stop();
    }
  });
});
