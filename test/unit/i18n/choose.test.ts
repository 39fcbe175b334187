import { describe, expect, test } from '@jest/globals';
import { LANGUAGES } from '../../../src/config/schema/values.ts';
import { chooseLanguage, chooseLocale } from '../../../src/i18n/index.ts';

describe('the language a person gets', () => {
  test.each([
    ['nothing said', {}, 'it'],
    ['chosen in this journey', { chosen: 'nl', uiLocales: 'fr', cookie: 'de', acceptLanguage: 'en' }, 'nl'],
    ['ui_locales before the cookie', { uiLocales: 'fr-CH de', cookie: 'de', acceptLanguage: 'en' }, 'fr'],
    ['the cookie before the browser', { cookie: 'de', acceptLanguage: 'en' }, 'de'],
    ['the browser before the portal', { acceptLanguage: 'en-GB', clientDefault: 'fr' as const }, 'en'],
    ['the portal before the fallback', { clientDefault: 'fr' as const }, 'fr'],
    ['ui_locales: the first one we have', { uiLocales: 'rm-CH pt fr-CA en' }, 'fr'],
    ['weights', { acceptLanguage: 'en;q=0.5, nl;q=0.9, de;q=0.7' }, 'nl'],
    ['equal weights keep their order', { acceptLanguage: 'de, fr, nl' }, 'de'],
    ['weight 0 is a refusal', { acceptLanguage: 'en;q=0, fr;q=0.1' }, 'fr'],
    ['a weight that is none', { acceptLanguage: 'en;q=2, fr;q=x, nl;q=0.001' }, 'nl'],
    ['any language will do', { acceptLanguage: '*' }, 'it'],
    ['a script between language and region', { acceptLanguage: 'de-Latn-CH' }, 'de'],
    ['underscores and capitals', { uiLocales: 'FR_be' }, 'fr'],
    ['unknown languages', { chosen: 'xx', uiLocales: 'zz', cookie: '../../etc', acceptLanguage: 'tlh' }, 'it'],
    ['words that only begin like a language', { chosen: 'french', cookie: 'deutsch' }, 'it'],
    ['names every object has', { chosen: 'constructor', uiLocales: '__proto__' }, 'it'],
    ['empty strings', { chosen: '', uiLocales: '', cookie: '', acceptLanguage: '' }, 'it'],
    ['a wish in the twentieth place', { uiLocales: `${'xx '.repeat(19)}fr` }, 'fr'],
    ['a wish too far back', { uiLocales: `${'xx '.repeat(20)}fr` }, 'it'],
  ])('%s', (_, input, expected) => {
    expect(chooseLanguage(input, LANGUAGES, 'it')).toBe(expected);
  });

  test('is one that is offered', () => {
    expect(chooseLanguage({ chosen: 'nl', acceptLanguage: 'nl, de' }, ['en', 'de'], 'en')).toBe('de');
  });

  test.each([
    [{ chosen: 'de', acceptLanguage: 'de-CH, fr;q=0.5' }, 'de-CH'],
    [{ uiLocales: 'de-AT', acceptLanguage: 'de-CH' }, 'de-AT'],
    [{ chosen: 'fr', acceptLanguage: 'de-CH' }, 'fr'],
    [{ acceptLanguage: 'de-<script>' }, 'de'],
    [{}, 'en'],
  ])('%j is written to as %s', (input, locale) => {
    expect(chooseLocale(input, LANGUAGES, 'en').locale).toBe(locale);
  });

  test('hostile input costs next to nothing', () => {
    const tags = Array.from({ length: 10_000 }, (_, n) => `x${n}-YY`);
    const input = {
      uiLocales: tags.join(' '),
      acceptLanguage: tags.join(';q=0.5,'),
      cookie: '-'.repeat(1_000_000),
      chosen: 'fr',
    };
    const start = performance.now();
    for (let round = 0; round < 100; round++) chooseLanguage(input, LANGUAGES, 'en');
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
