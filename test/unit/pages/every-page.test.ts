import { describe, expect, test } from '@jest/globals';
import { LANGUAGES } from '../../../src/config/schema/values.ts';
import { openHouse, renderSample, samples } from './fixtures.ts';

const house = openHouse();
const rendered = LANGUAGES.flatMap((language) =>
  samples().map((sample) => ({
    name: `${sample[0]}${'problem' in sample[1] ? ' with a problem' : ''} in ${language}`,
    page: sample[0],
    language,
    wrong: sample[0] === 'error' || 'problem' in sample[1],
    html: renderSample(house, sample, house.context(language)),
  })),
);

const count = (html: string, pattern: RegExp): number => [...html.matchAll(pattern)].length;

describe('every page', () => {
  test.each(rendered)('$name', ({ html, page, language, wrong }) => {
    expect(html.startsWith('<!doctype html>')).toBe(true);
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(count(html, /<h1[\s>]/g)).toBe(1);
    expect(count(html, new RegExp(`<main data-step="${page}">`, 'g'))).toBe(1);
    // No text is missing: a missing one shows its name.
    expect(html).not.toMatch(
      /[>"\s](?:layout|identify|password|passkey|offer_passkey|consent|errors|problems|device|sign_out|account|account_[a-z_]+|passkey_[a-z]+|ways|totp|sms|recovery|recovery_[a-z]+|change_password|locked|not_me|enrol_totp|two_factor_off|external|identity_unlink)\.[a-z_]+\b/,
    );
    expect(html).not.toMatch(/\{\{|\b(?:undefined|null|NaN)\b/);

    const title = /<title>(.*?)<\/title>/.exec(html)?.[1] ?? '';
    expect(title).toContain('Mutuelle Azur');
    expect(/^(?:Error|Erreur|Fout|Fehler|Errore)\s?: /.test(title)).toBe(wrong);
  });

  test.each(rendered)('$name loads nothing from elsewhere and runs nothing of its own', ({ html }) => {
    expect(html).not.toMatch(/\sstyle=/i);
    expect(html).not.toMatch(/<style|\son[a-z]+=/i);
    expect(html).not.toMatch(/<script(?![^>]* src="\/assets\/)/);
    const loaded = [...html.matchAll(/<(?:script|img|iframe|source)[^>]* src="([^"]*)"|<link[^>]* href="([^"]*)"/g)];
    expect(loaded.length).toBeGreaterThan(2);
    for (const [, src, href] of loaded) expect(src ?? href).toMatch(/^\/assets\//);
  });

  test.each(rendered)('$name offers the other languages and marks its own', ({ html, language }) => {
    for (const other of LANGUAGES) {
      expect(html).toContain(`<a href="?lang=${other}" lang="${other}" hreflang="${other}"`);
    }
    expect(count(html, /aria-current="true"/g)).toBe(1);
    expect(html).toMatch(new RegExp(`hreflang="${language}" aria-current="true"`));
  });

  test('a page in one language only has no language switch', () => {
    const context = { ...house.context(), languages: [{ language: 'en' as const, href: '?lang=en' }] };
    expect(house.pages.render('signed-out', {}, context)).not.toContain('<nav');
  });

  test('a region is kept for the browser and the voice of a screen reader', () => {
    const context = { ...house.context('de'), locale: 'de-CH' };
    const html = house.pages.render('device-done', {}, context);
    expect(html).toContain('<html lang="de-CH">');
    expect(html).toContain('schliessen');
    expect(house.pages.render('device-done', {}, house.context('de'))).toContain('schließen');
  });

  test('the footer names who helps, and leads to policy and terms', () => {
    const html = house.pages.render('signed-out', {}, house.context('fr'));
    expect(html).toContain('Appelez le 0800 123 456.');
    for (const address of ['https://azur.example/help', 'https://azur.example/privacy', 'https://azur.example/terms']) {
      expect(html).toContain(`<a href="${address}">`);
    }
  });
});
