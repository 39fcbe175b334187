import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import {
  alice,
  basic,
  type ClientKey,
  call,
  clientKey,
  errorAt,
  giveUsernameAndPassword,
  jsonOf,
  signIn,
  signInSilently,
} from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const other = clientFile('other');
const pushing = clientFile('pushing', { require_pushed_authorization_requests: true });
let signing: ClientFileContents;
let insisting: ClientFileContents;
let key: ClientKey;

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  key = await clientKey('ES256');
  const jwks = { keys: [key.publicJwk] };
  signing = clientFile('signing', { jwks });
  insisting = clientFile('insisting', { jwks, require_signed_request_object: true });
  vestibule = await startVestibule({ clients: [mutuelle, other, pushing, signing, insisting], people: [alice] });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const push = (form: Record<string, string>, clientId = 'mutuelle'): Promise<Response> =>
  call(vestibule, '/request', { form, headers: basic(clientId) });

/** The portal's next request, as parameters. */
async function parametersOf(portal: Portal, over: Record<string, string> = {}): Promise<Record<string, string>> {
  return Object.fromEntries((await portal.authorizationUrl(over)).searchParams);
}

/** Sent back at once, with an error instead of a code. */
function expectNothing(): void {
  expect(errorAt(visitor.left)).toBeTruthy();
  expect(visitor.left.searchParams.get('code')).toBeNull();
}

describe('a pushed request', () => {
  test('signs in like any other, with nothing of it in the address', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const url = await portal.pushedAuthorizationUrl({ scope: 'openid email', login_hint: 'alice' });
    expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
    await visitor.visit(url);
    const tokens = await portal.exchange(await giveUsernameAndPassword(visitor));
    expect(tokens.scope).toContain('email');
  });

  test('is good once', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const url = await portal.pushedAuthorizationUrl();
    await visitor.visit(url);
    await giveUsernameAndPassword(visitor);
    await visitor.visit(url);
    expectNothing();
    expect(errorAt(visitor.left)).toBe('invalid_request_uri');
  });

  test('may be loaded again as long as it was not answered', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const url = await portal.pushedAuthorizationUrl();
    await visitor.visit(url);
    await visitor.visit(url);
    expect((await portal.exchange(await giveUsernameAndPassword(visitor))).access_token).toBeTruthy();
  });

  test('is good for a minute, and while the person signs in', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const [late, inTime] = [await portal.pushedAuthorizationUrl(), await portal.pushedAuthorizationUrl()];
    await visitor.visit(inTime);
    await vestibule.advanceClock(300);
    expect((await portal.exchange(await giveUsernameAndPassword(visitor))).access_token).toBeTruthy();
    await visitor.visit(late);
    expectNothing();
  });

  test('of one client is no good to another', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const url = await portal.pushedAuthorizationUrl();
    url.searchParams.set('client_id', 'other');
    await visitor.visit(url);
    expectNothing();
  });

  test.each([
    ['the client can’t prove itself', {}, 'wrong', 401, 'invalid_client'],
    [
      'the redirect URI is not registered',
      { redirect_uri: 'https://elsewhere.example/' },
      undefined,
      400,
      'invalid_request',
    ],
    ['PKCE is missing', { code_challenge: '', code_challenge_method: '' }, undefined, 400, 'invalid_request'],
    ['it refers to another', { request_uri: 'urn:x' }, undefined, 400, 'request_uri_not_supported'],
  ])('is refused when %s', async (_why, over: Record<string, string>, secret, status, error) => {
    const parameters = { ...(await parametersOf(await Portal.discover(vestibule, mutuelle))), ...over };
    const answer = await call(vestibule, '/request', { form: parameters, headers: basic('mutuelle', secret) });
    expect([answer.status, await jsonOf(answer)]).toMatchObject([status, { error }]);
  });

  test('is the only way for a client whose file says so', async () => {
    const portal = await Portal.discover(vestibule, pushing);
    expect(errorAt(await signInSilently(visitor, portal))).toBe('invalid_request');
    await visitor.visit(await portal.pushedAuthorizationUrl());
    expect((await portal.exchange(await giveUsernameAndPassword(visitor))).claims()?.aud).toBe('pushing');
  });
});

describe('a signed request', () => {
  const sign = (parameters: Record<string, unknown>, over: Record<string, unknown> = {}, by = key): Promise<string> => {
    const now = Math.floor(vestibule.now() / 1000);
    const claims = { iss: 'signing', aud: vestibule.issuer, iat: now, exp: now + 60, ...parameters, ...over };
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'oauth-authz-req+jwt' }).sign(by.privateKey);
  };
  const url = (clientId: string, request: string, more: Record<string, string> = {}): URL =>
    new URL(`/auth?${new URLSearchParams({ client_id: clientId, request, ...more })}`, vestibule.issuer);

  test('signs in, and what stands beside it counts for nothing', async () => {
    const portal = await Portal.discover(vestibule, signing);
    const request = await sign(await parametersOf(portal, { scope: 'openid email' }));
    await visitor.visit(url('signing', request, { scope: 'openid phone', login_hint: 'bruno' }));
    expect(visitor.page.forms[0]?.fields).toContainEqual({ name: 'username', type: 'text', value: '' });
    const tokens = await portal.exchange(await giveUsernameAndPassword(visitor));
    expect(tokens.scope?.split(' ').toSorted()).toEqual(['email', 'openid']);
  });

  test('may be pushed', async () => {
    const portal = await Portal.discover(vestibule, signing);
    const pushed = await jsonOf(await push({ request: await sign(await parametersOf(portal)) }, 'signing'));
    await visitor.visit(
      `/auth?${new URLSearchParams({ client_id: 'signing', request_uri: String(pushed.request_uri) })}`,
    );
    expect((await portal.exchange(await giveUsernameAndPassword(visitor))).claims()?.aud).toBe('signing');
  });

  test('is the only way for a client whose file says so', async () => {
    const portal = await Portal.discover(vestibule, insisting);
    expect(errorAt(await signInSilently(visitor, portal))).toBe('invalid_request');
    await visitor.visit(url('insisting', await sign(await parametersOf(portal), { iss: 'insisting' })));
    expect((await portal.exchange(await giveUsernameAndPassword(visitor))).claims()?.aud).toBe('insisting');
  });

  test.each([
    ['by somebody else’s key', async (all: Record<string, string>) => sign(all, {}, await clientKey('ES256'))],
    [
      'not at all',
      (all: Record<string, string>) => new UnsecuredJWT({ ...all, iss: 'signing', aud: vestibule.issuer }).encode(),
    ],
    ['for another server', (all: Record<string, string>) => sign(all, { aud: 'https://elsewhere.example' })],
    ['in another client’s name', (all: Record<string, string>) => sign(all, { iss: 'mutuelle' })],
    ['too long ago', (all: Record<string, string>) => sign(all, { exp: Math.floor(vestibule.now() / 1000) - 60 })],
    ['for another client', (all: Record<string, string>) => sign(all, { client_id: 'mutuelle' })],
  ])('%s is refused', async (_how, make) => {
    const portal = await Portal.discover(vestibule, signing);
    const all = await parametersOf(portal);
    await visitor.visit(
      url('signing', await make(all), { redirect_uri: portal.redirectUri, response_type: 'code', scope: 'openid' }),
    );
    expect(errorAt(visitor.left)).toBe('invalid_request_object');
  });

  test('by a clock that is 10 s ahead is taken', async () => {
    const portal = await Portal.discover(vestibule, signing);
    const soon = Math.floor(vestibule.now() / 1000) + 10;
    await visitor.visit(url('signing', await sign(await parametersOf(portal), { iat: soon, nbf: soon })));
    expect(visitor.page.step).toBe('identify');
  });

  test('of a client without keys is refused', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const request = await sign(await parametersOf(portal), { iss: 'mutuelle' });
    expect(errorAt(await signInSilently(visitor, portal, { request }))).toBe('invalid_request_object');
    expect(errorAt(await signIn(visitor, portal))).toBeNull();
  });
});
