import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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
  headingOf,
  makePasskey,
  press,
  problemOn,
  signInToOffer,
  stepOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { addDevice, BROWSERS, type KeptPasskey } from '../support/virtual-authenticator.ts';

const DAY = 86_400;
const SINGLE = 'https://refeds.org/profile/sfa';

// Every test has a person of its own: whose passkeys, and whose answers to the offer, are nobody else's.
requires('chromium')('with passkeys, a person', () => {
  const browser = withBrowser();
  const people = Array.from({ length: 8 }, (_, index) => `person${index}`);
  let demo: Demo;
  let mutuelle: string;
  /** Somebody who has a passkey from the beginning; no test takes it away. */
  const owner = 'person-with-a-passkey';
  let passkeys: readonly KeptPasskey[];

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    await demo.addPeople([...people, owner]);
    passkeys = await makePasskey(browser, mutuelle, owner);
  }, 60_000);
  afterAll(() => demo?.stop());

  const newPerson = (): string => people.pop() ?? 'nobody is left';

  const openAs = async (script?: keyof typeof BROWSERS): Promise<Page> => {
    const page = await browser.open();
    if (script) await page.addInitScript(BROWSERS[script]);
    return page;
  };

  describe('after a sign-in with the password', () => {
    test.each([
      ['kept on this device only', false, 'hwk'],
      ['shared between devices', true, 'swk'],
    ])('creates a passkey %s, and needs only the username next time', async (_what, synced, key) => {
      const username = newPerson();
      const page = await openAs('withoutAutofill');
      const complaints = complaintsOf(page, [demo.issuer, demo.portals]);
      const device = await addDevice(page, { synced });
      await signInToOffer(page, mutuelle, username);
      expect([await stepOf(page), await headingOf(page)]).toEqual(['offer-passkey', 'Sign in faster next time']);
      // The browser was asked to make one by itself; as it does nothing, the page shows itself.
      expect(await page.locator('.waits').count()).toBe(1);
      await page.getByRole('button', { name: 'Create a passkey' }).click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['pwd'], acr: SINGLE });
      expect(await device.passkeys()).toMatchObject([{ isResidentCredential: true, userName: username }]);

      await page.context().clearCookies();
      await begin(page, mutuelle);
      await page.locator('#username').fill(username);
      await page.locator('#continue').click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: [key, 'user', 'mfa'], acr: 'phr' });
      expect(complaints).toEqual([]);
    });

    test('skips the offer, and is asked again after thirty days', async () => {
      const username = newPerson();
      const page = await openAs();
      await addDevice(page);
      await signInToOffer(page, mutuelle, username);
      await press(page, '[data-alternative=skip]');
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
      await demo.advanceClock(29 * DAY);
      await page.context().clearCookies();
      await signInToOffer(page, mutuelle, username);
      expect(await claimsAt(page)).toBeDefined();
      await demo.advanceClock(2 * DAY);
      await page.context().clearCookies();
      await signInToOffer(page, mutuelle, username);
      expect(await stepOf(page)).toBe('offer-passkey');
    });

    test('says "don’t ask again", and is not', async () => {
      const username = newPerson();
      const page = await openAs();
      await addDevice(page);
      await signInToOffer(page, mutuelle, username);
      await press(page, '[data-alternative=never]');
      expect(await claimsAt(page)).toBeDefined();
      await demo.advanceClock(365 * DAY);
      await page.context().clearCookies();
      await signInToOffer(page, mutuelle, username);
      expect(await claimsAt(page)).toBeDefined();
    });

    test('is given one by the browser’s password manager, without a page or a click', async () => {
      const username = newPerson();
      const page = await openAs('withPasswordManager');
      const asked: string[] = [];
      await page.exposeFunction('noteCreation', (mediation: string) => asked.push(mediation));
      const device = await addDevice(page, { synced: true });
      await begin(page, mutuelle);
      await giveUsername(page, username);
      await page.waitForFunction("document.cookie.includes('automatic')");
      await page.locator('#password').fill(`${username}-demo-password`);
      await page.locator('#continue').click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['pwd'] });
      expect(asked).toEqual(['conditional']);
      expect(await device.passkeys()).toHaveLength(1);
    });

    test('who isn’t recognised by the device reads so, tries again, or goes on without', async () => {
      const page = await openAs();
      const device = await addDevice(page);
      await device.recognises(false);
      await signInToOffer(page, mutuelle, newPerson());
      await page.locator('#continue').click();
      expect(await problemOn(page)).toContain('No passkey was created. Try again, or choose another way below.');
      expect(await page.title()).toMatch(/^Error: /);
      await page.locator('#continue').click();
      // The sentence is a new one, and has the focus again.
      expect(await problemOn(page)).toContain('No passkey was created. Try again, or choose another way below.');
      await press(page, '[data-alternative=skip]');
      expect(await claimsAt(page)).toBeDefined();
    });
  });

  describe('signing in', () => {
    test('chooses a passkey in the username field: one tap after the portal’s button, nothing typed', async () => {
      const page = await openAs();
      const done: string[] = [];
      await page.exposeFunction('noteInput', (what: string) => done.push(what));
      await page.addInitScript(
        "for (const type of ['pointerdown', 'keydown', 'input']) addEventListener(type, () => globalThis.noteInput(type), true);",
      );
      const device = await addDevice(page, { passkeys });
      await page.goto(mutuelle);
      await page.locator('#sign-in').click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['hwk', 'user', 'mfa'], acr: 'phr' });
      // The portal's button is the only thing that was touched; the tap on the passkey is the browser's own.
      expect(done).toEqual(['pointerdown']);
      await device.happened('credentialAsserted');
    });

    test('without fingerprint, face or PIN has shown one factor', async () => {
      const page = await openAs('withoutAutofill');
      const device = await addDevice(page, { passkeys });
      await device.breaks('isBadUV');
      await begin(page, mutuelle);
      await page.locator('#username').fill(owner);
      await page.locator('#continue').click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['hwk', 'user'], acr: SINGLE });
    });

    test('is asked for the passkey alone where a portal wants more than the password', async () => {
      const page = await openAs('withoutAutofill');
      const device = await addDevice(page, { passkeys });
      await device.reacts(false);
      await begin(page, mutuelle);
      await giveUsername(page, owner);
      await press(page, '[data-alternative=password]');
      await givePassword(page, owner);
      await device.reacts(true);
      await page.locator('#step-up').click();
      await page.waitForURL(`${mutuelle}*`);
      expect(await claimsOnArrival(page)).toMatchObject({ amr: expect.arrayContaining(['hwk', 'mfa']), acr: 'phr' });
    });

    test('with another device’s passkey is offered one on this device', async () => {
      const username = newPerson();
      const page = await openAs('withoutAutofill');
      const here = await addDevice(page);
      const telephone = await addDevice(page, { transport: 'hybrid', synced: true });
      await here.reacts(false);
      await signInToOffer(page, mutuelle, username);
      await page.locator('#continue').click();
      await claimsOnArrival(page);
      await page.context().clearCookies();
      await begin(page, mutuelle);
      await page.locator('#username').fill(username);
      await page.locator('#continue').click();
      await page.getByText('You used a passkey from another device.').waitFor();
      await telephone.remove();
      await here.reacts(true);
      await page.getByRole('button', { name: 'Create a passkey' }).click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['swk', 'user', 'mfa'], acr: 'phr' });
      expect(await here.passkeys()).toMatchObject([{ userName: username }]);
    });
  });
});
