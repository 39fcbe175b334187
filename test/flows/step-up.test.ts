import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, keyOn, MFA, nextCode, passPassword, SECRET, SFA, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const preferring = clientFile('preferring', { default_acr_values: [MFA] });
const demanding = clientFile('demanding', { vestibule: { first_party: true, minimum_acr: MFA } });
const people = crowd({ plain: {}, app: withApp, demanded: { minimumAcr: MFA } });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, preferring, demanding], people: people.everybody });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

type Parameters = Readonly<Record<string, string>>;

const open = async (parameters: Parameters = {}, at = portal) => visitor.visit(await at.authorizationUrl(parameters));
const claimsOf = async (at = portal) => (await at.exchange(visitor.left)).claims();
/** @param secret of the app; by default the one that people of these tests come with */
const giveCode = async (secret = SECRET) => visitor.submit({ code: await codeOf(vestibule, secret) });
const idToken = (acr: object): Parameters => ({ claims: JSON.stringify({ id_token: { acr } }) });

/** Signs in with two factors. @returns when, by the tokens */
async function signInWithCode(person: Person): Promise<number> {
  await open();
  await passPassword(visitor, person);
  await giveCode();
  return Number((await claimsOf())?.auth_time);
}

/** Signs in with the password alone, then sets an app up in the same session. @returns its key */
async function withAppSinceSignIn(): Promise<{ key: string; first: Awaited<ReturnType<typeof claimsOf>> }> {
  await open();
  await passPassword(visitor, people.next('plain'));
  const first = await claimsOf();
  await visitor.visit('/account/two-factor/app');
  const key = keyOn(visitor.page);
  await giveCode(key);
  await visitor.submit({ kept: 'yes' });
  await nextCode(vestibule);
  return { key, first };
}

const DEMANDS: readonly (readonly [string, Parameters])[] = [
  ['acr_values', { acr_values: MFA }],
  ['acr_values, any one of which will do', { acr_values: `urn:unheard-of ${MFA}` }],
  ['an essential claim', idToken({ essential: true, value: MFA })],
  ['an essential claim with several values', idToken({ essential: true, values: ['urn:unheard-of', MFA] })],
];

describe('from a session with the password alone', () => {
  test.each(DEMANDS)('%s: only the code is asked for', async (_how, parameters) => {
    const { key, first } = await withAppSinceSignIn();
    const before = Math.floor(vestibule.now() / 1000);
    await open(parameters);
    expect(visitor.page.step).toBe('totp');
    await giveCode(key);
    const claims = await claimsOf();
    expect(claims).toMatchObject({ sub: first?.sub, amr: ['pwd', 'otp', 'mfa'], acr: MFA });
    expect([first?.amr, first?.acr]).toEqual([['pwd'], SFA]);
    expect(Number(claims?.auth_time)).toBeGreaterThanOrEqual(before);

    // From then on the session has it.
    await open({ ...parameters, prompt: 'none' });
    expect(await claimsOf()).toMatchObject({ acr: MFA, auth_time: claims?.auth_time });
  });

  test.each([
    ['default_acr_values', preferring],
    ['minimum_acr', demanding],
  ])('%s in the client’s file does the same', async (_how, file) => {
    const other = await Portal.discover(vestibule, file);
    const { key } = await withAppSinceSignIn();
    await open({}, other);
    expect(visitor.page.step).toBe('totp');
    await giveCode(key);
    expect(await claimsOf(other)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('minimum_acr holds whatever the request asks for', async () => {
    const other = await Portal.discover(vestibule, demanding);
    await open({ acr_values: SFA }, other);
    await passPassword(visitor, people.next('app'));
    expect(visitor.page.step).toBe('totp');
  });

  test('whoever has no app sets one up on the spot', async () => {
    await open();
    await passPassword(visitor, people.next('plain'));
    await open({ acr_values: MFA });
    expect(visitor.page.step).toBe('enrol-totp');
    await giveCode(keyOn(visitor.page));
    await visitor.submit({ kept: 'yes' });
    expect(await claimsOf()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('from an old session, only after the password', async () => {
    await open();
    const person = people.next('plain');
    await passPassword(visitor, person);
    await vestibule.advanceClock(3600);
    await open({ acr_values: MFA });
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    expect(visitor.page.step).toBe('enrol-totp');
  });

  test('given up, leaves the session as it was', async () => {
    const { first } = await withAppSinceSignIn();
    await open({ acr_values: MFA });
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
    await open({ prompt: 'none', acr_values: MFA });
    expect(errorAt(visitor.left)).not.toBeNull();
    expect(first?.acr).toBe(SFA);
  });

  // It can be met once somebody is asked, so that is what the portal hears (OpenID Connect Core §3.1.2.6).
  test.each([...DEMANDS, ['nothing but what the account demands since', {}] as const])(
    '%s with prompt=none says that somebody has to be asked, and shows nothing',
    async (_how, parameters) => {
      await withAppSinceSignIn();
      await open({ ...parameters, prompt: 'none' });
      expect(['login_required', 'interaction_required']).toContain(errorAt(visitor.left));
    },
  );

  test('a voluntary claim is given what there is, without asking', async () => {
    await open();
    await passPassword(visitor, people.next('plain'));
    for (const acr of [{ value: MFA }, { values: [MFA] }]) {
      await open({ ...idToken(acr), prompt: 'none' });
      expect(await claimsOf()).toMatchObject({ amr: ['pwd'], acr: SFA });
    }
  });
});

describe('from a session with two factors', () => {
  test.each([...DEMANDS, ['a lower level', { acr_values: SFA }] as const, ['nothing', {}] as const])(
    '%s: nothing is asked, and auth_time stays',
    async (_how, parameters) => {
      const first = await signInWithCode(people.next('app'));
      await vestibule.advanceClock(100);
      await open({ ...parameters, prompt: 'none' });
      expect(await claimsOf()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA, auth_time: first });
    },
  );

  test.each([
    ['max_age', { max_age: '60' }],
    ['max_age=0', { max_age: '0' }],
    ['prompt=login', { prompt: 'login' }],
    ['prompt=login with acr_values', { prompt: 'login', acr_values: MFA }],
    ['max_age with a lower level', { max_age: '60', acr_values: SFA }],
  ])('%s: both are proven anew', async (_how, parameters) => {
    const person = people.next('app');
    const first = await signInWithCode(person);
    await vestibule.advanceClock(100);
    await open(parameters);
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password: person.password });
    expect(visitor.page.step).toBe('totp');
    await giveCode();
    const claims = await claimsOf();
    expect(claims).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
    expect(Number(claims?.auth_time)).toBeGreaterThanOrEqual(first + 100);
  });

  test('max_age that is not over yet asks nothing; with prompt=none an old one is login_required', async () => {
    const first = await signInWithCode(people.next('app'));
    await vestibule.advanceClock(100);
    await open({ max_age: '3600', acr_values: MFA });
    expect((await claimsOf())?.auth_time).toBe(first);
    await open({ max_age: '60', acr_values: MFA, prompt: 'none' });
    expect(errorAt(visitor.left)).toBe('login_required');
  });

  test('id_token_hint of this person is answered silently, of another by asking for that one with both', async () => {
    const person = people.next('app');
    const hintOf = async () => (await portal.exchange(visitor.left)).id_token ?? '';
    await open();
    await passPassword(visitor, person);
    await giveCode();
    const theirs = await hintOf();
    visitor = new Visitor(vestibule);
    await open();
    await passPassword(visitor, people.next('app'));
    await giveCode();
    const mine = await hintOf();
    await open({ id_token_hint: mine, prompt: 'none', acr_values: MFA });
    expect(await claimsOf()).toMatchObject({ acr: MFA });
    await open({ id_token_hint: theirs, prompt: 'none', acr_values: MFA });
    expect(errorAt(visitor.left)).toBe('login_required');
    await nextCode(vestibule);
    await open({ id_token_hint: theirs, acr_values: MFA });
    expect(visitor.page.step).toBe('identify');
    await passPassword(visitor, person);
    expect(visitor.page.step).toBe('totp');
    await giveCode();
    expect(await claimsOf()).toMatchObject({ acr: MFA });
  });

  test('a refreshed ID token says what the first one said', async () => {
    await open({ acr_values: MFA, scope: 'openid offline_access', prompt: 'consent' });
    await passPassword(visitor, people.next('app'));
    await giveCode();
    if (visitor.page.step === 'consent') await visitor.submit();
    const tokens = await portal.exchange(visitor.left);
    await vestibule.advanceClock(100);
    const claims = (await portal.refresh(tokens.refresh_token ?? '')).claims();
    const first = tokens.claims();
    expect(claims).toMatchObject({ acr: first?.acr, amr: first?.amr, auth_time: first?.auth_time });
  });
});

describe('what can’t be met ends in unmet_authentication_requirements, and nothing is lowered', () => {
  const PHISHING_RESISTANT: readonly (readonly [string, Parameters])[] = [
    ['acr_values', { acr_values: 'phr' }],
    ['an essential claim', idToken({ essential: true, value: 'phr' })],
  ];
  test.each(PHISHING_RESISTANT)('%s: a person with an app, signed in', async (_how, parameters) => {
    await signInWithCode(people.next('app'));
    await open(parameters);
    expect(errorAt(visitor.left)).toBe('unmet_authentication_requirements');
    await open({ ...parameters, prompt: 'none' });
    expect(errorAt(visitor.left)).not.toBeNull();
    // Whoever was signed in still is.
    await open({ prompt: 'none' });
    expect((await claimsOf())?.acr).toBe(MFA);
  });

  test('a passkey that is not here, and no app: none is set up with a password where more is owned', async () => {
    const person = people.next('plain');
    const browser = new PasskeyBrowser(visitor, vestibule.issuer);
    await open();
    await passPassword(visitor, person);
    await browser.create();
    visitor = new Visitor(vestibule);
    new PasskeyBrowser(visitor, vestibule.issuer).say('none', vestibule.issuer);
    await open({ acr_values: MFA });
    await passPassword(visitor, person);
    expect(errorAt(visitor.left)).toBe('unmet_authentication_requirements');
    await open();
    await passPassword(visitor, person);
    expect((await claimsOf())?.amr).toEqual(['pwd']);
    await open({ acr_values: MFA });
    expect(errorAt(visitor.left)).toBe('unmet_authentication_requirements');
  });

  test('an account’s own demand is asked of a session that began before', async () => {
    await open();
    await passPassword(visitor, people.next('demanded'));
    expect(visitor.page.step).toBe('enrol-totp');
    await visitor.choose('cancel');
    expect(errorAt(visitor.left)).toBe('access_denied');
    await open({ prompt: 'none' });
    expect(errorAt(visitor.left)).toBe('login_required');
  });
});
