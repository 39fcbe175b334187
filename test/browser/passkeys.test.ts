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
  press,
  signInToOffer,
  stepOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { addDevice, BROWSERS, type Device, type KeptPasskey } from '../support/virtual-authenticator.ts';

const DAY = 86_400;
const SINGLE = 'https://refeds.org/profile/sfa';

// Every test has a person of its own: whose passkeys, and whose answers to the offer, are nobody else's.
requires('chromium')('with passkeys, a person', () => {
  const browser = withBrowser();
  const people = Array.from({ length: 32 }, (_, index) => `person${index}`);
  let demo: Demo;
  let mutuelle: string;

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    await demo.addPeople(people);
  }, 60_000);
  afterAll(() => demo?.stop());

  const newPerson = (): string => people.pop() ?? 'nobody is left';

  const openAs = async (script?: keyof typeof BROWSERS): Promise<Page> => {
    const page = await browser.open();
    if (script) await page.addInitScript(BROWSERS[script]);
    return page;
  };

  /** Somebody with a passkey, made earlier on another page. */
  async function somebody(synced = false): Promise<{ username: string; passkeys: readonly KeptPasskey[] }> {
    const username = newPerson();
    const page = await openAs('withPasswordManager');
    await page.exposeFunction('noteCreation', () => {});
    const device = await addDevice(page, { synced });
    await begin(page, mutuelle);
    await giveUsername(page, username);
    await page.waitForFunction("document.cookie.includes('automatic')");
    await page.locator('#password').fill(`${username}-demo-password`);
    await page.locator('#continue').click();
    await claimsOnArrival(page);
    const passkeys = await device.passkeys();
    await page.context().close();
    return { username, passkeys };
  }

  /** What is said where a passkey could not be used; it has the focus. */
  const sentence = async (page: Page): Promise<string> =>
    (await page.locator('#problem:focus').innerText()).replace(/^Error:\s*/, '');

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

    test('sees the offer only when the password manager does nothing', async () => {
      const page = await openAs();
      await addDevice(page);
      await signInToOffer(page, mutuelle, newPerson());
      const hidden = page.locator('.waits');
      expect(await hidden.count()).toBe(1);
      await page.getByRole('button', { name: 'Create a passkey' }).click();
      await claimsOnArrival(page);
    });

    test('who isn’t recognised by the device reads so, tries again, or goes on without', async () => {
      const page = await openAs();
      const device = await addDevice(page);
      await device.recognises(false);
      await signInToOffer(page, mutuelle, newPerson());
      await page.locator('#continue').click();
      expect(await sentence(page)).toBe('No passkey was created. Try again, or choose another way below.');
      expect(await page.title()).toMatch(/^Error: /);
      await page.locator('#continue').click();
      // The sentence is a new one, and has the focus again.
      expect(await sentence(page)).toBe('No passkey was created. Try again, or choose another way below.');
      await press(page, '[data-alternative=skip]');
      expect(await claimsAt(page)).toBeDefined();
    });
  });

  describe('signing in', () => {
    test('chooses a passkey in the username field: one tap after the portal’s button, nothing typed', async () => {
      const { passkeys } = await somebody(true);
      const page = await openAs();
      const done: string[] = [];
      await page.exposeFunction('noteInput', (what: string) => done.push(what));
      await page.addInitScript(
        "for (const type of ['pointerdown', 'keydown', 'input']) addEventListener(type, () => globalThis.noteInput(type), true);",
      );
      const device = await addDevice(page, { passkeys });
      await page.goto(mutuelle);
      await page.locator('#sign-in').click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['swk', 'user', 'mfa'], acr: 'phr' });
      // The portal's button is the only thing that was touched; the tap on the passkey is the browser's own.
      expect(done).toEqual(['pointerdown']);
      await device.happened('credentialAsserted');
    });

    test('with a passkey that does not work in the username field reads so, and types the username', async () => {
      const { username, passkeys } = await somebody();
      const page = await openAs();
      const device = await addDevice(page, { passkeys });
      await device.breaks('isBogusSignature');
      await page.goto(mutuelle);
      await page.locator('#sign-in').click();
      // The field goes on offering, and this device goes on choosing: out of reach, it stops.
      await page.locator('#problem').waitFor();
      await device.remove();
      expect(await page.locator('#problem').innerText()).toContain('That passkey did not work here.');
      await giveUsername(page, username);
      await press(page, '[data-alternative=password]');
      await givePassword(page, username);
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    });

    describe.each<[string, keyof typeof BROWSERS, (device: Device) => Promise<void>, string]>([
      ['is not recognised', 'withoutAutofill', (device) => device.recognises(false), 'Nothing was used.'],
      ['lets the time run out', 'impatient', (device) => device.reacts(false), 'Nothing was used.'],
      ['deleted the passkey on the device', 'withoutAutofill', (device) => device.forget(), 'Nothing was used.'],
      ['has a device that fails', 'broken', async () => {}, 'Your device could not do that.'],
      [
        'has a device that answers wrongly',
        'withoutAutofill',
        (device) => device.breaks('isBogusSignature'),
        'That passkey did not work here.',
      ],
    ])('who %s', (_who, script, happen, expected) => {
      test('reads it in plain words, and takes the password on the same page', async () => {
        const { username, passkeys } = await somebody();
        const page = await openAs('withoutAutofill');
        await page.addInitScript(BROWSERS[script]);
        const device = await addDevice(page, { passkeys });
        await happen(device);
        await begin(page, mutuelle);
        await giveUsername(page, username);
        expect(await sentence(page)).toContain(expected);
        expect([await stepOf(page), await page.title()]).toEqual([
          'passkey',
          'Error: Use your passkey – Mutuelle Azur',
        ]);
        await press(page, '[data-alternative=password]');
        expect(await page.locator('.account').innerText()).toContain(username);
        await givePassword(page, username);
        // Whoever has a passkey is not offered another for having used the password.
        expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'], acr: SINGLE });
      });
    });

    test('tries again after a slip, on the same page', async () => {
      const { username, passkeys } = await somebody();
      const page = await openAs('withoutAutofill');
      const device = await addDevice(page, { passkeys });
      await device.recognises(false);
      await begin(page, mutuelle);
      await giveUsername(page, username);
      await sentence(page);
      await device.recognises(true);
      await page.getByRole('button', { name: 'Use my passkey' }).click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['hwk', 'user', 'mfa'] });
    });

    test('takes the password while the device still waits', async () => {
      const { username, passkeys } = await somebody();
      const page = await openAs('withoutAutofill');
      const device = await addDevice(page, { passkeys });
      await device.reacts(false);
      await begin(page, mutuelle);
      await giveUsername(page, username);
      await page.getByRole('button', { name: 'One moment…' }).waitFor();
      await press(page, '[data-alternative=password]');
      await givePassword(page, username);
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    });

    test('without fingerprint, face or PIN has shown one factor', async () => {
      const { username, passkeys } = await somebody();
      const page = await openAs('withoutAutofill');
      const device = await addDevice(page, { passkeys });
      await device.breaks('isBadUV');
      await begin(page, mutuelle);
      await page.locator('#username').fill(username);
      await page.locator('#continue').click();
      expect(await claimsOnArrival(page)).toMatchObject({ amr: ['hwk', 'user'], acr: SINGLE });
    });

    test('is asked for the passkey alone where a portal wants more than the password', async () => {
      const { username, passkeys } = await somebody();
      const page = await openAs('withoutAutofill');
      const device = await addDevice(page, { passkeys });
      await device.reacts(false);
      await begin(page, mutuelle);
      await giveUsername(page, username);
      await press(page, '[data-alternative=password]');
      await givePassword(page, username);
      await device.reacts(true);
      await page.locator('#step-up').click();
      await page.waitForURL(`${mutuelle}*`);
      expect(await claimsOnArrival(page)).toMatchObject({ amr: expect.arrayContaining(['hwk', 'mfa']), acr: 'phr' });
    });

    test('with another device’s passkey is offered one on this device', async () => {
      const username = newPerson();
      const page = await openAs('withoutAutofill');
      const here = await addDevice(page);
      const telephone = await addDevice(page, { transport: 'cable', synced: true });
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

  test.each([
    ['an old browser', true],
    ['no JavaScript', false],
  ])('with %s sees nothing of passkeys but which browsers can', async (_what, javaScriptEnabled) => {
    const { username } = await somebody();
    const page = await browser.open({ javaScriptEnabled });
    await page.addInitScript(BROWSERS.withoutPasskeys);
    const complaints = complaintsOf(page, [demo.issuer, demo.portals]);
    await begin(page, mutuelle);
    expect(await page.getByText('passkey').count()).toBe(0);
    await giveUsername(page, username);
    expect(await stepOf(page)).toBe('password');
    expect(
      await page.locator('[data-alternative]').evaluateAll((all) => all.map((e) => e.getAttribute('data-alternative'))),
    ).toEqual(['switch', 'cancel']);
    expect(await page.locator('p.small').innerText()).toMatch(/passkey.*Chrome, Edge, Safari or Firefox/);
    await givePassword(page, username);
    expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    expect(complaints).toEqual([]);
  });
});
