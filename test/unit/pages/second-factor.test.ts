import { describe, expect, test } from '@jest/globals';
import jsqr from 'jsqr';
import type { PageModels } from '../../../src/web/pages/index.ts';
import { safeLink, setupLink } from '../../../src/web/pages/links.ts';
import { openHouse } from './fixtures.ts';

const house = openHouse();
const context = house.context();
const form = { action: '/interaction/uid/step', csrf: 'token' };
const codeForm = { ...form, username: 'alice', switchAction: '/interaction/uid/switch', ways: [] };
const tag = (html: string, id: string): string => new RegExp(`<[a-z]+[^>]* id="${id}"[^>]*>`).exec(html)?.[0] ?? '';
const alternatives = (html: string): (string | undefined)[] =>
  [...html.matchAll(/ data-alternative="([^"]+)"/g)].map(([, way]) => way);

describe('the code of the app', () => {
  const render = (model: Partial<PageModels['totp']> = {}) =>
    house.pages.render('totp', { ...codeForm, ...model }, context);

  test('is typed with the browser’s help, spaces and all, and says whose it is', () => {
    const html = render();
    const field = tag(html, 'code');
    for (const attribute of ['name="code"', 'inputmode="numeric"', 'autocomplete="one-time-code"', 'autofocus'])
      expect(field).toContain(attribute);
    expect(field).not.toMatch(/maxlength|pattern|value=/);
    expect(html).toMatch(/id="continue" type="submit">Verify</);
    expect(html).toContain('<strong translate="no">alice</strong>');
    expect(html).toMatch(/<form[^>]* action="\/interaction\/uid\/switch"/);
    expect(html).toContain('We never ask for your password by telephone.');
  });

  test('other ways are submit buttons below the main one, in the order given', () => {
    const html = render({ ways: ['recovery-code', 'sms', 'passkey'], cancel: true });
    expect(alternatives(html)).toEqual(['switch', 'recovery-code', 'sms', 'passkey', 'cancel']);
    expect(html).toMatch(/type="submit" name="alternative" value="sms" formnovalidate [^>]*>Send me a code by SMS</);
    // Enter presses the first submit button of a form.
    expect(html.indexOf('id="continue"')).toBeLessThan(html.indexOf('value="recovery-code"'));
    expect(alternatives(render({ ways: ['constructor' as 'sms'] }))).toEqual(['switch']);
  });

  test('whoever lost the phone learns who helps, and of recovery codes if there are any', () => {
    const details = (html: string) => /<details.*<\/details>/s.exec(html)?.[0];
    expect(details(render())).toMatch(/I lost my phone.*Without a recovery code.*Call 0800 123 456\./s);
    expect(details(render())).not.toContain('Did you keep');
    expect(details(render({ ways: ['recovery-code'] }))).toContain('Did you keep your recovery codes?');
  });

  test('a pause is told in words, in the language of the page', () => {
    const problem = { code: 'factor_blocked', wait: 300 };
    expect(render({ problem })).toContain('Too many wrong codes. Try again in 5 minutes.');
    expect(render({ problem: { code: 'factor_blocked_ways', wait: 300 } })).toContain(
      'Try again in 5 minutes, or use another way',
    );
    expect(tag(render({ problem }), 'code')).toContain('aria-invalid="true" aria-describedby="problem hint"');
    expect(house.pages.sentence(problem, house.context('de'))).toContain('in 5 Minuten wieder');
  });

  test('by SMS: names the end of the number, and can be sent again', () => {
    const html = house.pages.render('sms', { ...codeForm, ending: '42', ways: ['recovery-code'] }, context);
    expect(html).toContain('We sent a code to the number ending in 42.');
    expect(html).toMatch(/type="submit" name="again" value="yes" formnovalidate data-alternative="again">Send another/);
    expect(alternatives(html)).toEqual(['switch', 'again', 'recovery-code']);
  });

  test('a recovery code is typed as it stands on paper', () => {
    const html = house.pages.render('recovery-code', { ...codeForm, ways: ['totp'] }, context);
    const field = tag(html, 'recovery_code');
    for (const attribute of ['autocomplete="off"', 'autocapitalize="characters"', 'spellcheck="false"', 'autofocus'])
      expect(field).toContain(attribute);
    expect(field).not.toContain('maxlength');
    expect(alternatives(html)).toEqual(['switch', 'totp']);
  });
});

describe('setting an app up', () => {
  const uri =
    'otpauth://totp/Lemac%20S%C3%A0rl:alice%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Lemac&algorithm=SHA1&digits=6&period=30';
  const render = (model: Partial<PageModels['enrol-totp']> = {}) =>
    house.pages.render('enrol-totp', { ...form, secret: 'JBSWY3DPEHPK3PX', uri, ...model }, context);

  /** The drawing as a camera sees it: dark modules on white, four pixels each. */
  function scan(html: string): string | undefined {
    const [, box, path] = /<svg class="qr" viewBox="0 0 (\d+) \1"[^>]*>\s*<path d="([^"]+)"/.exec(html) ?? [];
    const scale = 4;
    const width = Number(box) * scale;
    const pixels = new Uint8ClampedArray(width * width * 4).fill(255);
    const drawn = [...(path ?? '').matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)];
    expect(drawn.map(([part]) => part).join('')).toBe(path);
    for (const [x, y, length] of drawn.map(([, ...numbers]) => numbers.map(Number) as [number, number, number])) {
      for (let row = y * scale; row < (y + 1) * scale; row += 1)
        for (let column = x * scale; column < (x + length) * scale; column += 1)
          pixels.set([0, 0, 0], (row * width + column) * 4);
    }
    return jsqr.default(pixels, width, width)?.data;
  }

  test.each([uri, `otpauth://totp/${'a'.repeat(254)}?secret=ABCD`])('the QR code reads as %.40s…', (address) => {
    expect(scan(render({ uri: address }))).toBe(address);
  });

  test('without a camera: the address for this device, and the key in groups of four', () => {
    const html = render();
    expect(html).toContain(`href="${uri.replaceAll('&', '&amp;')}"`);
    expect(html).toContain('<code class="key" translate="no">JBSW Y3DP EHPK 3PX</code>');
    expect(html).toMatch(/<svg class="qr"[^>]* role="img" aria-label="QR code for your authenticator app/);
  });

  test('nothing else is drawn or linked, and only here', () => {
    for (const address of ['javascript:alert(1)', 'https://evil.example', 'otpauth://hotp/x?secret=A', 'otpauth:x'])
      expect([address, render({ uri: address })]).toEqual([address, expect.not.stringMatching(/class="qr"|open-app/)]);
    expect([safeLink(uri), setupLink(uri), setupLink(undefined)]).toEqual(['', uri, '']);
  });

  test('on the way in it is verified, in the account area activated', () => {
    expect(render()).toMatch(/id="continue" type="submit">Verify</);
    expect(render()).not.toContain('class="sections"');
    const own = render({ backHref: '/account/two-factor', username: 'alice' });
    expect(own).toMatch(/id="continue" type="submit">Activate</);
    expect(own).toMatch(/href="\/account\/two-factor" data-alternative="cancel">Cancel</);
    expect(own).toContain('<strong translate="no">alice</strong>');
  });

  test('a problem stands above what it is about', () => {
    const place = (code: string) => {
      const html = render({ problem: { code } });
      expect(tag(html, 'code')).toContain('aria-describedby="problem"');
      return html.indexOf('id="problem"') < html.indexOf('class="qr"') ? 'code to scan' : 'field';
    };
    expect(place('enrolment_expired')).toBe('code to scan');
    expect(place('totp_wrong_app')).toBe('field');
    expect(tag(render(), 'code')).not.toContain('autofocus');
  });
});

describe('recovery codes', () => {
  const codes = ['7K3QF-0XW2M-4TB9Z', 'AAAA1-BBBB1-CCCC1'];
  const render = (model: Partial<PageModels['recovery-codes']> = {}) =>
    house.pages.render('recovery-codes', { ...form, codes, left: 2, few: false, ...model }, context);

  test('a new list can be kept in three ways, one without script', () => {
    const html = render();
    expect(html).toContain('<h1>Keep these recovery codes</h1>');
    for (const code of codes) expect(html).toContain(`<li><code>${code}</code></li>`);
    for (const duty of ['copy', 'print'])
      expect(html).toMatch(new RegExp(`<li hidden><button class="quiet" type="button" data-codes="${duty}"`));
    const [, file] = /href="data:text\/plain;charset=utf-8,([^"]+)" download="recovery-codes.txt"/.exec(html) ?? [];
    expect(decodeURIComponent(file?.replaceAll('&#39;', "'") ?? '')).toBe(
      `Mutuelle Azur\r\nRecovery codes\r\n\r\n${codes.join('\r\n')}\r\n`,
    );
    expect(html).toContain('/recovery-codes.js"');
  });

  test('it is left by saying that it is kept', () => {
    expect(tag(render(), 'kept')).toMatch(/name="kept" type="checkbox" value="yes" required>/);
    const wrong = render({ problem: { code: 'recovery_codes_not_kept' } });
    expect(wrong.indexOf('id="problem"')).toBeLessThan(wrong.indexOf('id="kept"'));
    expect(tag(wrong, 'kept')).toContain('aria-invalid="true" aria-describedby="problem"');
  });

  test('of an old list: how many are left, and new ones when they run out', () => {
    expect(render({ codes: [], left: 8 })).toContain('You have 8 recovery codes left.');
    expect(render({ codes: [], left: 8 })).not.toMatch(/name="renew"|id="kept"|data:text/);
    const few = render({ codes: [], left: 1, few: true });
    expect(few).toContain('You have one recovery code left.');
    expect(few).toMatch(/name="renew" value="yes" formnovalidate data-alternative="renew">Make new codes</);
    expect(few.indexOf('id="continue"')).toBeLessThan(few.indexOf('name="renew"'));
  });
});

describe('two factors in the account area', () => {
  const model = {
    username: 'alice',
    csrf: 'token',
    left: 8,
    few: false,
    setUpHref: '/account/two-factor/set-up',
    codesAction: '/account/two-factor/codes',
    offHref: '/account/two-factor/off',
    signOutHref: '/session/end',
    devices: [],
    devicesAction: '/account/two-factor/devices',
  };
  const render = (more: Partial<PageModels['account-two-factor']> & { on: boolean }) =>
    house.pages.render('account-two-factor', { ...model, ...more }, context);

  test('off: one button', () => {
    const html = render({ on: false, left: 0 });
    expect(html).toMatch(/id="continue" href="\/account\/two-factor\/set-up">Activate two-factor authentication</);
    expect(alternatives(html)).toEqual(['sign-out']);
  });

  test('on: since when, how many codes, and what can be done', () => {
    const html = render({ on: true, since: Date.UTC(2026, 2, 4, 12) / 1000, notice: 'replaced' });
    expect(html).toMatch(/datetime="2026-03-04T12:00:00.000Z">March 4, 2026</);
    expect(html).toContain('You have 8 recovery codes left.');
    expect(html).toContain('Your new app is set up.');
    expect(html).toMatch(/<form method="post" action="\/account\/two-factor\/codes"/);
    expect(html).toMatch(/href="\/account\/two-factor\/off"[^>]*>Deactivate/);
    expect(alternatives(html)).toEqual(['sign-out', 'replace', 'renew', 'deactivate']);
  });

  test('every page of the area leads to its parts and marks its own', () => {
    const current = (html: string) => /href="([^"]+)" aria-current="(page|location)"/.exec(html)?.slice(1);
    expect(current(render({ on: true }))).toEqual(['/account/two-factor', 'page']);
    const off = { ...form, backHref: '/account/two-factor' };
    expect(current(house.pages.render('account-two-factor-off', off, context))).toEqual([
      '/account/two-factor',
      'location',
    ]);
    const refused = { reason: 'demanded', backHref: '/account/two-factor' } as const;
    expect(current(house.pages.render('account-refused', refused, context))?.[0]).toBe('/account/two-factor');
    const add = { ...form, optionsAction: '/o', backHref: '/account/passkeys' };
    expect(current(house.pages.render('account-passkey-add', add, context))).toEqual(['/account/passkeys', 'location']);
  });

  test('what is demanded stays, and says why', () => {
    const html = house.pages.render(
      'account-refused',
      { reason: 'demanded', backHref: '/account/two-factor' },
      context,
    );
    expect(html).toContain('<h1>Two-factor authentication stays on</h1>');
    expect(html).toContain('Your organisation or a website you use asks for it.');
    expect(html).not.toContain('data-passkeys');
  });
});
