import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { stopsToContinue, tabTo } from '../support/page-faults.ts';
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
  stepOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';
import { addDevice, type Device, type KeptPasskey } from '../support/virtual-authenticator.ts';

const HOUR = 3600;

requires('chromium')('in the account area, a person', () => {
  const browser = withBrowser();
  const people = Array.from({ length: 8 }, (_, index) => `person${index}`);
  let demo: Demo;
  let mutuelle: string;
  let list: string;

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    list = `${demo.issuer}/account/passkeys`;
    await demo.addPeople(people);
  }, 60_000);
  afterAll(() => demo?.stop());

  const newPerson = (): string => people.pop() ?? 'nobody is left';

  /** Waits for a page that comes by itself, after a ceremony say. */
  const shown = (page: Page, step: string) => page.locator(`main[data-step="${step}"]`).waitFor();
  /** Sorted: passkeys made within one second stand in any order. */
  const names = async (page: Page) => (await page.locator('.cards h2').allTextContents()).toSorted();
  const card = (page: Page, name: string) => page.locator('.cards > li', { hasText: name });

  /** Signs in by the password, with a device that has no passkey yet, and declines the offer. */
  async function signInToList(page: Page, username: string): Promise<void> {
    await page.goto(list);
    await giveUsername(page, username);
    await givePassword(page, username);
    if ((await stepOf(page)) === 'offer-passkey') await press(page, '[data-alternative=skip]');
    expect(await stepOf(page)).toBe('account-passkeys');
  }

  /** Somebody with a passkey on the device of this page, signed in with it. */
  async function owner(page: Page): Promise<{ username: string; device: Device; passkeys: readonly KeptPasskey[] }> {
    const username = newPerson();
    const passkeys = await makePasskey(browser, mutuelle, username);
    const device = await addDevice(page, { passkeys });
    await page.goto(list);
    await shown(page, 'account-passkeys');
    return { username, device, passkeys };
  }

  test('creates passkeys, names, renames and deletes them, and is told by mail', async () => {
    const username = newPerson();
    const page = await browser.open();
    const complaints = complaintsOf(page, [demo.issuer]);
    const computer = await addDevice(page);
    await signInToList(page, username);
    expect([await headingOf(page), await names(page)]).toEqual(['Your passkeys', []]);
    expect(await page.locator('main').textContent()).toContain('You have no passkey yet.');

    await press(page, '#continue');
    expect([await stepOf(page), await headingOf(page)]).toEqual(['account-passkey-add', 'Add a passkey']);
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await shown(page, 'account-passkey-name');
    expect([await headingOf(page), await page.locator('#name').inputValue()]).toEqual([
      'Your passkey is saved',
      'Linux',
    ]);
    await page.locator('#name').fill('Work laptop');
    await press(page);
    expect(await names(page)).toEqual(['Work laptop']);
    expect(await card(page, 'Work laptop').textContent()).toMatch(/on one device only\s.*Last used:\s+not yet/s);

    // The second one: the first must be shown before, and can't be made twice on one device.
    await page.locator('#continue').click();
    await shown(page, 'account-passkey-add');
    await page.locator('#continue').click();
    expect(await problemOn(page)).toContain('This device already has a passkey for this account.');
    await computer.reacts(false);
    await addDevice(page, { transport: 'usb' });
    await page.locator('#continue').click();
    await shown(page, 'account-passkey-name');
    await page.locator('#name').fill('');
    await press(page);
    expect(await problemOn(page)).toContain('Enter a name.');
    await page.locator('#name').fill('Key ring');
    await press(page);
    expect(await names(page)).toEqual(['Key ring', 'Work laptop']);
    expect(await card(page, 'Work laptop').textContent()).toMatch(/Last used:\s+\d+ \w+ \d{4}/);

    await press(page, '.cards li:has(h2:text-is("Key ring")) a:has-text("Rename")');
    expect([await headingOf(page), await page.locator('#name').inputValue()]).toEqual(['Rename passkey', 'Key ring']);
    await page.locator('#name').fill('Spare key');
    await press(page);
    expect(await names(page)).toEqual(['Spare key', 'Work laptop']);
    expect(await page.getByRole('status').textContent()).toContain('The new name is saved.');

    await press(page, '.cards li:has(h2:text-is("Spare key")) a:has-text("Delete")');
    expect([await stepOf(page), await headingOf(page)]).toEqual([
      'account-passkey-delete',
      'Delete the passkey “Spare key”?',
    ]);
    await press(page, '[data-alternative=cancel]');
    expect(await names(page)).toEqual(['Spare key', 'Work laptop']);
    await press(page, '.cards li:has(h2:text-is("Spare key")) a:has-text("Delete")');
    await press(page);
    expect(await names(page)).toEqual(['Work laptop']);
    expect(await page.getByRole('status').textContent()).toContain('is deleted.');

    expect(await demo.mailsTo(username, 2, /passkey was added/)).toHaveLength(2);
    const [removed] = await demo.mailsTo(username, 1, /passkey was removed/);
    expect(removed?.text).toContain('The passkey “Spare key” was removed');
    expect(removed?.text).toContain('If this wasn’t you');
    expect(complaints).toEqual([]);
  });

  test('deletes the last passkey, which this device then forgets, and signs in with the password', async () => {
    const page = await browser.open();
    const { username, device } = await owner(page);
    await press(page, '.cards a:has-text("Delete")');
    expect(await page.locator('main').textContent()).toContain('It is your last passkey.');
    await press(page);
    expect(await names(page)).toEqual([]);
    // All accepted credentials (Signal API): none.
    await device.happened('credentialDeleted');
    expect(await device.passkeys()).toEqual([]);
    await page.context().clearCookies();
    await begin(page, mutuelle);
    await giveUsername(page, username);
    expect(await stepOf(page)).toBe('password');
    await givePassword(page, username);
    // Whoever deleted one is not offered the next at once.
    expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
  });

  test('who chooses a passkey deleted here reads so; the device forgets it, and the password does', async () => {
    const here = await browser.open();
    const { username, device } = await owner(here);
    const elsewhere = await browser.open();
    const copy = await addDevice(elsewhere, { passkeys: await device.passkeys() });
    await elsewhere.goto(list);
    await shown(elsewhere, 'account-passkeys');
    await press(elsewhere, '.cards a:has-text("Delete")');
    await press(elsewhere);
    await copy.happened('credentialDeleted');

    await here.context().clearCookies();
    await here.goto(mutuelle);
    await here.locator('#sign-in').click();
    expect(await problemOn(here)).toContain('That passkey has been deleted here.');
    // Unknown credential (Signal API).
    await device.happened('credentialDeleted');
    expect(await device.passkeys()).toEqual([]);
    await giveUsername(here, username);
    await givePassword(here, username);
    expect(await claimsAt(here)).toMatchObject({ amr: ['pwd'] });
  });

  test('whose name has changed sees the new one on the device', async () => {
    const username = newPerson();
    const [passkey] = await makePasskey(browser, mutuelle, username);
    const page = await browser.open();
    const device = await addDevice(page, {
      passkeys: [{ ...(passkey as KeptPasskey), userName: 'an-old-name', userDisplayName: 'An Old Name' }],
    });
    await page.goto(list);
    await shown(page, 'account-passkeys');
    // Current user details (Signal API).
    await device.happened('credentialUpdated');
    expect(await device.passkeys()).toMatchObject([{ userName: username, userDisplayName: username }]);
  });

  test('proves again who it is before anything changes, or goes back', async () => {
    const page = await browser.open();
    const { device } = await owner(page);
    await demo.advanceClock(HOUR);
    await device.recognises(false);
    await press(page, '#continue');
    await problemOn(page);
    expect(await stepOf(page)).toBe('passkey');
    await press(page, '[data-alternative=cancel]');
    expect(await stepOf(page)).toBe('account-passkeys');
    await press(page, '.cards a:has-text("Delete")');
    await problemOn(page);
    await device.recognises(true);
    await page.getByRole('button', { name: 'Use my passkey' }).click();
    await shown(page, 'account-passkey-delete');
  });

  test('who left the page open for an hour proves again who it is, and goes on', async () => {
    const username = newPerson();
    const page = await browser.open();
    await addDevice(page);
    await signInToList(page, username);
    await press(page);
    await demo.advanceClock(HOUR);
    await page.locator('#continue').click();
    await shown(page, 'password');
    await givePassword(page, username);
    await page.locator('#continue').click();
    await shown(page, 'account-passkey-name');
  });

  test('needs nothing but the keyboard, from the offer to the last deletion', async () => {
    const username = newPerson();
    const page = await browser.open();
    const { keyboard } = page;
    await addDevice(page);
    const enter = () => Promise.all([page.waitForEvent('load'), keyboard.press('Enter')]);
    const focused = (id: string) => page.locator(`#${id}:focus`).waitFor();
    await page.goto(mutuelle);
    await tabTo(page, 'sign-in');
    await enter();
    await focused('username');
    await keyboard.type(username);
    await enter();
    await focused('password');
    await keyboard.type(`${username}-demo-password`);
    await enter();
    await page.getByRole('button', { name: 'Create a passkey' }).waitFor();
    await tabTo(page, 'continue');
    await keyboard.press('Enter');
    await claimsOnArrival(page);

    await page.goto(list);
    await shown(page, 'account-passkeys');
    expect(await stopsToContinue(page)).toEqual(['A', 'A', 'A', 'A', 'sign-out', 'quiet', 'quiet', 'continue']);
    await keyboard.press('Shift+Tab');
    await keyboard.press('Shift+Tab');
    await enter();
    await focused('name');
    await keyboard.press('ControlOrMeta+A');
    await keyboard.type('My laptop');
    await enter();
    expect(await names(page)).toEqual(['My laptop']);
    await page.locator('.cards a', { hasText: 'Delete' }).focus();
    // The passkey is asked for first, and answers by itself.
    await keyboard.press('Enter');
    await shown(page, 'account-passkey-delete');
    await tabTo(page, 'continue');
    await enter();
    expect(await names(page)).toEqual([]);
  });
});
