import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, call, errorAt, jsonOf, signIn, signInSilently } from './arrange.ts';

const mutuelle = clientFile('mutuelle', {
  redirect_uris: ['https://mutuelle.example/callback'],
  post_logout_redirect_uris: ['https://mutuelle.example/'],
});

/** POST to the authorization endpoint is on, as it is by default. */
let vestibule: Vestibule;
/** … and here it is off. */
let withoutPost: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  const start = (issuer: string, features: object): Promise<Vestibule> =>
    startVestibule({
      settings: { issuer, proxy: { trusted: ['127.0.0.1'] }, development: null, features },
      clients: [mutuelle],
      people: [alice],
    });
  [vestibule, withoutPost] = await Promise.all([
    start('https://login.example', {}),
    start('https://lax.example', { authorization_post: false }),
  ]);
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => Promise.all([vestibule.stop(), withoutPost.stop()]));
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** Sends a form of the portal's page to us: from another site, so with `SameSite=None` cookies only. */
async function postFromPortal(path: string, fields: URLSearchParams | Record<string, string>, to = vestibule) {
  const cookies = visitor.cookies.matching(new URL(path, to.issuer)).filter(({ sameSite }) => sameSite === 'none');
  const headers = {
    cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined,
    origin: 'https://mutuelle.example',
    'sec-fetch-site': 'cross-site',
  };
  return visitor.request('POST', new URL(path, to.issuer), new URLSearchParams(fields).toString(), headers);
}

describe('behind a proxy that ends TLS', () => {
  test('people sign in, and everything leads to https', async () => {
    await visitor.visit(await portal.authorizationUrl({ scope: 'openid email' }));
    expect(visitor.page.url.origin).toBe('https://login.example');
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    const tokens = await portal.exchange(visitor.left);
    expect(tokens.claims()?.iss).toBe('https://login.example');
    expect((await portal.exchange(await signInSilently(visitor, portal))).claims()?.sub).toBe(tokens.claims()?.sub);
  });

  test('discovery and redirects name https, whatever scheme the proxy forgot to tell', async () => {
    const metadata = await jsonOf(await call(vestibule, '/.well-known/openid-configuration'));
    const addresses = Object.entries(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name));
    for (const [, address] of addresses) expect(address).toMatch(/^https:\/\/login\.example\//);
    const url = await portal.authorizationUrl();
    const answer = await call(vestibule, url.pathname + url.search);
    expect(answer.headers.get('location')).toMatch(/^(https:\/\/login\.example)?\/interaction\//);
    expect(answer.headers.getSetCookie().length).toBeGreaterThan(0);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toMatch(/; secure/i);
  });

  test('browsers are told to stay with https', async () => {
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.headers['strict-transport-security']).toMatch(/max-age=\d{8}/);
    expect((await call(vestibule, '/jwks')).headers.get('strict-transport-security')).toBeTruthy();
  });
});

describe('cookies', () => {
  test('are bound to host or path by their names, and never seen by scripts or sent in clear', async () => {
    await visitor.visit(await portal.authorizationUrl());
    const interaction = visitor.cookies.all;
    expect(interaction.map(({ name }) => name).toSorted()).toEqual([
      '__Secure-vestibule_interaction',
      '__Secure-vestibule_interaction.sig',
      '__Secure-vestibule_resume',
      '__Secure-vestibule_resume.sig',
    ]);
    for (const { path, sameSite } of interaction) {
      expect(path).toMatch(/^\/(interaction|auth)\/[\w-]+$/);
      expect(sameSite).toBe('lax');
    }
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    const session = visitor.cookies.all.filter(({ name }) => name.includes('session'));
    expect(session.map(({ name }) => name).toSorted()).toEqual([
      '__Host-vestibule_session',
      '__Host-vestibule_session.sig',
    ]);
    for (const { path, sameSite } of session) expect([path, sameSite]).toEqual(['/', 'none']);
    await visitor.visit(`${(await portal.authorizationUrl({ prompt: 'login' })).href}`);
    await visitor.visit(`${visitor.page.url.pathname}?lang=fr`);
    expect(visitor.cookies.all.map(({ name }) => name)).toContain('__Host-vestibule_language');
    for (const { secure, httpOnly } of visitor.cookies.all) expect([secure, httpOnly]).toEqual([true, true]);
  });

  test('of the session are Lax where no POST needs them from elsewhere', async () => {
    const other = await Portal.discover(withoutPost, mutuelle);
    visitor = new Visitor(withoutPost);
    await signIn(visitor, other);
    const session = visitor.cookies.all.filter(({ name }) => name.includes('session'));
    expect(session.map(({ sameSite }) => sameSite)).toEqual(['lax', 'lax']);
  });

  test('are taken back when the person signs out', async () => {
    const { id_token } = await portal.exchange(await signIn(visitor, portal));
    await visitor.visit(
      portal.endSessionUrl({ id_token_hint: id_token ?? '', post_logout_redirect_uri: 'https://mutuelle.example/' }),
    );
    expect(visitor.left.href).toBe('https://mutuelle.example/');
    expect(visitor.cookies.all.filter(({ name }) => name.includes('session'))).toEqual([]);
  });
});

describe('POST to the authorization endpoint', () => {
  test('signs in like GET', async () => {
    const { searchParams } = await portal.authorizationUrl({ scope: 'openid email' });
    const page = await postFromPortal('/auth', searchParams);
    expect([page.status, page.location?.pathname]).toEqual([303, expect.stringMatching(/^\/interaction\//)]);
    await visitor.visit(page.location as URL);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect((await portal.exchange(visitor.left)).scope).toContain('email');
  });

  test('finds the session, though it comes from another site', async () => {
    await signIn(visitor, portal);
    const page = await postFromPortal('/auth', (await portal.authorizationUrl({ prompt: 'none' })).searchParams);
    expect(errorAt(page.location as URL)).toBeNull();
    expect((await portal.exchange(page.location as URL)).claims()?.aud).toBe('mutuelle');
  });

  test('is refused by name where it is off', async () => {
    const other = await Portal.discover(withoutPost, mutuelle);
    visitor = new Visitor(withoutPost);
    const page = await postFromPortal('/auth', (await other.authorizationUrl()).searchParams, withoutPost);
    expect([page.status, page.step, page.headers.allow]).toEqual([405, 'error', 'GET']);
  });
});

describe('POST to the sign-out', () => {
  test.each([
    ['where POST to the authorization endpoint is on', () => vestibule],
    ['where it is off', () => withoutPost],
  ])('signs out with an ID token, %s', async (_where, server) => {
    const from = await Portal.discover(server(), mutuelle);
    visitor = new Visitor(server());
    const { id_token } = await from.exchange(await signIn(visitor, from));
    const fields = { id_token_hint: id_token ?? '', post_logout_redirect_uri: 'https://mutuelle.example/', state: 's' };
    const page = await postFromPortal('/session/end', fields, server());
    expect(page.status).toBe(303);
    if (page.location?.origin === server().issuer) await visitor.visit(page.location);
    else expect(page.location?.href).toBe('https://mutuelle.example/?state=s');
    expect(errorAt(await signInSilently(visitor, from, { prompt: 'none' }))).toBe('login_required');
  });
});
