import type { Page } from 'playwright-core';
import type { BrowserUnderTest } from './browser.ts';
import type { Demo } from './demo.ts';
import { addDevice, BROWSERS, type KeptPasskey } from './virtual-authenticator.ts';

/** What a person does in the demo with a browser, with JavaScript or without. */

/** Presses something that leads to another page, and waits for that page. */
export async function press(page: Page, selector = '#continue'): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.locator(selector).click()]);
}

/** Opens a portal and asks it to sign in; the first page of Vestibule's, or the portal's if none was needed. */
export async function begin(page: Page, portal: string): Promise<void> {
  await page.goto(portal);
  await press(page, '#sign-in');
}

export async function giveUsername(page: Page, username: string): Promise<void> {
  await page.locator('#username').fill(username);
  await press(page);
}

/** @param password that of a demo person unless said otherwise */
export async function givePassword(
  page: Page,
  username: string,
  password = `${username}-demo-password`,
): Promise<void> {
  await page.locator('#password').fill(password);
  await press(page);
}

/** On the page that a mailed link leads to. */
export async function chooseNewPassword(page: Page, password: string, again = password): Promise<void> {
  await page.locator('#new_password').fill(password);
  await page.locator('#new_password_again').fill(again);
  await press(page);
}

/** Six digits from an app or a message, on the page that asks for them. */
export async function giveCode(page: Page, code: string): Promise<void> {
  await page.locator('#code').fill(code);
  await press(page);
}

export async function giveRecoveryCode(page: Page, code: string): Promise<void> {
  await page.locator('#recovery_code').fill(code);
  await press(page);
}

/** The key that a page shows for typing it into an app. */
export const keyIn = async (page: Page): Promise<string> =>
  ((await page.locator('.key').textContent()) ?? '').replaceAll(' ', '');

export const recoveryCodesIn = (page: Page): Promise<string[]> => page.locator('#codes code').allTextContents();

/** Ticks the box, and goes on. @returns the codes */
export async function keepRecoveryCodes(page: Page): Promise<string[]> {
  const codes = await recoveryCodesIn(page);
  await page.locator('#kept').check();
  await press(page);
  return codes;
}

/** From the page with a key to the one after the recovery codes. @returns the app's key, and the codes */
export async function setUpApp(page: Page, demo: Demo): Promise<{ key: string; codes: string[] }> {
  const key = await keyIn(page);
  await giveCode(page, await demo.nextCode(key));
  return { key, codes: await keepRecoveryCodes(page) };
}

export async function signIn(page: Page, portal: string, username: string): Promise<void> {
  await begin(page, portal);
  await giveUsername(page, username);
  await givePassword(page, username);
}

/**
 * The same up to the offer of a passkey, which comes where the browser can make one: `addDevice(page)`
 * before. The page may stay hidden for a moment while the browser tries to make one by itself.
 */
export async function signInToOffer(page: Page, portal: string, username: string): Promise<void> {
  await begin(page, portal);
  await giveUsername(page, username);
  // What the browser can do is known a moment after the page has loaded; nobody types that fast.
  await page.waitForFunction("document.cookie.includes('platform')");
  await givePassword(page, username);
}

/**
 * Signs somebody in on a page of its own, where the browser makes a passkey by itself. @returns it:
 * `addDevice(page, { passkeys })` gives it to the device of another page
 */
export async function makePasskey(
  browser: BrowserUnderTest,
  portal: string,
  username: string,
  { synced = false } = {},
): Promise<readonly KeptPasskey[]> {
  const page = await browser.open();
  await page.addInitScript(BROWSERS.withPasswordManager);
  await page.exposeFunction('noteCreation', () => {});
  const device = await addDevice(page, { synced });
  await begin(page, portal);
  await giveUsername(page, username);
  await page.waitForFunction("document.cookie.includes('automatic')");
  await givePassword(page, username);
  await claimsOnArrival(page);
  const passkeys = await device.passkeys();
  await page.context().close();
  return passkeys;
}

/** The sentence of a problem that a script shows, once it has the focus. */
export const problemOn = async (page: Page): Promise<string> =>
  (await page.locator('#problem:focus').textContent())?.trim() ?? '';

/** The step that Vestibule's page shows; null at a portal. */
export const stepOf = (page: Page): Promise<string | null> => page.locator('main').getAttribute('data-step');

export const headingOf = async (page: Page): Promise<string> => (await page.locator('h1').textContent()) ?? '';

/** Everything a page says, without header and footer. */
export const textOf = async (page: Page): Promise<string> => (await page.locator('main').textContent()) ?? '';

/** A person at the keyboard: nothing is touched, nothing is filled in. */
export function atKeyboard(page: Page) {
  const enter = async () => {
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  };
  return {
    /** On whatever leads to another page; waits for that page. */
    enter,
    /** Types into the field that has the focus, or gets it in a moment, and presses Enter. */
    async type(id: string, text: string): Promise<void> {
      await page.locator(`#${id}:focus`).waitFor();
      await page.keyboard.type(text);
      await enter();
    },
  };
}

/** What the portal was told about the person; undefined when nobody is signed in there. */
export async function claimsAt(page: Page): Promise<Readonly<Record<string, unknown>> | undefined> {
  const claims = page.locator('#claims');
  return (await claims.count()) === 0 ? undefined : JSON.parse((await claims.textContent()) ?? '');
}

/** What the portal was told once somebody comes there without a click. */
export async function claimsOnArrival(page: Page): Promise<Readonly<Record<string, unknown>>> {
  const claims = page.locator('#claims');
  await claims.waitFor();
  return JSON.parse((await claims.textContent()) ?? '');
}

/** A page with a problem answers 400, which the browser writes to its console by itself. */
const ANNOUNCED = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** A test may type into a field before the page itself has put the focus there. */
const HURRIED = 'Autofocus processing was blocked because a document already has a focused element.';

/**
 * Listens from now on for what no page may do: anything in the console (errors, refusals by the
 * security policy, hints about its forms), failed scripts, requests to somebody else. `expect(…).toEqual([])` at the end.
 * @param origins those who may be asked
 */
export function complaintsOf(page: Page, origins: readonly string[]): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    const asked = message.location().url === page.url() && ANNOUNCED.test(message.text());
    if (!asked && !message.text().startsWith(HURRIED)) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    // Whoever goes on before everything is there, such as the icon, stops the rest.
    if (why !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${why}`);
  });
  page.on('request', (request) => {
    if (!origins.includes(new URL(request.url()).origin)) complaints.push(`asked ${request.url()}`);
  });
  return complaints;
}
