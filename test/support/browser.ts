import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { prepareChromium } from './chromium.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Less than a test may take, so that what was waited for is named. */
const WAITED_FOR_MS = 15_000;

const SCREENSHOTS = resolve(import.meta.dirname, '../../data/screenshots');

export interface BrowserUnderTest {
  /**
   * A page in a context of its own, so with no cookie of an earlier test; closed after the test.
   * `{ javaScriptEnabled: false }` is the person without JavaScript.
   */
  open(options?: BrowserContextOptions): Promise<Page>;
}

/** One Chromium for the tests of a file: call it inside `requires('chromium')('…', () => { … })`. */
export function withBrowser(): BrowserUnderTest {
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    const options = { ...(await prepareChromium()), args: FLAGS };
    // Chromium crashes at its start once in some hundred times, on a machine that is busy: before anything is tested.
    browser = await chromium.launch(options).catch(() => chromium.launch(options));
    // The browser that comes with npm has to be unpacked the first time.
  }, 120_000);

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });

  afterAll(() => browser?.close());

  return {
    async open(options = {}) {
      if (!browser) throw new Error('the browser opens pages within tests only');
      const context = await browser.newContext({ locale: 'en-GB', ...options });
      contexts.push(context);
      context.setDefaultTimeout(WAITED_FOR_MS);
      return context.newPage();
    },
  };
}

/** @returns the picture's path, `data/screenshots/<name>.png` */
export async function screenshot(page: Page, name: string): Promise<string> {
  await mkdir(SCREENSHOTS, { recursive: true });
  const path = join(SCREENSHOTS, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
