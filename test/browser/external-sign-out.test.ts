import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { begin, complaintsOf, press, stepOf, textOf } from '../support/person.ts';
import { requires } from '../support/requirements.ts';

const EID = '[data-alternative="external:demo-eid"]';
const CREATE = '[data-alternative=create]';

requires('chromium')('after signing in with the demo’s eID, a person who signs out', () => {
  const browser = withBrowser();
  let demo: Demo;
  let mutuelle: string;

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
  }, 60_000);
  afterAll(() => demo?.stop());

  /** At the portal, for the first time or not. */
  async function signIn(page: Page, citizen: string): Promise<void> {
    await begin(page, mutuelle);
    expect(await stepOf(page)).toBe('identify');
    await press(page, EID);
    expect(new URL(page.url()).origin).toBe(demo.eid);
    await press(page, `#citizen-${citizen}`);
    await press(page, '#confirm');
    if ((await stepOf(page)) === 'external') await press(page, CREATE);
    expect(page.url()).toBe(mutuelle);
    expect(await page.locator('#greeting').count()).toBe(1);
  }
  const isKnownAtEid = async (page: Page): Promise<boolean> => {
    await page.goto(`${demo.eid}/`);
    return (await page.locator('#sign-out').count()) === 1;
  };
  const isKnownAtPortal = async (page: Page): Promise<boolean> => {
    await page.goto(mutuelle);
    return (await page.locator('#greeting').count()) === 1;
  };

  test.each([true, false])('at the portal is signed out at the eID, too, and back (script: %s)', async (script) => {
    const page = await browser.open({ javaScriptEnabled: script });
    const complaints = complaintsOf(page, [demo.issuer, demo.portals, demo.eid]);
    await signIn(page, script ? 'nora' : 'jan');
    expect(await isKnownAtEid(page)).toBe(true);
    await page.goto(mutuelle);
    await page.locator('#sign-out').click();
    await page.waitForURL(`${demo.eid}/**`);
    // The eID asks whether it is meant; here it has happened already.
    expect(await stepOf(page)).toBe('sign-out');
    await press(page, '#confirm');
    expect(page.url().split('?')[0]).toBe(mutuelle);
    expect(await isKnownAtPortal(page)).toBe(false);
    expect(await isKnownAtEid(page)).toBe(false);
    await signIn(page, script ? 'nora' : 'jan');
    expect(complaints).toEqual([]);
  });

  test('on Vestibule’s own page comes back to it', async () => {
    const page = await browser.open();
    const complaints = complaintsOf(page, [demo.issuer, demo.portals, demo.eid]);
    await signIn(page, 'nora');
    await page.goto(`${demo.issuer}/session/end`);
    await press(page);
    // A form of ours that ends at another origin: nothing stops it.
    expect([new URL(page.url()).origin, await stepOf(page)]).toEqual([demo.eid, 'sign-out']);
    await press(page, '#confirm');
    expect([new URL(page.url()).origin, await stepOf(page)]).toEqual([demo.issuer, 'signed-out']);
    expect(await isKnownAtEid(page)).toBe(false);
    expect(complaints).toEqual([]);
  });

  test('at the eID is signed out everywhere', async () => {
    const page = await browser.open();
    await signIn(page, 'nora');
    await page.goto(`${demo.eid}/`);
    await press(page, '#sign-out');
    await press(page, '#confirm');
    expect(await stepOf(page)).toBe('signed-out');
    expect(await isKnownAtPortal(page)).toBe(false);
    await press(page, '#sign-in');
    expect(await stepOf(page)).toBe('identify');
    expect(await textOf(page)).not.toContain('Nora');
  });
});
