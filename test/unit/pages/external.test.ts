import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { ProviderFile } from '../../../src/config/schema/provider.ts';
import { createTexts } from '../../../src/i18n/index.ts';
import { createAssets, createPages, type PageModels } from '../../../src/web/pages/index.ts';
import { configOf, openHouse, portal, workFolder } from './fixtures.ts';

const house = openHouse();
const context = house.context();
const form = { action: '/interaction/uid/step', csrf: 'token' };
const itsme = { id: 'itsme', name: 'itsme', logoUrl: '/assets/0123/provider-itsme.svg' };
const swissid = { id: 'swissid', name: 'SwissID' };
const externals = [itsme, swissid];
const tag = (html: string, id: string): string => new RegExp(`<[a-z]+[^>]* id="${id}"[^>]*>`).exec(html)?.[0] ?? '';
const alternatives = (html: string): (string | undefined)[] =>
  [...html.matchAll(/ data-alternative="([^"]+)"/g)].map(([, way]) => way);

describe('buttons of external providers', () => {
  const who = { username: 'alice', switchAction: '/interaction/uid/switch' };
  const passkeyForm = { ...form, optionsAction: '/options' };
  const identify = (model: Partial<PageModels['identify']>, language: 'en' | 'fr' = 'en') =>
    house.pages.render('identify', { ...passkeyForm, ...model }, house.context(language));

  test('stand below the main button, in the order given, with name and logo', () => {
    const html = identify({ externals, cancel: true });
    expect(alternatives(html)).toEqual(['external:itsme', 'external:swissid', 'cancel']);
    expect(html).toMatch(
      /<button class="button second external" type="submit" name="alternative" value="external:itsme" formnovalidate data-alternative="external:itsme"><img class="external-logo" src="\/assets\/0123\/provider-itsme.svg" alt="" height="24"><span data-label>Sign in with itsme<\/span><\/button>/,
    );
    expect(html).toMatch(/data-alternative="external:swissid"><span data-label>Sign in with SwissID</);
    // Enter presses the first submit button of a form.
    expect(html.indexOf('id="continue"')).toBeLessThan(html.indexOf('value="external:itsme"'));
    expect(html).toContain('<p class="or"><span>or</span></p>');
    expect(identify({ externals }, 'fr')).toContain('>Me connecter avec itsme<');
  });

  test('are on no page that was given none', () => {
    for (const html of [identify({}), identify({ externals: [] })]) expect(html).not.toMatch(/external:|class="or"/);
  });

  test('are on the pages of the other ways, and on the one that says that the password is paused', () => {
    const pages = [
      house.pages.render('password', { ...form, ...who, passkey: true, externals: [itsme] }, context),
      house.pages.render('passkey', { ...passkeyForm, ...who, passwordInstead: true, externals: [itsme] }, context),
      house.pages.render(
        'locked',
        { ...form, ...who, until: 1_790_000_300, sent: false, mails: true, externals: [itsme] },
        context,
      ),
    ];
    expect(pages.map(alternatives)).toEqual([
      ['switch', 'external:itsme', 'passkey'],
      ['switch', 'external:itsme', 'password'],
      ['switch', 'external:itsme', 'again'],
    ]);
  });

  test.each(['https://evil.example/logo.svg', '//evil.example/logo.svg', 'data:image/svg+xml,x', '/account', ''])(
    'a logo at %j isn’t shown',
    (logoUrl) => expect(identify({ externals: [{ ...itsme, logoUrl }] })).not.toContain('external-logo'),
  );

  test('nothing of a provider but what its button shows reaches the page', () => {
    const provider = { ...itsme, clientSecret: 'top-secret' };
    expect(identify({ externals: [provider] })).not.toContain('top-secret');
  });

  test('what happened there is said first and takes the focus, and no field here is called wrong', () => {
    const problem = { code: 'external_cancelled', values: { provider: 'itsme' } };
    const pages = { username: identify({ externals, problem }), password: '' };
    pages.password = house.pages.render('password', { ...form, ...who, externals, problem }, context);
    for (const [name, html] of Object.entries(pages)) {
      expect(html).toContain('You cancelled at itsme. You can try again or sign in another way.');
      expect([...html.matchAll(/id="problem"/g)]).toHaveLength(1);
      expect(html.indexOf('id="problem"')).toBeLessThan(html.indexOf(`id="${name}"`));
      expect(tag(html, name)).not.toMatch(/aria-invalid|aria-describedby|autofocus/);
    }
  });
});

describe('somebody unknown comes back from a provider', () => {
  const model = { ...form, externals: [], provider: 'itsme', label: 'Alice Martin', createAccounts: false } as const;
  const render = (more: Partial<PageModels['external']> = {}) =>
    house.pages.render('external', { ...model, mode: 'link', ...more } as PageModels['external'], context);

  test('learns who that is, what to do and what comes next', () => {
    const html = render();
    expect(html).toContain('<h1>Link itsme to your account</h1>');
    expect(html).toContain('itsme says that you are Alice Martin. No account here is linked to it yet.');
    expect(html).toMatch(
      /<p id="next">Sign in to your account once in the usual way. From then on, itsme signs you in.</,
    );
    expect(html).toMatch(/id="continue" type="submit" aria-describedby="next">Link to my account</);
    expect(html).toMatch(/ask for help. Call 0800 123 456.</);
    expect(html).toMatch(/Sign in to<\/span> <span translate="no">Mutuelle Azur/);
    expect(html).toContain('We never ask for your password by telephone.');
  });

  test('without a name, it is said without', () => {
    const html = render({ label: undefined });
    expect(html).toContain('You are signed in at itsme, but no account here is linked to it yet.');
  });

  test('can go back, cancel, and make an account where that is allowed', () => {
    expect(alternatives(render({ cancel: true }))).toEqual(['back', 'cancel']);
    expect(alternatives(render({ createAccounts: true, recoveryHref: '/recovery' }))).toEqual([
      'create',
      'back',
      'recovery',
    ]);
    expect(render()).toMatch(
      /name="alternative" value="back" formnovalidate data-alternative="back">Sign in another way</,
    );
  });

  test('whose account it will be is said where it is known', () => {
    expect(render()).not.toContain('class="who"');
    const html = render({ username: 'alice', switchAction: '/interaction/uid/switch' });
    expect(html).toMatch(/<form class="who"[^>]* action="\/interaction\/uid\/switch"/);
  });

  test('who can not show here what a link asks for may go on without', () => {
    const html = render({ mode: 'unlinkable', username: 'alice', cancel: true });
    expect(html).toContain('<h1>Not possible here</h1>');
    expect(html).toMatch(/id="continue" type="submit" name="alternative" value="back"[^>]*>Go on without linking</);
    expect(alternatives(html)).toEqual(['back', 'cancel']);
  });
});

test('a portal that asks for an identity: its providers, the first of them first', () => {
  const model = { ...form, mode: 'step-up', externals, createAccounts: true, username: 'alice' } as const;
  const html = house.pages.render('external', { ...model, switchAction: '/switch', cancel: true }, context);
  expect(html).toContain('<h1>Confirm who you are</h1>');
  expect(html).toContain('Mutuelle Azur asks for your electronic identity (eID).');
  expect(alternatives(html)).toEqual(['switch', 'external:itsme', 'external:swissid', 'cancel']);
  expect(tag(html, 'continue')).toMatch(/id="continue" type="submit" name="alternative" value="external:itsme"/);
  expect([...html.matchAll(/id="continue"/g)]).toHaveLength(1);
});

describe('linked identities of an account', () => {
  const identity = {
    provider: 'itsme',
    label: 'Alice Martin',
    createdAt: Date.UTC(2026, 2, 4, 12) / 1000,
    unlinkHref: '/account/identities/1/unlink',
  };
  const model = { ...form, username: 'alice', identities: [identity], externals, signOutHref: '/account/sign-out' };
  const render = (more: Partial<PageModels['account-identities']> = {}) =>
    house.pages.render('account-identities', { ...model, ...more }, context);

  test('each says at which provider, as whom, since when, and can be unlinked by name', () => {
    const html = render({ identities: [identity, { ...identity, lastUsedAt: Date.UTC(2026, 4, 6, 12) / 1000 }] });
    expect(html).toMatch(/<h2 translate="no">itsme<\/h2>\s*<p translate="no">Alice Martin<\/p>/);
    expect(html).toMatch(/<dt>Linked:<\/dt> <dd><time datetime="2026-03-04T12:00:00.000Z">March 4, 2026</);
    expect(html).toContain('>not yet<');
    expect(html).toContain('>May 6, 2026<');
    expect(html).toMatch(/href="\/account\/identities\/1\/unlink"[^>]*>Unlink<[^>]*>: itsme, Alice Martin</);
  });

  test('nothing of an identity but what the card shows reaches the page', () => {
    const secret = { ...identity, subject: '85073100133' };
    expect(render({ identities: [secret] })).not.toContain('85073100133');
  });

  test('another is linked by its provider’s button', () => {
    const html = render();
    expect(html).toMatch(
      /<form method="post" action="\/interaction\/uid\/step"[^>]*>\s*<input type="hidden" name="_csrf"/,
    );
    expect(tag(html, 'continue')).toContain('value="external:itsme"');
    expect(html).toMatch(/data-alternative="external:swissid"><span data-label>Link SwissID</);
    expect(html).toMatch(/data-label>Link another identity at itsme</);
    expect(render({ externals: [] })).not.toContain('<form');
  });

  test('none yet: what it is for', () => {
    const html = render({ identities: [] });
    expect(html).toContain('Your account has no linked identity yet.');
    expect(html).not.toContain('class="cards"');
  });

  test('what was done is said, and what went wrong', () => {
    expect(render({ notice: 'unlinked' })).toContain('The identity is unlinked.');
    const html = render({ problem: { code: 'external_taken' } });
    expect(html).toContain('That identity is linked to another account already.');
    expect(html).toMatch(/<title>Error: /);
  });

  test('unlinking names the provider and says what follows', () => {
    const unlink = { ...form, provider: 'itsme', label: 'Alice Martin', backHref: '/account/identities' };
    const html = house.pages.render('account-identity-unlink', { ...unlink, lastOne: false }, context);
    expect(html).toContain('<h1>Unlink itsme?</h1>');
    expect(html).toContain('At itsme, you are Alice Martin.');
    expect(html).toContain('your other ways to sign in stay. Nothing changes at itsme');
    expect(html).toMatch(/href="\/account\/identities" data-alternative="cancel">Keep it linked</);
    expect(html).toMatch(/href="\/account\/identities" aria-current="location"/);
    const last = house.pages.render('account-identity-unlink', { ...unlink, lastOne: true }, context);
    expect(last).toContain('It is your last linked identity.');
  });

  test('the last way in stays, and says why', () => {
    const refused = { reason: 'last_identity', backHref: '/account/identities' } as const;
    const html = house.pages.render('account-refused', refused, context);
    expect(html).toContain('<h1>This is your only way to sign in</h1>');
    expect(html).toContain('That is why it stays linked.');
  });

  test('without any provider the account area has no part for them', () => {
    const config = configOf({}, [portal]);
    const pages = createPages({
      texts: createTexts({ defaultLanguage: 'en' }),
      branding: config.branding,
      assets: house.assets,
      identities: false,
    });
    const off = { ...form, backHref: '/account/two-factor' };
    expect(pages.render('account-two-factor-off', off, context)).not.toContain('/account/identities');
    expect(house.pages.render('account-two-factor-off', off, context)).toContain('/account/identities');
  });
});

describe('a provider’s name and logo', () => {
  const folder = workFolder();
  writeFileSync(join(folder, 'itsme.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, 'itsme.gif'), 'GIF89a');
  const assetsWith = (logo: string | undefined) =>
    createAssets({ ...configOf({}, [portal]), providers: [{ id: 'itsme', logo } as ProviderFile] });

  test('the logo is served like every asset', () => {
    const assets = assetsWith(join(folder, 'itsme.svg'));
    const { logoUrl } = assets.externalWay({ id: 'itsme', name: 'itsme' }, 'en');
    expect(logoUrl).toMatch(/^\/assets\/[\w-]{16}\/provider-itsme\.svg$/);
    expect(assets.find(logoUrl ?? '')?.type).toBe('image/svg+xml');
    expect(assetsWith(undefined).externalWay({ id: 'itsme', name: 'itsme' }, 'en').logoUrl).toBeUndefined();
    expect(() => assetsWith(join(folder, 'itsme.gif'))).toThrow('must be an SVG or PNG file');
  });

  test('the name is that of the language, the default one or any', () => {
    const { externalWay } = assetsWith(undefined);
    expect(externalWay({ id: 'itsme', name: 'itsme' }, 'de').name).toBe('itsme');
    expect(externalWay({ id: 'eid', name: { en: 'Demo eID', nl: 'Demo-eID' } }, 'nl').name).toBe('Demo-eID');
    expect(externalWay({ id: 'eid', name: { en: 'Demo eID' } }, 'nl').name).toBe('Demo eID');
    expect(externalWay({ id: 'eid', name: {} }, 'nl').name).toBe('eid');
  });
});
