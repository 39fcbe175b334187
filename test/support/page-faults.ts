import type { Page } from 'playwright-core';
import { accessibilityViolations } from './axe.ts';

/** What no page may hold; an empty list is a clean page. */
const FAULTS = `(() => {
  const faults = [...document.querySelectorAll('style, [style], script:not([src])')].map((e) => e.outerHTML);
  for (const element of document.querySelectorAll('*'))
    for (const { name } of element.attributes) if (name.startsWith('on')) faults.push(name);
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (!document.documentElement.lang) faults.push('no language');
  const root = document.documentElement;
  for (const size of ['100%', '200%']) {
    // As a property of the style sheet's object, which the security policy does not speak about.
    root.style.fontSize = size;
    if (root.scrollWidth > innerWidth) faults.push('scrolls sideways at ' + size + ' text');
  }
  root.removeAttribute('style');
  return faults;
})()`;

/** What has the focus, and whether one can see that. */
const FOCUS = `(() => {
  const element = document.activeElement;
  const ring = (e) => e && getComputedStyle(e).outlineStyle !== 'none';
  const name = element.dataset?.alternative || element.id || element.hreflang || element.className || element.tagName;
  return element === document.body ? '' : name + (ring(element) || ring(element.closest('.field')) ? '' : ', unseen');
})()`;

/** What is wrong with a page, accessibility included; `toEqual([])` is a clean page. Needs JavaScript. */
export async function faultsOf(page: Page): Promise<readonly unknown[]> {
  const faults = (await page.evaluate(FAULTS)) as readonly string[];
  const violations = await accessibilityViolations(page);
  // axe leaves it behind, and the page may be looked at once more.
  await page.evaluate("document.documentElement.removeAttribute('style')");
  return [...faults, ...violations];
}

/** What has the focus: its alternative's name, its id, its language …; '' when nothing has, and `, unseen` behind it where no ring is drawn. */
export const focusOf = (page: Page): Promise<string> => page.evaluate(FOCUS);

/** Goes on with the Tab key until this has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let stops = 0; (await focusOf(page)) !== name; stops++) {
    if (stops > 30) throw new Error(`Tab never comes to ${name}`);
    await page.keyboard.press('Tab');
  }
}

/** What Tab stops at from here on, up to the main button. */
export async function stopsToContinue(page: Page): Promise<readonly string[]> {
  const stops: string[] = [];
  while (stops.at(-1) !== 'continue' && stops.length < 10) {
    await page.keyboard.press('Tab');
    stops.push(await focusOf(page));
  }
  return stops;
}
