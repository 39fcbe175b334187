import { describe, expect, test } from '@jest/globals';
import type { PageModels } from '../../../src/web/pages/index.ts';
import { configOf, openHouse } from './fixtures.ts';

const house = openHouse();
const context = house.context();
const form = { action: '/interaction/uid/step', csrf: 'token' };
const passkeyForm = { ...form, optionsAction: '/interaction/uid/step/options' };
const tag = (html: string, id: string): string => new RegExp(`<[a-z]+[^>]* id="${id}"[^>]*>`).exec(html)?.[0] ?? '';

describe('identify', () => {
  const render = (model: Partial<PageModels['identify']> = {}) =>
    house.pages.render('identify', { ...passkeyForm, ...model }, context);

  test('asks for the username, with the browser’s own help, and for nothing else', () => {
    const html = render();
    const field = tag(html, 'username');
    for (const attribute of [
      'name="username"',
      'type="text"',
      'autocomplete="username webauthn"',
      'autocapitalize="none"',
      'spellcheck="false"',
      'enterkeyhint="next"',
      'autofocus',
    ]) {
      expect(field).toContain(attribute);
    }
    expect(html).toContain('<form method="post" action="/interaction/uid/step"');
    expect(html).toContain('<input type="hidden" name="_csrf" value="token">');
    expect(tag(html, 'continue')).toContain('type="submit"');
    expect([...html.matchAll(/<input(?! type="hidden")/g)]).toHaveLength(1);
  });

  test('says whose page it is and carries the portal’s notice', () => {
    const html = render();
    expect(html).toMatch(/Sign in to<\/span> <span translate="no">Mutuelle Azur/);
    expect(html).toContain('We never ask for your password by telephone.');
  });

  test('a problem stands above the field, is tied to it and takes the focus; what was typed stays', () => {
    const html = render({ username: 'alise', problem: { code: 'username_invalid' } });
    expect(html).toMatch(/<p class="problem" id="problem" tabindex="-1" autofocus>/);
    expect(html.indexOf('id="problem"')).toBeLessThan(html.indexOf('id="username"'));
    const field = tag(html, 'username');
    expect(field).toContain('aria-invalid="true" aria-describedby="problem"');
    expect(field).toContain('value="alise"');
    expect(field).not.toContain('autofocus');
  });

  test('a problem without a text of its own gets the general sentence', () => {
    expect(render({ problem: { code: 'no_such_problem' } })).toContain('That did not work. Please try again.');
  });

  test('the way out is a submit button, where there is one', () => {
    expect(render()).not.toContain('data-alternative');
    expect(render({ cancel: true })).toMatch(
      /<button[^>]* type="submit" name="cancel" value="yes" formnovalidate data-alternative="cancel">Cancel and return to Mutuelle Azur</,
    );
  });

  test('without a portal it is the operator’s page', () => {
    const own = openHouse(configOf({ branding: { name: 'Lemac', help_url: 'https://lemac.example/help' } }));
    const html = own.pages.render('identify', passkeyForm, own.context());
    expect(html).toContain('Enter your username – Lemac</title>');
    expect(html).toContain('href="https://lemac.example/help"');
    expect(html).toContain(own.assets.brandingStylesheetUrl);
  });
});

describe('password', () => {
  const model = { ...form, username: 'alice', switchAction: '/interaction/uid/switch' };
  const html = house.pages.render('password', model, context);

  test('asks for the password only, and never repeats it', () => {
    const field = tag(html, 'password');
    for (const attribute of ['name="password"', 'type="password"', 'autocomplete="current-password"', 'autofocus']) {
      expect(field).toContain(attribute);
    }
    expect(field).not.toContain('value=');
  });

  test('keeps the username for password managers, in a field that is not sent', () => {
    const field = /<input[^>]* autocomplete="username"[^>]*>/.exec(html)?.[0] ?? '';
    expect(field).toContain('value="alice"');
    expect(field).toContain('readonly');
    expect(field).not.toMatch(/\sname=|\shidden|type="hidden"/);
    expect(html).not.toContain('name="username"');
  });

  test('says who signs in and lets somebody else in', () => {
    expect(html).toContain('<strong translate="no">alice</strong>');
    expect(html).toMatch(/<form[^>]* action="\/interaction\/uid\/switch"/);
    expect(html).toMatch(/<button[^>]* name="switch"[^>]* data-alternative="switch">Not you\?</);
  });

  test('the button that shows the password waits for its script', () => {
    expect(html).toMatch(/<button class="reveal" type="button" hidden /);
  });

  test('a wrong password and an unknown username read the same', () => {
    const wrong = house.pages.render('password', { ...model, problem: { code: 'wrong_password' } }, context);
    expect(wrong).toContain('That username and password don’t match. Check both and try again.');
  });
});

describe('passkey', () => {
  const render = (model: Partial<PageModels['passkey']> = {}) =>
    house.pages.render(
      'passkey',
      { ...passkeyForm, username: 'alice', switchAction: '/switch', passwordInstead: true, ...model },
      context,
    );

  test('is one button for the passkey, which waits for its script', () => {
    const html = render();
    expect(html).toMatch(
      /<form method="post" action="\/interaction\/uid\/step"[^>]* data-passkey="sign-in" data-options="\/interaction\/uid\/step\/options">/,
    );
    expect(html).toMatch(
      /<button class="button" id="continue" type="submit" hidden data-passkeys="with">Use my passkey</,
    );
    expect(html).toContain('<strong translate="no">alice</strong>');
    expect(html).toMatch(/<button[^>]* name="switch"[^>]* data-alternative="switch">Not you\?</);
    expect(html).toMatch(/Sign in to<\/span>/);
  });

  test('leads to the password where there is one, and so does the password page back', () => {
    expect(render()).toMatch(/name="alternative" value="password" formnovalidate data-alternative="password">Use my p/);
    expect(render({ passwordInstead: false })).not.toContain('data-alternative="password"');
    const password = { ...form, username: 'alice', switchAction: '/switch' };
    expect(house.pages.render('password', { ...password, passkey: true }, context)).toMatch(
      /name="alternative" value="passkey" formnovalidate data-alternative="passkey">Use my passkey</,
    );
    const plain = house.pages.render('password', password, context);
    expect(plain).not.toContain('data-alternative="passkey"');
    expect(plain).not.toContain('current version');
    expect(house.pages.render('password', { ...password, oldBrowser: true }, context)).toContain('current version');
  });

  test('the library comes before the script that uses it, and both before the one that guards forms', () => {
    const scripts = [...render().matchAll(/<script[^>]*\/([^/"]+)">/g)].map(([, name]) => name);
    expect(scripts).toEqual(['simplewebauthn.js', 'passkeys.js', 'submit-once.js']);
  });

  test('what the script may have to say is there beforehand, and is no problem yet', () => {
    const html = render();
    expect(html).toMatch(
      /<template id="passkey-problem" data-title="Error: [^"]+" data-cancelled="No passkey was used\./,
    );
    expect(html).not.toContain('id="problem"');
    expect(render({ problem: { code: 'passkey_refused' } })).toMatch(/id="problem"[^>]*>.*That passkey did not work/s);
  });
});

describe('the offer of a passkey', () => {
  const render = (model: Partial<PageModels['offer-passkey']> = {}) =>
    house.pages.render(
      'offer-passkey',
      { ...passkeyForm, username: 'alice', reason: 'first', automatic: false, ...model },
      context,
    );

  test('can be skipped, once or for good; the main button waits for its script', () => {
    const html = render();
    expect(tag(html, 'continue')).toMatch(/ type="submit" hidden data-passkeys="with">$/);
    expect(html).toMatch(/type="submit" name="skip" value="yes" data-alternative="skip"/);
    expect(html).toMatch(/type="submit" name="never" value="yes" data-alternative="never"/);
    expect(html).toContain('<noscript>');
  });

  test('stays out of sight for a moment only where a passkey may come about by itself', () => {
    expect(render()).not.toMatch(/waits|data-automatic/);
    expect(render({ automatic: true })).toMatch(/<div class="waits">.*<form[^>]* data-automatic>/s);
  });

  test('says why: the first one, or one for this device', () => {
    expect(render()).toContain('takes the place of your password');
    expect(render({ reason: 'this-device' })).toContain('a passkey from another device');
  });
});

describe('passkeys of an account', () => {
  const passkey = {
    name: 'Phone',
    provider: 'iCloud Keychain',
    createdAt: Date.UTC(2026, 2, 4, 12) / 1000,
    synced: true,
    renameHref: '/account/passkeys/1/rename',
    deleteHref: '/account/passkeys/1/delete',
  };
  const render = (model: Partial<PageModels['account-passkeys']> = {}, language: 'en' | 'fr' = 'en') =>
    house.pages.render(
      'account-passkeys',
      {
        username: 'alice',
        passkeys: [passkey],
        canAdd: true,
        addHref: '/account/passkeys/add',
        signOutHref: '/account/sign-out',
        signals: { rpId: 'localhost', userId: 'dXNlcg', acceptedIds: ['aWQ'], name: 'alice', displayName: 'Alice' },
        ...model,
      },
      { ...house.context(language), client: undefined },
    );

  test('each says whose it is, when it was used, and can be renamed and deleted by name', () => {
    const html = render({ passkeys: [passkey, { ...passkey, lastUsedAt: Date.UTC(2026, 4, 6, 12) / 1000 }] });
    expect(html).toContain('<h2 translate="no">Phone</h2>');
    expect(html).toMatch(/datetime="2026-03-04T12:00:00.000Z">March 4, 2026</);
    expect(html).toContain('>not yet<');
    expect(html).toContain('>May 6, 2026<');
    expect(html).toMatch(/href="\/account\/passkeys\/1\/delete">Delete<span class="visually-hidden">: Phone</);
    expect(render({}, 'fr')).toContain('>4 mars 2026<');
  });

  test('nothing of a passkey but what the card shows reaches the page', () => {
    const secret = { ...passkey, publicKey: 'secret-key' };
    expect(render({ passkeys: [secret] })).not.toContain('secret-key');
  });

  test('none yet: what a passkey is, and the way to one', () => {
    const html = render({ passkeys: [] });
    expect(html).toContain('You have no passkey yet.');
    expect(html).not.toContain('class="cards"');
    expect(html).toMatch(
      /<a class="button" id="continue" href="\/account\/passkeys\/add" hidden data-passkeys="with">/,
    );
  });

  test('a browser that can’t create one is told which can', () => {
    const html = render({ canAdd: false });
    expect(html).not.toContain('id="continue"');
    expect(html).toContain('<p class="small">This browser can’t use passkeys.');
  });

  test('what was done is said', () => {
    expect(render({ notice: 'deleted' })).toContain('The passkey is deleted.');
    expect(render({ notice: 'added' })).toContain('Your passkey is saved.');
    expect(render()).not.toContain('role="status"');
  });

  test('the browser is told what is true here', () => {
    expect(tag(render(), 'passkey-signals')).toBe(
      '<div id="passkey-signals" hidden data-rp-id="localhost" data-user-id="dXNlcg" data-accepted="[&#34;aWQ&#34;]" data-name="alice" data-display-name="Alice">',
    );
  });

  test('are the operator’s pages, whichever portal somebody came from', () => {
    expect(render()).toContain('Your passkeys – ');
    expect(render()).not.toMatch(/Mutuelle Azur|Sign in to/);
  });

  test('a new one has a name already, which may stay', () => {
    const model = { ...form, name: 'Phone', backHref: '/account/passkeys' };
    const html = house.pages.render('account-passkey-name', { ...model, isNew: true }, context);
    expect(html).toContain('<h1>Your passkey is saved</h1>');
    expect(tag(html, 'name')).toMatch(/name="name" type="text" value="Phone" required maxlength="60"/);
    expect(tag(html, 'name')).toContain('aria-describedby="hint"');
    const wrong = house.pages.render(
      'account-passkey-name',
      { ...model, name: '', isNew: false, problem: { code: 'name_required' } },
      context,
    );
    expect(wrong).toContain('<h1>Rename passkey</h1>');
    expect(tag(wrong, 'name')).toContain('aria-describedby="problem" aria-invalid="true"');
  });

  test('deleting names it and says what follows', () => {
    const model = { ...form, name: 'Phone', provider: 'iCloud Keychain', backHref: '/account/passkeys' };
    const html = house.pages.render('account-passkey-delete', { ...model, lastOne: false }, context);
    expect(html).toContain('<h1>Delete the passkey “Phone”?</h1>');
    expect(html).toContain('with another passkey or your password');
    expect(html).toContain('(iCloud Keychain)');
    expect(html).toMatch(/href="\/account\/passkeys" data-alternative="cancel">Keep it</);
    expect(house.pages.render('account-passkey-delete', { ...model, lastOne: true }, context)).toContain('your last');
  });

  test('a refusal says why and leads back, or to a passkey where that helps', () => {
    const model = { backHref: '/account/passkeys', retryHref: '/account/confirm' };
    const last = house.pages.render('account-refused', { ...model, reason: 'last_way_in' }, context);
    expect(last).toMatch(/<a class="button" id="continue" href="\/account\/passkeys">Back</);
    expect(last).not.toContain('/account/confirm');
    const stronger = house.pages.render('account-refused', { ...model, reason: 'needs_stronger' }, context);
    expect(stronger).toMatch(
      /<a class="button" href="\/account\/confirm" hidden data-passkeys="with" data-alternative="passkey">Confirm/,
    );
    expect(stronger).toMatch(/<a class="button second" id="continue" href="\/account\/passkeys">Back</);
  });
});

describe('consent', () => {
  const render = (model: Partial<PageModels['consent']>, language: 'en' | 'fr' = 'en') =>
    house.pages.render(
      'consent',
      { ...form, username: 'alice', scopes: ['openid'], claims: [], resources: [], offline: false, ...model },
      house.context(language),
    );
  const items = (html: string): string[] =>
    [...html.matchAll(/<li><svg.*?<\/svg>\s*<span>(.*?)<\/span><\/li>/gs)].map(([, text]) => text ?? '');

  test('puts what is asked in people’s words, and what has no words by name', () => {
    const html = render({
      scopes: ['openid', 'email', 'offline_access', 'invoices:read'],
      claims: ['birthdate', 'member_number'],
      resources: [
        { indicator: 'https://api.example', scopes: ['read', 'write'] },
        { indicator: 'https://other.example', scopes: [] },
      ],
    });
    expect(items(html)).toEqual([
      'Recognise you when you sign in',
      'See your e-mail address',
      'Use the permission “invoices:read”',
      'See these details: date of birth and member_number',
      'Use the service https://api.example: read and write',
      'Use the service https://other.example',
      'Keep this access while you are away',
    ]);
  });

  test('says what an electronic identity confirms once, and apart from what the account says', () => {
    const asked = { scopes: ['openid', 'eid'], claims: ['national_number', 'employer', 'gender'] };
    const confirmed = ['national_number', 'employer'];
    expect(items(render({ ...asked, confirmed })).slice(1)).toEqual([
      'See what your electronic identity confirms: national number and employer',
      'See these details: gender',
    ]);
    expect(items(render({ scopes: ['openid', 'eid'] }))[1]).toBe('Use the permission “eid”');
  });

  test('scopes named like properties of every object are scopes like any other', () => {
    expect(items(render({ scopes: ['constructor', '__proto__'] }))).toEqual([
      'Use the permission “constructor”',
      'Use the permission “__proto__”',
    ]);
  });

  test('lists read as the language writes them', () => {
    expect(items(render({ claims: ['name', 'email', 'gender'] }, 'fr'))[1]).toBe(
      'Voir ces informations\u00a0: nom complet, adresse e-mail et genre',
    );
  });

  test('#continue allows and the cancel button refuses', () => {
    const html = render({});
    expect(html).toMatch(/<button[^>]* id="continue" type="submit">Allow</);
    expect(html).toMatch(/<button[^>]* type="submit" name="cancel" value="yes" data-alternative="cancel">Don’t allow</);
  });
});

describe('error', () => {
  const render = (model: Partial<PageModels['error']>, from = context) =>
    house.pages.render('error', { code: 'unexpected', status: 500, reference: 'ref-1', ...model }, from);
  const heading = (html: string): string => /<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '';

  test('says what happened, the reference number and the way back', () => {
    const html = render({ code: 'session_expired', status: 400 });
    expect(heading(html)).toBe('Please start again');
    expect(html).toContain('<code translate="no">ref-1</code>');
    expect(html).toMatch(
      /<a class="button" id="continue" href="http:\/\/localhost:3001\/mutuelle">Back to Mutuelle Azur/,
    );
    expect(html).toContain('Call 0800 123 456.');
  });

  test('trying again comes first where that may help', () => {
    const html = render({ code: 'busy', status: 503, retryAfter: 5, retryHref: '/interaction/uid' });
    expect(html).toMatch(/id="continue" href="\/interaction\/uid">Try again/);
    expect(html).toContain('Please try again in 5 seconds.');
    expect([...html.matchAll(/id="continue"/g)]).toHaveLength(1);
  });

  test.each([
    [{ code: 'storage.unavailable', status: 503 }, 'Signing in is not possible right now'],
    [{ code: 'never_heard_of', status: 404 }, 'This page does not exist'],
    [{ code: 'never_heard_of', status: 429 }, 'Too many tries for the moment'],
    [{ code: 'never_heard_of', status: 500 }, 'Something went wrong'],
    [{ code: '__proto__', status: 418 }, 'Something went wrong'],
    [
      { code: 'invalid_scope', status: 400, values: { error: 'invalid_scope' } },
      'The website you came from asked for something we can’t do',
    ],
  ])('%j is told as "%s"', (model, expected) => {
    expect(heading(render(model))).toBe(expected);
  });

  test('OAuth’s own words are for administrators, in small print', () => {
    const values = { error: 'invalid_request', error_description: 'missing <required> parameter' };
    const html = render({ code: 'invalid_request', status: 400, values });
    expect(html).toContain(
      '<p class="small">For the administrators of the website: invalid_request – missing &lt;required&gt; parameter</p>',
    );
    expect(render({})).not.toContain('class="small"');
  });

  test.each([
    [30, '30 seconds'],
    [90, '90 seconds'],
    [91, '2 minutes'],
    [600, '10 minutes'],
    [7200, '2 hours'],
  ])('%d seconds are told as %s', (retryAfter, words) => {
    expect(render({ code: 'too_many_requests', status: 429, retryAfter })).toContain(`try again in ${words}.`);
  });
});

describe('the protocol’s own pages', () => {
  const fields = { xsrf: 'x1', user_code: 'ABCD-EFGH' };

  test('sign-out: hidden fields are passed on, #continue confirms, the other button stays', () => {
    const html = house.pages.render('sign-out', { action: '/session/end/confirm', fields: { xsrf: 'x1' } }, context);
    expect(html).toContain('<input type="hidden" name="xsrf" value="x1">');
    expect(html).toMatch(/<button[^>]* id="continue" type="submit" name="logout" value="yes">Sign out</);
    expect(html).toMatch(/<button class="button second" type="submit" data-alternative="cancel">Stay signed in</);
  });

  test('device: the code is asked, shown, and can be refused', () => {
    const ask = house.pages.render('device-code', { action: '/device', fields: { xsrf: 'x1' } }, context);
    expect(tag(ask, 'user_code')).toContain('name="user_code"');
    const confirm = house.pages.render(
      'device-confirm',
      { action: '/device', fields, userCode: 'ABCD-EFGH', clientName: 'TV' },
      context,
    );
    expect(confirm).toContain('<code translate="no">ABCD-EFGH</code>');
    expect(confirm).toMatch(/name="abort" value="yes" data-alternative="cancel"/);
    expect(house.pages.render('device-done', { clientName: 'TV' }, context)).toContain('Carry on with TV there.');
  });
});
