import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, call, errorAt, signIn, signInSilently } from './arrange.ts';

const HOME = 'http://localhost:9/mutuelle';
const mutuelle = clientFile('mutuelle');
const other = clientFile('other');
const pairwise = clientFile('pairwise', { subject_type: 'pairwise' });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, other, pairwise], people: [alice, bruno] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const idToken = async (from = portal, by = visitor, person: typeof bruno = alice): Promise<string> =>
  (await from.exchange(await signIn(by, from, {}, person))).id_token ?? '';
const isSignedIn = async (): Promise<boolean> =>
  errorAt(await signInSilently(visitor, portal, { prompt: 'none' })) === null;

/** As a form on the portal's page sends it: from another site, so without cookies that are `Lax`. */
async function postFromPortal(fields: Record<string, string>): Promise<void> {
  const lax = visitor.cookies.all.filter(({ sameSite }) => sameSite === 'lax');
  const url = new URL('/session/end', vestibule.issuer);
  const headers = { cookie: undefined, origin: 'http://localhost:9', 'sec-fetch-site': 'cross-site' };
  expect(lax.length).toBe(visitor.cookies.all.length);
  const page = await visitor.request('POST', url, new URLSearchParams(fields).toString(), headers);
  expect([page.status, page.location?.origin]).toEqual([303, vestibule.issuer]);
  await visitor.visit(page.location as URL, { headers: { 'sec-fetch-site': 'cross-site' } });
}

describe('with an ID token of the session', () => {
  test('signs out at once and returns to the portal with its state', async () => {
    const id_token_hint = await idToken();
    await visitor.visit(portal.endSessionUrl({ id_token_hint, post_logout_redirect_uri: HOME, state: 'a state' }));
    expect(visitor.left.href).toBe(`${HOME}?state=a+state`);
    expect(await isSignedIn()).toBe(false);
  });

  test('by POST as well', async () => {
    const id_token_hint = await idToken();
    await postFromPortal({ id_token_hint, post_logout_redirect_uri: HOME, state: 'a state' });
    expect(visitor.left.href).toBe(`${HOME}?state=a+state`);
    expect(await isSignedIn()).toBe(false);
  });

  test('without an address to return to: on a page that says so', async () => {
    await visitor.visit(portal.endSessionUrl({ id_token_hint: await idToken() }));
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'signed-out']);
    expect(await isSignedIn()).toBe(false);
  });

  test('that expired meanwhile', async () => {
    const id_token_hint = await idToken();
    await vestibule.advanceClock(3 * 3600);
    await visitor.visit(portal.endSessionUrl({ id_token_hint, post_logout_redirect_uri: HOME }));
    expect(visitor.left.href).toBe(HOME);
    expect(await isSignedIn()).toBe(false);
  });

  test('with a subject of the portal’s own', async () => {
    const from = await Portal.discover(vestibule, pairwise);
    const id_token_hint = await idToken(from);
    await visitor.visit(from.endSessionUrl({ id_token_hint, post_logout_redirect_uri: 'http://localhost:9/pairwise' }));
    expect(visitor.left.href).toBe('http://localhost:9/pairwise');
    expect(await isSignedIn()).toBe(false);
  });

  test('takes the session’s cookie back', async () => {
    await visitor.visit(portal.endSessionUrl({ id_token_hint: await idToken() }));
    expect(visitor.cookies.all.filter(({ name }) => /session/.test(name))).toEqual([]);
  });
});

describe('without proof', () => {
  test.each([
    ['nothing at all', {}],
    ['only the client’s name', { client_id: 'mutuelle' }],
  ])('(%s) asks first, and signs out when told so', async (_what, parameters: Record<string, string>) => {
    await signIn(visitor, portal);
    await visitor.visit(`/session/end?${new URLSearchParams(parameters)}`);
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'sign-out']);
    expect(await isSignedIn()).toBe(true);
    await visitor.visit(`/session/end?${new URLSearchParams(parameters)}`);
    await visitor.submit();
    expect(visitor.page.step).toBe('signed-out');
    expect(await isSignedIn()).toBe(false);
  });

  test('returns to the portal when it said who it is', async () => {
    await signIn(visitor, portal);
    await visitor.visit(portal.endSessionUrl({ client_id: 'mutuelle', post_logout_redirect_uri: HOME, state: 's' }));
    expect(visitor.page.text).toContain('Portal mutuelle');
    await visitor.submit();
    expect(visitor.left.href).toBe(`${HOME}?state=s`);
    expect(await isSignedIn()).toBe(false);
  });

  test('returns nowhere when it did not', async () => {
    await signIn(visitor, portal);
    await visitor.visit(`/session/end?${new URLSearchParams({ post_logout_redirect_uri: HOME })}`);
    await visitor.submit();
    expect(visitor.page.step).toBe('signed-out');
  });

  test('by POST asks first, too', async () => {
    await signIn(visitor, portal);
    await postFromPortal({ client_id: 'mutuelle' });
    expect(visitor.page.step).toBe('sign-out');
    expect(await isSignedIn()).toBe(true);
  });

  test('or with an ID token of somebody else: asks first', async () => {
    const theirs = await idToken(portal, new Visitor(vestibule), bruno);
    await signIn(visitor, portal);
    await visitor.visit(portal.endSessionUrl({ id_token_hint: theirs, post_logout_redirect_uri: HOME }));
    expect(visitor.page.step).toBe('sign-out');
    expect(await isSignedIn()).toBe(true);
  });
});

describe('with nobody signed in', () => {
  test('returns to the portal at once', async () => {
    const id_token_hint = await idToken(portal, new Visitor(vestibule));
    await visitor.visit(portal.endSessionUrl({ id_token_hint, post_logout_redirect_uri: HOME, state: 's' }));
    expect(visitor.left.href).toBe(`${HOME}?state=s`);
  });

  test('says so, without asking', async () => {
    await visitor.visit('/session/end');
    expect([visitor.page.status, visitor.page.step]).toEqual([200, 'signed-out']);
  });

  test('answers a POST of the portal’s server, which has no cookies', async () => {
    const id_token_hint = await idToken(portal, new Visitor(vestibule));
    const form = { id_token_hint, post_logout_redirect_uri: HOME };
    const answer = await call(vestibule, '/session/end', { form });
    expect(answer.status).toBe(303);
    const next = await call(vestibule, answer.headers.get('location') ?? '');
    expect([next.status, next.headers.get('location')]).toEqual([303, HOME]);
    expect((await call(vestibule, '/session/end', { method: 'POST' })).status).toBe(303);
  });
});

describe('is refused, and nobody is signed out,', () => {
  test.each([
    [
      'with an address that is not registered',
      { client_id: 'mutuelle', post_logout_redirect_uri: 'https://elsewhere.example/' },
    ],
    ['with an ID token that is none', { id_token_hint: 'a.b.c' }],
    ['for a client nobody knows', { client_id: 'nobody' }],
  ])('%s', async (_why, parameters) => {
    await signIn(visitor, portal);
    await visitor.visit(`/session/end?${new URLSearchParams(parameters)}`);
    expect([visitor.page.status, visitor.page.step, visitor.page.location]).toEqual([400, 'error', undefined]);
    expect(await isSignedIn()).toBe(true);
  });

  test('when ID token and client are of two minds', async () => {
    const id_token_hint = await idToken();
    await visitor.visit(
      portal.endSessionUrl({ id_token_hint, client_id: 'other', post_logout_redirect_uri: 'http://localhost:9/other' }),
    );
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'error']);
    expect(await isSignedIn()).toBe(true);
  });

  test('by a form that is too long or none', async () => {
    const long = await call(vestibule, '/session/end', { form: { state: 'x'.repeat(20_000) } });
    const json = await call(vestibule, '/session/end', { json: {} });
    expect([long.status, json.status]).toEqual([413, 415]);
  });
});
