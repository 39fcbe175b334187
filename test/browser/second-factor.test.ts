import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { PEOPLE } from '../../examples/people.ts';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { faultsOf, stopsToContinue, tabTo } from '../support/page-faults.ts';
import {
  atKeyboard,
  claimsAt,
  complaintsOf,
  giveCode,
  givePassword,
  giveRecoveryCode,
  giveUsername,
  headingOf,
  keepRecoveryCodes,
  keyIn,
  press,
  problemOn,
  recoveryCodesIn,
  setUpApp,
  signIn,
  stepOf,
  textOf,
} from '../support/person.ts';
import { readQrCode } from '../support/qr-code.ts';
import { requires } from '../support/requirements.ts';
import { MFA, sentenceOf } from '../support/second-factor.ts';

const HOUR = 3600;
const TWO_FACTORS = { amr: ['pwd', 'otp', 'mfa'], acr: MFA };

/** What an app finds in the QR code. */
const keyOf = (scanned: string | undefined): string => new URL(scanned ?? 'nothing:').searchParams.get('secret') ?? '';
const brunos = PEOPLE.find(({ username }) => username === 'bruno')?.totp?.secret ?? '';
const NUMBERS = { 'en-GB': '+41790000211', 'de-CH': '+41790000222' };

requires('chromium')('with a second factor, a person', () => {
  const browser = withBrowser();
  let demo: Demo;
  let mutuelle: string;

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    await demo.addPeople([
      'manages',
      'documents',
      { username: 'demanded', minimumAcr: MFA },
      ...Object.entries(NUMBERS).map(([locale, phone_number]) => ({
        username: locale.toLowerCase(),
        profile: { phone_number, phone_number_verified: true },
      })),
    ]);
  }, 60_000);
  afterAll(() => demo?.stop());

  /** The code in the newest message to a number, whatever the language. */
  const codeSentTo = async (number: string) => /\b\d{6}\b/.exec((await demo.smsTo(number))[0]?.text ?? '')?.[0] ?? '';
  const listen = (page: Page) => complaintsOf(page, [demo.issuer, demo.portals]);
  const noticeOn = async (page: Page) => (await page.getByRole('status').first().textContent())?.trim();
  const problem = (code: string) => expect.stringMatching(sentenceOf(code));

  async function expectStep(page: Page, step: string, heading: string): Promise<void> {
    expect([await stepOf(page), await headingOf(page)]).toEqual([step, heading]);
  }

  async function signInToAccount(page: Page, username: string): Promise<void> {
    await page.goto(`${demo.issuer}/account/two-factor`);
    await giveUsername(page, username);
    await givePassword(page, username);
  }

  test('signs in with the code of the app, which nobody types again; without JavaScript, too', async () => {
    const page = await browser.open();
    const complaints = listen(page);
    await signIn(page, mutuelle, 'bruno');
    await expectStep(page, 'totp', 'Enter the code from your app');
    const code = await demo.nextCode(brunos);
    await giveCode(page, `${code.slice(0, 3)} ${code.slice(3)}`);
    expect([page.url(), await claimsAt(page)]).toEqual([mutuelle, expect.objectContaining(TWO_FACTORS)]);
    expect(complaints).toEqual([]);

    const other = await browser.open({ javaScriptEnabled: false });
    await signIn(other, mutuelle, 'bruno');
    await giveCode(other, code);
    expect([await stepOf(other), await problemOn(other)]).toEqual(['totp', problem('totp_used')]);
    expect(await other.title()).toBe('Error: Enter the code from your app – Mutuelle Azur');
    await giveCode(other, await demo.nextCode(brunos));
    expect(await claimsAt(other)).toMatchObject(TWO_FACTORS);
  });

  test('who lost the phone uses a recovery code, once, and learns how many are left', async () => {
    const page = await browser.open();
    const complaints = listen(page);
    await signIn(page, mutuelle, 'bruno');
    await page.getByText('I lost my phone').click();
    await page.locator('details').getByText('members’ desk: +32 2 555 12 34').waitFor();
    await press(page, '[data-alternative=recovery-code]');
    await expectStep(page, 'recovery-code', 'Enter a recovery code');
    await giveRecoveryCode(page, 'AAAA1-BBBB1-CCCC1');
    await expectStep(page, 'recovery-codes', 'Recovery codes');
    expect(await textOf(page)).toContain('You have 7 recovery codes left.');
    await press(page);
    expect(await claimsAt(page)).toMatchObject(TWO_FACTORS);
    expect(complaints).toEqual([]);

    const other = await browser.open();
    await signIn(other, mutuelle, 'bruno');
    await press(other, '[data-alternative=recovery-code]');
    await giveRecoveryCode(other, 'aaaa1 bbbb1 cccc1');
    expect(await problemOn(other)).toEqual(problem('recovery_code_wrong'));
    expect(await demo.mailsTo('bruno', 1, /code de secours|recovery code/i)).toHaveLength(1);
  });

  test('from whom two factors are demanded scans the code, keeps the recovery codes, and arrives', async () => {
    const page = await browser.open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: demo.issuer });
    const complaints = listen(page);
    await signIn(page, mutuelle, 'chloe');
    await expectStep(page, 'enrol-totp', 'Set up your authenticator app');
    const scanned = await readQrCode(page);
    expect([scanned, keyOf(scanned)]).toEqual([
      await page.locator('[data-alternative=open-app]').getAttribute('href'),
      await keyIn(page),
    ]);
    await giveCode(page, await demo.nextCode(keyOf(scanned)));
    const codes = await recoveryCodesIn(page);
    await press(page);
    expect([await problemOn(page), await recoveryCodesIn(page)]).toEqual([problem('recovery_codes_not_kept'), codes]);
    expect(new Set(codes).size).toBe(10);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('The codes are copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(codes.join('\n'));
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Download').click()]);
    expect(download.suggestedFilename()).toBe('recovery-codes.txt');
    expect(await readFile(await download.path(), 'utf8')).toContain(codes.join('\r\n'));

    await keepRecoveryCodes(page);
    expect([page.url(), await claimsAt(page)]).toEqual([mutuelle, expect.objectContaining(TWO_FACTORS)]);
    expect(complaints).toEqual([]);
  });

  test('with a telephone only types the code that was sent there', async () => {
    const page = await browser.open();
    await signIn(page, mutuelle, 'emma');
    await expectStep(page, 'sms', 'Enter the code we sent you');
    expect(await textOf(page)).toContain('the number ending in 01.');
    expect(await page.content()).not.toMatch(/000001|4179/);
    expect(await demo.smsTo('+41790000001')).toHaveLength(1);
    await giveCode(page, await codeSentTo('+41790000001'));
    expect(await claimsAt(page)).toMatchObject({ amr: ['pwd', 'sms', 'mfa'], acr: MFA });
  });

  test('steps up at a portal: sets an app up and comes back; elsewhere is asked for the code alone', async () => {
    const [page, elsewhere] = [await browser.open(), await browser.open()];
    for (const at of [page, elsewhere]) {
      await signIn(at, mutuelle, 'alice');
      expect(await claimsAt(at)).toMatchObject({ amr: ['pwd'] });
    }
    await press(page, '#step-up');
    await expectStep(page, 'enrol-totp', 'Set up your authenticator app');
    const { key } = await setUpApp(page, demo);
    expect([page.url(), await noticeOn(page)]).toEqual([mutuelle, 'Thank you. You confirmed with a second step.']);
    expect(await claimsAt(page)).toMatchObject(TWO_FACTORS);

    await press(elsewhere, '#step-up');
    await expectStep(elsewhere, 'totp', 'Enter the code from your app');
    await giveCode(elsewhere, await demo.nextCode(key));
    expect([elsewhere.url(), await claimsAt(elsewhere)]).toEqual([mutuelle, expect.objectContaining(TWO_FACTORS)]);
  });

  test('opens a page whose API wants two factors, and comes to that page', async () => {
    const page = await browser.open();
    const complaints = listen(page);
    await signIn(page, mutuelle, 'documents');
    await press(page, '#documents');
    await setUpApp(page, demo);
    expect([page.url(), await headingOf(page)]).toEqual([`${mutuelle}/documents`, 'My documents']);
    expect(await page.locator('#documents-list li').count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  test('in the account area activates, replaces, makes new codes, and deactivates after a fresh proof', async () => {
    const page = await browser.open();
    const complaints = listen(page);
    await signInToAccount(page, 'manages');
    await expectStep(page, 'account-two-factor', 'Two-factor authentication');
    await press(page);
    const first = await setUpApp(page, demo);
    expect(await textOf(page)).toContain('You have 10 recovery codes left.');

    // Only the password was proven until now.
    await press(page, '[data-alternative=replace]');
    expect(await stepOf(page)).toBe('totp');
    await giveCode(page, await demo.nextCode(first.key));
    const second = await keyIn(page);
    expect(second).not.toBe(first.key);
    await giveCode(page, await demo.nextCode(second));
    expect(await noticeOn(page)).toBe('Your new app is set up. The old one no longer works here.');

    await press(page, '[data-alternative=renew]');
    await expectStep(page, 'recovery-codes', 'Keep these recovery codes');
    const codes = await keepRecoveryCodes(page);
    expect(codes.filter((code) => !first.codes.includes(code))).toHaveLength(10);
    expect(await noticeOn(page)).toBe('You have new recovery codes. The old ones no longer work.');

    await demo.advanceClock(HOUR);
    await press(page, '[data-alternative=deactivate]');
    await givePassword(page, 'manages');
    await giveCode(page, await demo.nextCode(second));
    await expectStep(page, 'account-two-factor-off', 'Deactivate two‑factor authentication?');
    await press(page);
    expect(await noticeOn(page)).toBe('Two-factor authentication is off now.');
    const other = await browser.open();
    await signIn(other, mutuelle, 'manages');
    expect(await claimsAt(other)).toMatchObject({ amr: ['pwd'] });

    expect(await demo.mailsTo('manages', 4, /app|codes|two-factor/i)).toHaveLength(4);
    expect(complaints).toEqual([]);
  });

  test('finds every page clean on a 320-pixel telephone, in English and light, in German and dark', async () => {
    await Promise.all([lookAround('light', 'en-GB'), lookAround('dark', 'de-CH')]);
  });

  async function lookAround(colorScheme: 'light' | 'dark', locale: keyof typeof NUMBERS): Promise<void> {
    const page = await browser.open({ viewport: { width: 320, height: 640 }, colorScheme, locale });
    const complaints = listen(page);
    const found: Record<string, readonly unknown[]> = {};
    // A page with a problem on it holds everything the page without one does.
    const look = async (step: string, what = '') => {
      expect([await stepOf(page), await page.locator('html').getAttribute('lang')]).toEqual([step, locale]);
      found[step + what] = await faultsOf(page);
    };
    await signInToAccount(page, locale.toLowerCase());
    await giveCode(page, '12345');
    await look('sms');
    await giveCode(page, await codeSentTo(NUMBERS[locale]));
    await look('account-two-factor', ', off');
    await press(page);
    const key = keyOf(await readQrCode(page));
    await giveCode(page, '12345');
    await look('enrol-totp');
    await giveCode(page, await demo.nextCode(key));
    await press(page);
    await look('recovery-codes', ', new');
    const [code = ''] = await keepRecoveryCodes(page);
    await look('account-two-factor', ', on');
    await page.context().clearCookies();
    await signInToAccount(page, locale.toLowerCase());
    await page.locator('summary').click();
    await look('totp');
    await press(page, '[data-alternative=recovery-code]');
    await giveRecoveryCode(page, '12345');
    await look('recovery-code');
    await giveRecoveryCode(page, code);
    await look('recovery-codes', ', left');
    await press(page);
    await press(page, '[data-alternative=deactivate]');
    await look('account-two-factor-off');
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, []])));
    expect(complaints).toEqual([]);
  }

  test('needs nothing but the keyboard, from the app to the recovery code', async () => {
    const page = await browser.open();
    const { enter, type } = atKeyboard(page);
    const passPassword = async () => {
      await page.context().clearCookies();
      await page.goto(mutuelle);
      await tabTo(page, 'sign-in');
      await enter();
      await type('username', 'demanded');
      await type('password', 'demanded-demo-password');
    };
    await passPassword();
    const key = await keyIn(page);
    await tabTo(page, 'code');
    await type('code', await demo.nextCode(key));
    expect(await stopsToContinue(page)).toEqual(['download', 'copy', 'print', 'kept', 'continue']);
    await enter();
    expect(await problemOn(page)).toEqual(problem('recovery_codes_not_kept'));
    await tabTo(page, 'kept');
    await page.keyboard.press('Space');
    await enter();
    expect(await claimsAt(page)).toMatchObject(TWO_FACTORS);

    await passPassword();
    await tabTo(page, 'recovery-code');
    await enter();
    await type('recovery_code', '12345');
    await problemOn(page);
    await tabTo(page, 'totp');
    await enter();
    await type('code', await demo.nextCode(key));
    expect(await claimsAt(page)).toMatchObject(TWO_FACTORS);
  });
});
