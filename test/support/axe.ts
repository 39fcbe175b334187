import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What the Web Content Accessibility Guidelines 2.2, levels A and AA, and good practice ask. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface AccessibilityViolation {
  readonly rule: string;
  readonly help: string;
  readonly elements: readonly string[];
}

/**
 * Runs axe-core in the page; `expect(await accessibilityViolations(page)).toEqual([])`. The
 * program is evaluated by the debugger, so the page's content security policy stays in force. It
 * waits on timers, so it never ends in a page opened with `javaScriptEnabled: false`.
 */
export async function accessibilityViolations(page: Page): Promise<readonly AccessibilityViolation[]> {
  await page.evaluate(`${axe.source};undefined`);
  const options = JSON.stringify({ runOnly: { type: 'tag', values: RULES }, resultTypes: ['violations'] });
  const results = (await page.evaluate(`axe.run(document, ${options})`)) as axe.AxeResults;
  return results.violations.map(({ id, help, nodes }) => ({
    rule: id,
    help,
    elements: nodes.map(({ html }) => html),
  }));
}
