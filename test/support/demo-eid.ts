import type { Page } from 'playwright-core';
import { tabTo } from './page-faults.ts';
import { atKeyboard, press } from './person.ts';

/** What a person does at the demo’s eID, and on the button that leads there. */

export const EID = '[data-alternative="external:demo-eid"]';

/** Its citizens, by what they are called on its pages (`examples/eid/citizens.ts`). */
export type Citizen = 'alice' | 'bruno' | 'nora' | 'aline' | 'jan';
export type Level = 'low' | 'substantial' | 'high';

/** Levels of assurance as portals are told them. */
export const eidas = (level: Level): string => `http://eidas.europa.eu/LoA/${level}`;

/** At its first page. @param level the one that is demanded, or substantial, unless said otherwise */
export async function confirmAs(page: Page, citizen: Citizen, level?: Level): Promise<void> {
  await press(page, `#citizen-${citizen}`);
  if (level) await page.locator(`#level-${level}`).check();
  await press(page, '#confirm');
}

/** By its button, and back. */
export async function passEid(page: Page, citizen: Citizen, level?: Level): Promise<void> {
  await press(page, EID);
  await confirmAs(page, citizen, level);
}

/** The same with nothing but the keyboard. @throws Error where the focus can't be seen */
export async function passEidByKeyboard(page: Page, citizen: Citizen): Promise<void> {
  for (const name of ['external:demo-eid', `citizen-${citizen}`, 'confirm']) {
    await tabTo(page, name);
    await atKeyboard(page).enter();
  }
}
