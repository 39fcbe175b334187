import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import {
  begin,
  claimsAt,
  complaintsOf,
  givePassword,
  giveUsername,
  headingOf,
  press,
  signIn,
  stepOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';

// The whole product as `npm run demo` starts it; the same steps with and without JavaScript.
requires('chromium')('a person', () => {
  const browser = withBrowser();
  let demo: Demo;
  let mutuelle: string;
  let extranet: string;

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    extranet = `${demo.portals}/extranet`;
  }, 60_000);
  afterAll(() => demo?.stop());

  describe.each([
    { script: 'with JavaScript', javaScriptEnabled: true, newcomer: 'dieter' },
    { script: 'without JavaScript', javaScriptEnabled: false, newcomer: 'root' },
  ])('$script', ({ javaScriptEnabled, newcomer }) => {
    const open = () => browser.open({ javaScriptEnabled });

    test('signs in at one portal, needs no page at the second, and signs out of both', async () => {
      const page = await open();
      const complaints = complaintsOf(page, [demo.issuer, demo.portals]);
      await begin(page, mutuelle);
      expect([await stepOf(page), await page.locator('#password').count()]).toEqual(['identify', 0]);
      await giveUsername(page, 'alice');
      expect([await stepOf(page), await page.locator('.account').textContent()]).toEqual([
        'password',
        expect.stringContaining('alice'),
      ]);
      await givePassword(page, 'alice');
      expect(page.url()).toBe(mutuelle);
      const claims = await claimsAt(page);
      expect(claims).toMatchObject({ iss: demo.issuer, aud: 'mutuelle', amr: ['pwd'] });

      const shown: string[] = [];
      page.on('load', () => shown.push(page.url()));
      await page.goto(extranet);
      await press(page, '#sign-in');
      expect(shown).toEqual([extranet, extranet]);
      expect(await claimsAt(page)).toMatchObject({ aud: 'extranet', sub: claims?.sub, auth_time: claims?.auth_time });

      await press(page, '#sign-out');
      expect([page.url(), await claimsAt(page)]).toEqual([extranet, undefined]);
      // The other portal was told by the server itself; its page only has to be looked at again.
      await page.goto(mutuelle);
      expect([await claimsAt(page), await page.locator('#sign-in').count()]).toEqual([undefined, 1]);
      await press(page, '#sign-in');
      expect(await stepOf(page)).toBe('identify');
      expect(complaints).toEqual([]);
    });

    test('reads what is wrong with a password, hears it first, and has not to type the username again', async () => {
      const page = await open();
      await begin(page, mutuelle);
      await giveUsername(page, 'sam');
      await givePassword(page, 'sam', 'not-his-password');
      const problem = page.locator('#problem:focus');
      expect(await problem.textContent()).toContain(
        'That username and password don’t match. Check both and try again.',
      );
      expect(await page.title()).toBe('Error: Enter your password – Mutuelle Azur');
      expect(await page.locator('.account').textContent()).toContain('sam');
      const field = page.locator('#password');
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      expect(await field.getAttribute('aria-describedby')).toBe('problem');
      expect(await field.inputValue()).toBe('');
      await givePassword(page, 'sam');
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd'] });
    });

    test('is told the same about a username that nobody has', async () => {
      const page = await open();
      await begin(page, mutuelle);
      await giveUsername(page, 'nobody-of-that-name');
      expect(await stepOf(page)).toBe('password');
      await givePassword(page, 'nobody-of-that-name');
      expect(await page.locator('#problem').textContent()).toContain('That username and password don’t match.');
    });

    test('is asked for a username or a password that was left out', async () => {
      const page = await open();
      await begin(page, mutuelle);
      await giveUsername(page, '  ');
      expect(await page.locator('#problem:focus').textContent()).toContain('Enter your username.');
      await giveUsername(page, 'sam');
      await givePassword(page, 'sam', '');
      expect(await page.locator('#problem:focus').textContent()).toContain('Enter your password.');
      expect(await stepOf(page)).toBe('password');
    });

    test('who is somebody else says so, and signs in under another name, the e-mail address even', async () => {
      const page = await open();
      await begin(page, extranet);
      await giveUsername(page, 'dieter');
      await press(page, '[data-alternative=switch]');
      expect([await stepOf(page), await page.locator('#username').inputValue()]).toEqual(['identify', '']);
      await giveUsername(page, ' Sam@Example.org ');
      await givePassword(page, 'sam');
      expect(await claimsAt(page)).toMatchObject({ preferred_username: 'sam' });
    });

    test.each(['identify', 'password'])('cancels at %s and is back at the portal with a plain notice', async (step) => {
      const page = await open();
      await begin(page, extranet);
      if (step === 'password') await giveUsername(page, 'alice');
      expect(await stepOf(page)).toBe(step);
      await press(page, '[data-alternative=cancel]');
      expect(page.url()).toBe(extranet);
      expect(await page.locator('#notice').textContent()).toBe('You cancelled the sign-in. Nothing was changed.');
      expect(await claimsAt(page)).toBeUndefined();
    });

    test('who cancels a second step reads that nothing was changed, and stays signed in', async () => {
      const page = await open();
      await signIn(page, extranet, 'sam');
      const before = await claimsAt(page);
      await press(page, '#step-up');
      expect(await stepOf(page)).toBe('enrol-totp');
      await press(page, '[data-alternative=cancel]');
      expect(page.url()).toBe(extranet);
      expect(await page.locator('#notice').textContent()).toBe('You cancelled the sign-in. Nothing was changed.');
      expect(await claimsAt(page)).toEqual(before);
    });

    test('allows or refuses what another company’s portal asks, and is asked once', async () => {
      const agenda = `${demo.portals}/agenda`;
      const page = await open();
      await signIn(page, agenda, newcomer);
      expect([await stepOf(page), await headingOf(page)]).toEqual([
        'consent',
        'Allow Agenda Libre to use your information?',
      ]);
      expect((await page.locator('.checks li').allTextContents()).map((text) => text.trim())).toEqual([
        'Recognise you when you sign in',
        'See your profile, such as your name, username and language',
        'See your e-mail address',
      ]);
      await press(page, '[data-alternative=cancel]');
      expect([page.url(), await claimsAt(page)]).toEqual([agenda, undefined]);
      expect(await page.locator('#notice').textContent()).toContain('You cancelled the sign-in.');

      // Signed in already, so only the question comes back.
      await press(page, '#sign-in');
      expect(await stepOf(page)).toBe('consent');
      await press(page);
      expect(await claimsAt(page)).toMatchObject({ aud: 'agenda' });

      // Another day, another browser: remembered.
      const later = await open();
      await signIn(later, agenda, newcomer);
      expect(await claimsAt(later)).toMatchObject({ aud: 'agenda' });
    });

    test('signs out at Vestibule itself after a question, or stays', async () => {
      const page = await open();
      await signIn(page, mutuelle, 'root');
      await page.goto(`${demo.issuer}/session/end`);
      expect(await stepOf(page)).toBe('sign-out');
      await press(page, '[data-alternative=cancel]');
      expect([await stepOf(page), await headingOf(page)]).toEqual(['still-signed-in', 'You are still signed in']);
      await page.goto(mutuelle);
      expect(await claimsAt(page)).toBeDefined();
      await page.goto(`${demo.issuer}/session/end`);
      await press(page);
      expect([await stepOf(page), await headingOf(page)]).toEqual(['signed-out', 'You are signed out']);
      await page.goto(mutuelle);
      expect(await claimsAt(page)).toBeUndefined();
    });
  });
});
