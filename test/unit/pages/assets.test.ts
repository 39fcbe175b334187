import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, jest, test } from '@jest/globals';
import type { Logger } from '../../../src/kernel/logger.ts';
import { createAssets, respondWithAsset } from '../../../src/web/pages/index.ts';
import { configOf, openHouse, portal, workFolder } from './fixtures.ts';

const folder = workFolder();
const logo = '<svg xmlns="http://www.w3.org/2000/svg"/>';
writeFileSync(join(folder, 'logo.svg'), logo);
writeFileSync(join(folder, 'logo.gif'), 'GIF89a');
writeFileSync(join(folder, 'large.png'), Buffer.alloc(20_000));

const withTheme = (theme: NonNullable<NonNullable<typeof portal.vestibule>['theme']>) => ({
  ...portal,
  vestibule: { theme },
});

describe('assets', () => {
  const assets = createAssets(configOf({}, [portal]));

  test('the address changes with the content, and with it alone', () => {
    const overlay = join(folder, 'overlay');
    mkdirSync(join(overlay, 'assets'), { recursive: true });
    writeFileSync(join(overlay, 'assets/style.css'), 'body{color:teal}');
    writeFileSync(join(overlay, 'assets/extra.woff2'), 'font');
    writeFileSync(join(overlay, 'assets/notes.txt'), 'private');
    const changed = createAssets(configOf({ branding: { overlay } }, [portal]));

    expect(createAssets(configOf({}, [portal])).url('style.css')).toBe(assets.url('style.css'));
    expect(changed.url('style.css')).not.toBe(assets.url('style.css'));
    expect(changed.find(changed.url('style.css'))?.body.toString()).toBe('body{color:teal}');
    expect(changed.url('submit-once.js')).toBe(assets.url('submit-once.js'));
    expect(changed.find(changed.url('extra.woff2'))?.type).toBe('font/woff2');
    expect(() => changed.url('notes.txt')).toThrow('no asset');
  });

  test('the library for passkeys is one of them, as browsers take it', () => {
    const library = assets.find(assets.url('simplewebauthn.js'));
    expect(library?.type).toBe('text/javascript; charset=utf-8');
    // A module has no `this`; the library then puts its name on the global object.
    const found = runInNewContext(
      `(function () { 'use strict'; ${library?.body} }).call(undefined); Object.keys(SimpleWebAuthnBrowser)`,
    );
    expect([...found]).toEqual(
      expect.arrayContaining(['startAuthentication', 'startRegistration', 'sendSignal', 'WebAuthnAbortService']),
    );
  });

  test.each(['/assets/', '/assets/x/style.css', '/assets/../package.json', '/assets/__proto__/style.css', ''])(
    '%j finds nothing',
    (path) => {
      expect(assets.find(path)).toBeUndefined();
    },
  );

  test('compressed bodies unfold to the plain one', async () => {
    const asset = assets.find(assets.url('style.css'));
    const { brotli, gzip } = (await asset?.encodings()) ?? {};
    if (!asset || !brotli || !gzip) throw new Error('the stylesheet is not compressed');
    expect(brotliDecompressSync(brotli).equals(asset.body)).toBe(true);
    expect(gunzipSync(gzip).equals(asset.body)).toBe(true);
    expect(brotli.length).toBeLessThan(gzip.length);
  });
});

describe('the answer for an asset', () => {
  const assets = createAssets(configOf({}, [portal]));
  const path = assets.url('style.css');

  test('is kept forever, and neither sniffed nor run', async () => {
    const { status, headers } = await respondWithAsset(assets, { path });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/css; charset=utf-8',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
  });

  test.each([
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.000,gzip;q=0.5', 'gzip'],
    ['GZIP', 'gzip'],
    ['identity', undefined],
    [undefined, undefined],
    ['x'.repeat(100_000), undefined],
  ])('Accept-Encoding %.30s gets %s', async (acceptEncoding, encoding) => {
    const { headers, body } = await respondWithAsset(assets, { path, acceptEncoding });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['content-length']).toBe(String(body?.length));
  });

  test('the same again is not sent again', async () => {
    const first = await respondWithAsset(assets, { path, acceptEncoding: 'br' });
    const again = await respondWithAsset(assets, {
      path,
      acceptEncoding: 'br',
      ifNoneMatch: `"other", W/${first.headers.etag}`,
    });
    expect(again.status).toBe(304);
    expect(again.body).toBeUndefined();
    const other = await respondWithAsset(assets, { path, acceptEncoding: 'gzip' });
    expect(other.headers.etag).not.toBe(first.headers.etag);
  });

  test('what is not there is not kept', async () => {
    expect(await respondWithAsset(assets, { path: '/assets/none' })).toEqual({
      status: 404,
      headers: { 'cache-control': 'no-store' },
    });
  });
});

describe('a portal as pages show it', () => {
  test('has its own colours and logo; what it leaves open is the operator’s', () => {
    const branding = {
      help_url: 'https://operator.example/help',
      support_contact: { fr: 'Appelez-nous.' },
      theme: { accent: '#10069f', radius: 'none' as const },
    };
    const assets = createAssets(
      configOf(
        { branding },
        [withTheme({ logo: 'logo.svg', accent: '#c8102e' }), { ...portal, client_id: 'plain', vestibule: {} }],
        folder,
      ),
    );
    const own = assets.clientView({ client_id: 'mutuelle', client_name: 'Mutuelle Azur' }, 'en');
    expect(own.stylesheetUrl).toMatch(/^\/assets\/[\w-]{16}\/theme-mutuelle\.css$/);
    expect(assets.find(own.logoUrl ?? '')?.body.toString()).toBe(logo);
    const css = assets.find(own.stylesheetUrl)?.body.toString() ?? '';
    expect(css).not.toContain('#10069f');
    expect(css).toContain('--radius:0;');
    expect(own).toMatchObject({ helpUrl: 'https://operator.example/help', supportContact: 'Appelez-nous.' });

    const plain = assets.clientView({ client_id: 'plain' }, 'en');
    expect(assets.find(plain.stylesheetUrl)?.body.toString()).toContain('--accent:#10069f');
    expect(plain.logoUrl).toBeUndefined();
  });

  test('texts come in the language, else in the default one, else in any', () => {
    const support_contact = { fr: 'Appelez.', de: 'Rufen Sie an.' };
    const assets = createAssets(configOf({ languages: { default: 'de' } }));
    const view = (contact: object, language: 'fr' | 'nl') =>
      assets.clientView({ client_id: 'x', vestibule: { support_contact: contact } }, language).supportContact;
    expect(view(support_contact, 'fr')).toBe('Appelez.');
    expect(view(support_contact, 'nl')).toBe('Rufen Sie an.');
    expect(view({ fr: 'Appelez.' }, 'nl')).toBe('Appelez.');
    expect(view({}, 'nl')).toBeUndefined();
  });

  test('a client registered dynamically looks neutral and is called by its id', () => {
    const assets = createAssets(configOf());
    expect(assets.clientView({ client_id: 'dynamic' }, 'it')).toMatchObject({
      id: 'dynamic',
      name: 'dynamic',
      stylesheetUrl: assets.brandingStylesheetUrl,
      logoUrl: undefined,
    });
  });

  test('colours that had to be moved and logos that slow the page down are logged', () => {
    const warn = jest.fn();
    const client = withTheme({ accent: '#0b6e99', logo: 'large.png' });
    createAssets(configOf({}, [client], folder), { logger: { warn } as unknown as Logger });
    expect(warn.mock.calls.map(([line]) => line)).toEqual([
      expect.objectContaining({ event: 'theme.adjusted', client_id: 'mutuelle', setting: 'accent', mode: 'light' }),
      expect.objectContaining({ event: 'theme.adjusted', client_id: 'mutuelle', setting: 'accent', mode: 'dark' }),
      expect.objectContaining({ event: 'theme.logo_large', bytes: 20_000 }),
    ]);
  });

  test.each([
    ['logo.gif', 'must be an SVG or PNG file'],
    ['missing.svg', "can't be read"],
  ])('the logo %s stops the start: %s', (name, message) => {
    expect(() => createAssets(configOf({}, [withTheme({ logo: name })], folder))).toThrow(message);
  });
});

describe('the first page', () => {
  test('with all it loads is at most 15 KB over the wire', async () => {
    const { pages, assets, context } = openHouse();
    const html = pages.render(
      'identify',
      {
        action: '/interaction/uid/identify',
        optionsAction: '/interaction/uid/identify/passkey-options',
        csrf: 'x'.repeat(43),
        cancel: true,
      },
      context('fr'),
    );
    const loaded = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => assets.find(path ?? ''));
    expect(loaded).not.toContain(undefined);
    // The HTML is counted as it is: it carries a secret and reflects input, so it is not compressed (BREACH).
    const sent = await Promise.all(
      loaded.map(async (asset) => (await asset?.encodings())?.brotli ?? asset?.body ?? []),
    );
    const bytes = sent.reduce((sum, body) => sum + body.length, html.length);
    expect(bytes).toBeLessThan(15_000);
  });
});
