import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { alice, bruno, isSignedIn, mutuelle, signIn, stranger } from './support/people.ts';

const STEPS = ['identify', 'password', 'consent', 'passkey', 'totp', 'recovery-code', 'external', 'offer-passkey', 'x'];
const other = clientFile('other');

let vestibule: Vestibule;
let portal: Portal;
let victim: Visitor;
let attacker: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle, stranger, other],
    people: [alice, bruno],
    settings: { limits: { lockout: { tries: 1000 } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => {
  victim = new Visitor(vestibule);
  attacker = new Visitor(vestibule);
});

const csrfOf = (visitor: Visitor): string =>
  visitor.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? '';
const interactionOf = (visitor: Visitor): string => visitor.page.url.pathname.split('/').slice(0, 3).join('/');
const cookie = (visitor: Visitor, name: string): string | undefined =>
  visitor.cookies.all.find((held) => held.name === name)?.value;

/** As somebody who can plant cookies (a sibling host, a shared machine) does. */
function plant(from: Visitor, to: Visitor, name: string): void {
  for (const { name: held, value, path } of from.cookies.all) {
    if (held.startsWith(name)) to.cookies.store(new URL(vestibule.issuer), [`${held}=${value}; Path=${path}`]);
  }
}

describe('1 step skipping', () => {
  test.each(STEPS)('an empty %s page sent before its turn proves nothing', async (step) => {
    await attacker.visit(await portal.authorizationUrl());
    const interaction = interactionOf(attacker);
    await attacker.post(`${interaction}/${step}`, { _csrf: csrfOf(attacker) });
    expect(attacker.page.step).toBe('identify');
    await attacker.submit({ username: 'alice' });
    for (const form of [{ _csrf: csrfOf(attacker) }, { _csrf: csrfOf(attacker), password: '' }]) {
      await attacker.post(`${interaction}/${step}`, form);
      expect(['identify', 'password', 'error']).toContain(attacker.page.step);
      expect(attacker.page.location).toBeUndefined();
    }
    expect(await isSignedIn(attacker, portal)).toBe(false);
  });

  test('the end of the journey asked for without the journey begins another one', async () => {
    await attacker.visit(await portal.authorizationUrl());
    await attacker.visit(interactionOf(attacker).replace('/interaction/', '/auth/'));
    expect(attacker.page.step).toBe('identify');
    expect(await isSignedIn(attacker, portal)).toBe(false);
  });

  test('consent is not given by a form that skips its page, nor by an answered sign-in', async () => {
    const third = await Portal.discover(vestibule, stranger);
    await attacker.visit(await third.authorizationUrl());
    await attacker.submit({ username: 'alice' });
    const interaction = interactionOf(attacker);
    await attacker.post(`${interaction}/consent`, { _csrf: csrfOf(attacker) });
    expect(attacker.page.step).toBe('password');
    await attacker.submit({ password: alice.password });
    expect(attacker.page.step).toBe('consent');
    await attacker.visit(await third.authorizationUrl({ prompt: 'none' }));
    expect(attacker.left.searchParams.get('error')).toBe('consent_required');
  });
});

const GARBAGE: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['an empty address', { 'x-forwarded-for': '' }],
  ['nothing but commas', { 'x-forwarded-for': ', , ,' }],
  ['a long address', { 'x-forwarded-for': 'a'.repeat(5000) }],
  ['addresses of every kind', { 'x-forwarded-for': '127.0.0.1, ::1, [::1]:1, %00, <script>' }],
  ['bytes', { 'x-forwarded-for': '\u00ff\u00fe', 'x-real-ip': '::g', forwarded: 'for=;;;=,"' }],
  [
    'another scheme and path',
    { 'x-forwarded-proto': 'gopher', 'x-forwarded-prefix': '/../..', 'x-original-url': '/me' },
  ],
  ['another method', { 'x-http-method-override': 'GET', 'x-method-override': 'PUT', 'x-rewrite-url': '/auth' }],
  ['a client certificate', { 'x-client-verify': 'SUCCESS', 'x-client-certificate': 'garbage', via: '1.1 x' }],
];

describe('5 proxy-header bypass', () => {
  test.each(GARBAGE)('the steps are the same with %s in the headers', async (_what, headers) => {
    victim.headers = headers;
    await victim.visit(await portal.authorizationUrl());
    expect(victim.page.step).toBe('identify');
    await victim.submit({ username: 'alice' });
    expect(victim.page.step).toBe('password');
    await victim.submit({ password: 'not-her-password' });
    expect([victim.page.step, victim.page.status]).toEqual(['password', 400]);
    await victim.submit({ password: alice.password });
    expect(victim.left.searchParams.get('code')).toBeTruthy();
  });
});

describe('25 fixation and login CSRF', () => {
  test.each(['', '/identify', '/password', '/consent'])(
    'an interaction opened in another browser (%j): refused',
    async (step) => {
      await attacker.visit(await portal.authorizationUrl());
      await victim.visit(interactionOf(attacker) + step);
      await expectErrorPage(vestibule, victim.page, 400);
      await victim.post(`${interactionOf(attacker)}/identify`, { _csrf: csrfOf(attacker), username: 'alice' });
      await expectErrorPage(vestibule, victim.page, 400);
      expect(await isSignedIn(victim, portal)).toBe(false);
    },
  );

  test('the attacker’s finished sign-in does not become the victim’s session', async () => {
    await attacker.visit(await portal.authorizationUrl());
    await attacker.submit({ username: 'alice' });
    const resume = interactionOf(attacker).replace('/interaction/', '/auth/');
    const sent = await attacker.request(
      'POST',
      new URL(attacker.page.url),
      new URLSearchParams({ _csrf: csrfOf(attacker), password: alice.password }).toString(),
      { origin: vestibule.issuer },
    );
    expect(sent.location?.pathname).toBe(resume);
    await victim.visit(resume);
    await expectErrorPage(vestibule, victim.page, 400);
    expect(await isSignedIn(victim, portal)).toBe(false);
  });

  test('the cookie of another interaction opens nothing', async () => {
    await attacker.visit(await portal.authorizationUrl());
    const mine = interactionOf(attacker);
    const held = attacker.cookies.all.filter(({ name }) => name.startsWith('vestibule_interaction'));
    await victim.visit(await portal.authorizationUrl());
    const theirs = interactionOf(victim);
    for (const { name, value } of held) {
      attacker.cookies.store(new URL(vestibule.issuer), [`${name}=${value}; Path=${theirs}`]);
    }
    expect(mine).not.toBe(theirs);
    await attacker.visit(theirs);
    await expectErrorPage(vestibule, attacker.page, 400);
    // Unsigned, it is no cookie at all.
    const uid = theirs.split('/').at(-1);
    attacker.cookies.store(new URL(vestibule.issuer), [`vestibule_interaction=${uid}; Path=${theirs}`]);
    await attacker.visit(theirs);
    await expectErrorPage(vestibule, attacker.page, 400);
  });

  test('a session planted before the sign-in is worthless after it: the id rotates', async () => {
    await attacker.visit('/session/end');
    await attacker.visit(await portal.authorizationUrl());
    await signIn(attacker, portal, bruno);
    const before = cookie(attacker, 'vestibule_session');
    expect(before).toBeTruthy();
    plant(attacker, victim, 'vestibule_session');
    await victim.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await victim.choose('switch');
    await victim.submit({ username: 'alice' });
    await victim.submit({ password: alice.password });
    expect(victim.left.searchParams.get('code')).toBeTruthy();
    expect(cookie(victim, 'vestibule_session')).not.toBe(before);
    expect(await isSignedIn(attacker, portal)).toBe(false);
    expect(await isSignedIn(victim, portal)).toBe(true);
  });

  test('signing in again rotates the id of a session and kills the old one', async () => {
    await signIn(victim, portal, alice);
    plant(victim, attacker, 'vestibule_session');
    await victim.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await victim.submit({ password: alice.password });
    expect(await isSignedIn(victim, portal)).toBe(true);
    expect(await isSignedIn(attacker, portal)).toBe(false);
  });

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['another port', { origin: 'http://localhost:1' }],
    ['a longer name', { origin: 'http://localhost:3000.evil.example' }],
    ['a cross-site page that hides its origin', { origin: undefined, 'sec-fetch-site': 'cross-site' }],
    ['a sibling host that hides its origin', { origin: undefined, 'sec-fetch-site': 'same-site' }],
  ])('a form from %s is refused, cookie and token or not', async (_where, headers) => {
    await victim.visit(await portal.authorizationUrl());
    await victim.submit({ username: 'alice' });
    await victim.submit({ password: alice.password }, { headers });
    await expectErrorPage(vestibule, victim.page, 403);
    expect(await isSignedIn(victim, portal)).toBe(false);
  });

  test.each(['', 'x', 'of another interaction'])('a form with the token %j is refused', async (token) => {
    await attacker.visit(await portal.authorizationUrl());
    await victim.visit(await portal.authorizationUrl());
    const _csrf = token === 'of another interaction' ? csrfOf(attacker) : token;
    await victim.post(`${interactionOf(victim)}/identify`, { _csrf, username: 'alice' });
    await expectErrorPage(vestibule, victim.page, 400);
  });
});
