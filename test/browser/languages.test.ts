import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { LANGUAGES, type Language } from '../../src/config/schema/values.ts';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { begin, claimsAt, givePassword, giveUsername, headingOf, press, stepOf } from '../support/person.ts';
import { requires } from '../support/requirements.ts';

const HEADINGS: Readonly<Record<Language, string>> = {
  en: 'Enter your username',
  fr: 'Saisissez votre identifiant',
  nl: 'Vul uw gebruikersnaam in',
  de: 'Geben Sie Ihren Benutzernamen ein',
  it: 'Inserisca il Suo nome utente',
};

// The same in English and another language: names, and one word.
const NAMES = ['English', 'Français', 'Nederlands', 'Deutsch', 'Italiano', 'alice', 'Agenda Libre', 'Vestibule demo'];
const SHARED = [...NAMES, 'Password'];

/** Everything a person reads or hears on a page, a piece each. */
const TEXTS = `(() => {
  const pieces = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.closest('script, .reference dd, .reference code')) pieces.push(node.data);
  }
  for (const element of document.querySelectorAll('[aria-label], [alt], [data-wait], [data-other-text]')) {
    const { wait, otherText, otherLabel } = element.dataset;
    pieces.push(element.getAttribute('aria-label'), element.getAttribute('alt'), wait, otherText, otherLabel);
  }
  return pieces.map((piece) => (piece ?? '').trim()).filter(Boolean);
})()`;

const languageOf = (page: Page): Promise<string | null> => page.locator('html').getAttribute('lang');
const choose = (page: Page, language: Language): Promise<void> => press(page, `nav [hreflang=${language}]`);

requires('chromium')('languages', () => {
  const browser = withBrowser();
  let demo: Demo;
  let agenda: string;
  let mutuelle: string;
  let english: Map<string, readonly string[]>;

  beforeAll(async () => {
    demo = await startDemo();
    agenda = `${demo.portals}/agenda`;
    mutuelle = `${demo.portals}/mutuelle`;
    english = await everyPage('en');
  }, 60_000);
  afterAll(() => demo?.stop());

  test.each(LANGUAGES)('%s is spoken to a browser that asks for it, whichever region it is from', async (language) => {
    const page = await browser.open({ locale: `${language}-CH` });
    await begin(page, `${demo.portals}/extranet`);
    expect([await languageOf(page), await headingOf(page)]).toEqual([`${language}-CH`, HEADINGS[language]]);
  });

  test.each([true, false])(
    'the one chosen in the middle stays to the end (JavaScript: %s)',
    async (javaScriptEnabled) => {
      const page = await browser.open({ javaScriptEnabled });
      // The portal asks for French, as that was chosen there; the later choice counts.
      await page.goto(`${agenda}?lang=fr`);
      await press(page, '#sign-in');
      expect(await languageOf(page)).toBe('fr');
      await giveUsername(page, 'alice');
      await choose(page, 'de');
      expect([await stepOf(page), await languageOf(page)]).toEqual(['password', 'de']);
      expect(await page.locator('.account').textContent()).toContain('alice');
      await givePassword(page, 'alice', 'wrong');
      expect([await languageOf(page), (await page.title()).startsWith('Fehler: ')]).toEqual(['de', true]);
      await givePassword(page, 'alice');
      expect([await stepOf(page), await languageOf(page)]).toEqual(['consent', 'de']);
      await page.goto(`${demo.issuer}/session/end`);
      expect([await stepOf(page), await languageOf(page)]).toEqual(['sign-out', 'de']);
      await press(page);
      expect([await stepOf(page), await languageOf(page)]).toEqual(['signed-out', 'de']);
      // And it is remembered where no portal asks for another one.
      await begin(page, mutuelle);
      expect(await languageOf(page)).toBe('de');
    },
  );

  test.each(LANGUAGES.filter((language) => language !== 'en'))(
    'no page of the journey has a piece of English left in %s',
    async (language) => {
      const pages = await everyPage(language);
      const left = [...pages].flatMap(([name, pieces]) => pieces.filter((piece) => english.get(name)?.includes(piece)));
      expect(left.filter((piece) => !SHARED.includes(piece))).toEqual([]);
      expect([...pages].filter(([, pieces]) => pieces.length < 5)).toEqual([]);
    },
  );

  /** The pieces of text on each page of the journey, by its name. */
  async function everyPage(language: Language): Promise<Map<string, readonly string[]>> {
    const page = await browser.open({ locale: language });
    const pages = new Map<string, readonly string[]>();
    const note = async (name: string, step: string) => {
      expect([name, await stepOf(page), await languageOf(page)]).toEqual([name, step, language]);
      pages.set(name, (await page.evaluate(TEXTS)) as string[]);
    };
    await begin(page, agenda);
    await note('username', 'identify');
    await giveUsername(page, '');
    await note('username left out', 'identify');
    await giveUsername(page, 'alice');
    await note('password', 'password');
    await givePassword(page, 'alice', 'wrong');
    await note('wrong password', 'password');
    await givePassword(page, 'alice');
    await note('consent', 'consent');
    await press(page, '[data-alternative=cancel]');
    expect(await claimsAt(page)).toBeUndefined();
    await begin(page, mutuelle);
    await page.goto(`${demo.issuer}/session/end`);
    await note('sign-out', 'sign-out');
    await press(page);
    await note('signed out', 'signed-out');
    await page.goto(`${demo.issuer}/interaction/unknown`);
    await note('start again', 'error');
    await page.goto(`${demo.issuer}/auth?client_id=unknown&response_type=code`);
    await note('unknown portal', 'error');
    return pages;
  }
});
