import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const MFA = 'https://refeds.org/profile/mfa';
const mutuelle = clientFile('mutuelle');
const DAY = 86_400;

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;
let people = 0;

const person = async (): Promise<{ username: string; password: string }> => {
  people += 1;
  const somebody = { username: `person-${people}`, password: 'a-demo-password-of-some-length' };
  await vestibule.addPerson(somebody);
  return somebody;
};

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const open = async (by: Visitor, parameters: Readonly<Record<string, string>> = {}) =>
  by.visit(await portal.authorizationUrl(parameters));
const device = (over: object = {}) => new SoftwareAuthenticator({ origin: vestibule.issuer, ...over });

/** Signs in with the password and creates the passkey that is offered. */
async function withPasskey(over: object = {}) {
  const somebody = await person();
  const browser = new PasskeyBrowser(new Visitor(vestibule), vestibule.issuer, device(over));
  await open(browser.visitor);
  await browser.visitor.submit({ username: somebody.username });
  await browser.visitor.submit({ password: somebody.password });
  expect(browser.visitor.page.step).toBe('offer-passkey');
  const told = await browser.create();
  expect(told.status).toBe(200);
  return { ...somebody, browser, first: browser.visitor.left };
}

const claimsOf = async (callback: URL) => (await portal.exchange(callback)).claims();

test('after a password login a passkey is offered, created, and the sign-in goes on with what was performed', async () => {
  const { first } = await withPasskey();
  expect(await claimsOf(first)).toMatchObject({ amr: ['pwd'], acr: 'https://refeds.org/profile/sfa' });
});

test.each([
  ['a device-bound passkey', {}, 'hwk'],
  ['a synced passkey', { synced: true }, 'swk'],
])('%s with fingerprint, face or PIN: username, touch, two phishing-resistant factors', async (_what, over, key) => {
  const { username, browser } = await withPasskey(over);
  const other = new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
  await open(visitor, { acr_values: MFA });
  await visitor.submit({ username });
  expect(visitor.page.step).toBe('passkey');
  await other.use();
  expect(await claimsOf(visitor.left)).toMatchObject({ amr: [key, 'user', 'mfa'], acr: 'phr' });
});

test('a passkey chosen in the username field signs in without a name', async () => {
  const { browser } = await withPasskey({ synced: true });
  const other = new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
  await open(visitor);
  expect(visitor.page.step).toBe('identify');
  await other.use();
  expect((await claimsOf(visitor.left))?.amr).toEqual(['swk', 'user', 'mfa']);
});

describe('a passkey used without fingerprint, face or PIN', () => {
  test('is one factor', async () => {
    const { username, browser } = await withPasskey({ verifiesUser: false });
    const other = new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
    await open(visitor);
    await visitor.submit({ username });
    await other.use();
    expect(await claimsOf(visitor.left)).toMatchObject({ amr: ['hwk', 'user'], acr: 'https://refeds.org/profile/sfa' });
  });

  test('does not meet a demand for two', async () => {
    const { username, browser } = await withPasskey({ verifiesUser: false });
    const other = new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
    await open(visitor, { acr_values: MFA });
    await visitor.submit({ username });
    // A password could, with the touch or a code.
    expect(visitor.page.alternatives.has('password')).toBe(true);
    const options = await other.options<{ userVerification: string }>();
    expect(options.userVerification).toBe('required');
    const asked = { ...options, userVerification: 'discouraged' } as never;
    const told = await other.hand(await browser.device.get(asked));
    expect(told).toMatchObject({ status: 400, body: { code: 'passkey_not_verified' } });
    expect(visitor.page.step).toBe('passkey');
  });
});

test('the password stays in reach, and from there the passkey', async () => {
  const { username, password, browser } = await withPasskey();
  new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
  await open(visitor);
  await visitor.submit({ username });
  await visitor.choose('password');
  expect(visitor.page.step).toBe('password');
  await visitor.choose('passkey');
  expect(visitor.page.step).toBe('passkey');
  await visitor.choose('password');
  await visitor.submit({ password });
  expect((await claimsOf(visitor.left))?.amr).toEqual(['pwd']);
});

test('a browser that can’t is sent to the password, and told which can', async () => {
  const { username } = await withPasskey();
  await open(visitor);
  await visitor.submit({ username });
  expect(visitor.page.step).toBe('password');
  expect(visitor.page.text).toContain('Firefox');
});

test('a page whose script does not run after all leads to the password', async () => {
  const { username, browser } = await withPasskey();
  new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
  await open(visitor);
  await visitor.submit({ username });
  await visitor.submit();
  expect(visitor.page.step).toBe('password');
});

describe('the offer', () => {
  const signIn = async (somebody: { username: string; password: string }) => {
    const browser = new PasskeyBrowser(new Visitor(vestibule), vestibule.issuer);
    await open(browser.visitor);
    await browser.visitor.submit({ username: somebody.username });
    await browser.visitor.submit({ password: somebody.password });
    return browser;
  };

  test('skipped, is remembered for thirty days', async () => {
    const somebody = await person();
    const first = await signIn(somebody);
    expect(first.visitor.page.step).toBe('offer-passkey');
    await first.visitor.choose('skip');
    expect((await claimsOf(first.visitor.left))?.amr).toEqual(['pwd']);
    expect((await signIn(somebody)).visitor.left).toBeDefined();
    await vestibule.advanceClock(29 * DAY);
    expect((await signIn(somebody)).visitor.left).toBeDefined();
    await vestibule.advanceClock(2 * DAY);
    expect((await signIn(somebody)).visitor.page.step).toBe('offer-passkey');
  });

  test('declined for good, never returns', async () => {
    const somebody = await person();
    await (await signIn(somebody)).visitor.choose('never');
    await vestibule.advanceClock(400 * DAY);
    expect((await signIn(somebody)).visitor.left).toBeDefined();
  });

  test('is not made where the device can’t, nor to who has a passkey and used the password', async () => {
    const somebody = await withPasskey();
    const again = new PasskeyBrowser(visitor, vestibule.issuer);
    await open(visitor);
    await visitor.submit({ username: somebody.username });
    await visitor.choose('password');
    await visitor.submit({ password: somebody.password });
    expect(visitor.left).toBeDefined();
    const other = new Visitor(vestibule);
    again.say('get', vestibule.issuer);
    await open(other);
    const newcomer = await person();
    await other.submit({ username: newcomer.username });
    await other.submit({ password: newcomer.password });
    expect(other.left).toBeDefined();
  });

  test('is made on this device after another’s passkey was used', async () => {
    const { username, browser } = await withPasskey({
      synced: true,
      attachment: 'cross-platform',
      transports: ['hybrid', 'internal'],
    });
    const here = new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
    await open(visitor);
    await visitor.submit({ username });
    await here.use();
    expect(visitor.page.step).toBe('offer-passkey');
    expect(visitor.page.text).toContain('this device');
    const local = new PasskeyBrowser(visitor, vestibule.issuer, device());
    await local.create();
    expect((await claimsOf(visitor.left))?.amr).toEqual(['swk', 'user', 'mfa']);
  });
});

test('who is signed in and has no passkey is told at once that no phishing-resistant sign-in can be reached', async () => {
  const somebody = await person();
  await open(visitor);
  await visitor.submit({ username: somebody.username });
  await visitor.submit({ password: somebody.password });
  await open(visitor, { acr_values: 'phr' });
  expect(errorAt(visitor.left)).toBe('unmet_authentication_requirements');
});

test('who is signed in by password and has a passkey is asked for that alone', async () => {
  const { browser } = await withPasskey();
  await open(browser.visitor, { acr_values: 'phr' });
  expect(browser.visitor.page.step).toBe('passkey');
  await browser.use();
  expect(await claimsOf(browser.visitor.left)).toMatchObject({ amr: ['pwd', 'hwk', 'user', 'mfa'], acr: 'phr' });
});

test('a session by password and a touch is not worth a verified passkey', async () => {
  const { username, password, browser } = await withPasskey({ verifiesUser: false });
  new PasskeyBrowser(visitor, vestibule.issuer, browser.device);
  await open(visitor, { acr_values: MFA });
  await visitor.submit({ username });
  await visitor.choose('password');
  await visitor.submit({ password });
  expect(visitor.page.step).toBe('passkey');
  await new PasskeyBrowser(visitor, vestibule.issuer, browser.device).use();
  expect(await claimsOf(visitor.left)).toMatchObject({ amr: ['pwd', 'hwk', 'user', 'mfa'], acr: MFA });
  await open(visitor, { acr_values: 'phr' });
  expect(visitor.page.step).toBe('passkey');
});
