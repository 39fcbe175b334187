import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createTexts } from '../../../src/i18n/index.ts';
import { compileTemplates } from '../../../src/web/pages/templates.ts';
import { configOf, openHouse, portal, workFolder } from './fixtures.ts';

const folder = workFolder();
let overlays = 0;

function overlayOf(files: Record<string, string>): string {
  const overlay = join(folder, `overlay-${++overlays}`);
  mkdirSync(overlay, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(overlay, name)), { recursive: true });
    writeFileSync(join(overlay, name), content);
  }
  return overlay;
}

const render = (overlay: string): string => {
  const house = openHouse(configOf({ branding: { overlay } }, [portal]), overlay);
  return house.pages.render('identify', { action: '/', optionsAction: '/options', csrf: 'x' }, house.context());
};

describe('an operator’s overlay', () => {
  test('wins file by file: a page of its own keeps our layout, a partial of its own stands in our pages', () => {
    const html = render(
      overlayOf({
        'partials/notice.ejs': '<p id="own">Own notice for <%= brand.name %></p>',
        'partials/extra/help.ejs': '<p>Extra</p>',
      }),
    );
    expect(html).toContain('<p id="own">Own notice for Mutuelle Azur</p>');
    expect(html).toContain('name="username"');
    const page = render(overlayOf({ 'pages/identify.ejs': "<h1>Own <%= t('identify.heading') %></h1>" }));
    expect(page).toContain('<h1>Own Enter your username</h1>');
    expect(page).toContain('<!doctype html>');
  });

  test('wins text by text, and may add texts for its own templates', () => {
    const overlay = overlayOf({
      'texts/en.json': JSON.stringify({ identify: { heading: 'Member number' }, own: { line: 'Only in English' } }),
    });
    const texts = createTexts({ overlay, defaultLanguage: 'en' });
    expect(texts.translator('en')('identify.heading')).toBe('Member number');
    expect(texts.translator('en')('identify.username')).toBe('Username or e-mail address');
    expect(texts.translator('fr')('identify.heading')).toBe('Saisissez votre identifiant');
    expect(texts.translator('fr')('own.line')).toBe('Only in English');
    expect(render(overlay)).toContain('<h1>Member number</h1>');
  });

  test('that is missing or broken stops the start, naming the file', () => {
    expect(() => compileTemplates(join(folder, 'missing'))).toThrow('no such folder');
    expect(() => render(overlayOf({ 'pages/error.ejs': '<% if ( %>' }))).toThrow(/pages\/error\.ejs/);
    expect(() => render(overlayOf({ 'texts/fr.json': '{' }))).toThrow(/texts\/fr\.json: not readable as JSON/);
    expect(() => render(overlayOf({ 'texts/fr.json': '{"a":{"b":1}}' }))).toThrow(/a\.b must be a text/);
    expect(() => render(overlayOf({ 'texts/fr.json': '[]' }))).toThrow(/must be an object/);
  });

  test('can’t read other files, by include or by name', () => {
    const secret = join(folder, 'secret.ejs');
    writeFileSync(secret, 'secret');
    for (const reach of [
      `include('${secret}')`,
      "include('../../secret')",
      "partial('../secret')",
      `partial('${secret}')`,
    ]) {
      expect(() => render(overlayOf({ 'pages/identify.ejs': `<%- ${reach} %>` }))).toThrow(
        /no template|instead of include/,
      );
    }
  });

  test('sees the documented names and no others', () => {
    const html = render(
      overlayOf({
        'pages/identify.ejs':
          '<h1><%= [typeof require, typeof ctx, typeof config, typeof model.constructor, typeof locals.settings].join() %></h1>',
      }),
    );
    expect(html).toContain('<h1>undefined,undefined,undefined,undefined,undefined</h1>');
  });
});
