/** Draws the picture of the README anew: `node docs/screenshots.ts`. */
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findCarried, prepareChromium } from '../test/support/chromium.ts';
import { type Demo, startDemo } from '../test/support/demo.ts';
import { begin, giveUsername } from '../test/support/person.ts';

const PHONE = { width: 360, height: 640 };
const GAP = 24;
/** Sharp on a good screen, and still a small file. */
const DENSITY = 1.5;

/** The first two pages at a portal, as a telephone shows them. */
async function pagesOnTelephone(browser: Browser, demo: Demo): Promise<readonly Buffer[]> {
  const page = await browser.newPage({ locale: 'en', viewport: PHONE, deviceScaleFactor: DENSITY });
  await begin(page, `${demo.portals}/mutuelle`);
  const first = await page.screenshot();
  await giveUsername(page, 'alice');
  return [first, await page.screenshot()];
}

async function sideBySide(page: Page, pictures: readonly Buffer[]): Promise<void> {
  const images = pictures.map(
    (png) => `<img width="${PHONE.width}" src="data:image/png;base64,${png.toString('base64')}">`,
  );
  await page.setContent(
    `<style>body { display: flex; gap: ${GAP}px; margin: 0; padding: ${GAP}px; background: #d5dae1 }</style>${images.join('')}`,
  );
  await page.screenshot({ path: join(import.meta.dirname, 'sign-in.png') });
}

// The address that the page tells people to look for.
const demo = await startDemo(3000);
const browser = await chromium.launch({ ...(await prepareChromium(findCarried())), args: ['--no-sandbox'] });
const width = PHONE.width * 2 + GAP * 3;
const viewport = { width, height: PHONE.height + GAP * 2 };
await sideBySide(
  await browser.newPage({ viewport, deviceScaleFactor: DENSITY }),
  await pagesOnTelephone(browser, demo),
);
await browser.close();
await demo.stop();
