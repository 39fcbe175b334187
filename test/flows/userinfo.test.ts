import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, basic, bearer, call, giveUsernameAndPassword, jsonOf, signIn } from './arrange.ts';

const SPA = 'https://spa.example';
const mutuelle = clientFile('mutuelle');
const signed = clientFile('signed', { userinfo_signed_response_alg: 'ES256' });
const spa = clientFile('spa', {
  client_secret: undefined,
  token_endpoint_auth_method: 'none',
  redirect_uris: [`${SPA}/callback`],
});

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, signed, spa], people: [alice] });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

async function obtain(scope = 'openid email', file = mutuelle) {
  const portal = await Portal.discover(vestibule, file);
  return { portal, tokens: await portal.exchange(await signIn(visitor, portal, { scope })) };
}

describe('userinfo', () => {
  test.each([
    ['GET with the token in the header', (token: string) => call(vestibule, '/me', { headers: bearer(token) })],
    [
      'POST with the token in the header',
      (token: string) => call(vestibule, '/me', { method: 'POST', headers: bearer(token) }),
    ],
    ['POST with the token in the body', (token: string) => call(vestibule, '/me', { form: { access_token: token } })],
  ])('answers a %s', async (_how, request) => {
    const { tokens } = await obtain();
    const answer = await request(tokens.access_token);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await jsonOf(answer)).toEqual({ sub: tokens.claims()?.sub, email: alice.email, email_verified: true });
  });

  test('takes no token from the address, and only one at a time', async () => {
    const { tokens } = await obtain();
    const token = tokens.access_token;
    const inAddress = await call(vestibule, `/me?access_token=${token}`);
    const twice = await call(vestibule, '/me', { form: { access_token: token }, headers: bearer(token) });
    expect([inAddress.status, twice.status]).toEqual([400, 400]);
  });

  test.each([
    ['none', {}],
    ['one that is made up', bearer('made-up')],
    ['the ID token', undefined],
    ['credentials of another kind', basic('mutuelle')],
  ])('with %s in the place of a token: no answer, and the challenge of RFC 6750', async (_what, headers) => {
    const { tokens } = await obtain();
    const answer = await call(vestibule, '/me', { headers: headers ?? bearer(tokens.id_token ?? '') });
    expect([400, 401]).toContain(answer.status);
    expect(answer.headers.get('www-authenticate')).toMatch(/^(Bearer|DPoP) realm=/);
    expect(await answer.text()).not.toContain(alice.email);
  });

  test('is for tokens that were asked for with openid', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const url = await portal.authorizationUrl({ scope: 'email' });
    url.searchParams.delete('nonce');
    await visitor.visit(url);
    const callback = await giveUsernameAndPassword(visitor);
    const pkceCodeVerifier = portal.pending(callback)?.codeVerifier ?? '';
    const expectedState = callback.searchParams.get('state') ?? '';
    const tokens = await client.authorizationCodeGrant(portal.configuration, callback, {
      pkceCodeVerifier,
      expectedState,
    });
    expect(tokens.id_token).toBeUndefined();
    const answer = await call(vestibule, '/me', { headers: bearer(tokens.access_token) });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  test('is signed where the client’s file says so', async () => {
    const { portal, tokens } = await obtain('openid email', signed);
    const answer = await call(vestibule, '/me', { headers: bearer(tokens.access_token) });
    expect(answer.headers.get('content-type')).toContain('application/jwt');
    const keys = createRemoteJWKSet(new URL('/jwks', vestibule.issuer));
    const { payload, protectedHeader } = await jwtVerify(await answer.text(), keys, {
      issuer: vestibule.issuer,
      audience: 'signed',
      currentDate: new Date(vestibule.now()),
    });
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toMatchObject({ sub: tokens.claims()?.sub, email: alice.email });
    const { configuration } = portal;
    client.enableNonRepudiationChecks(configuration);
    expect((await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '')).email).toBe(
      alice.email,
    );
  });
});

describe('a single-page application in a browser', () => {
  const allowed = (answer: Response): string | null => answer.headers.get('access-control-allow-origin');
  const from = (origin: string) => ({ origin });

  test.each(['/.well-known/openid-configuration', '/jwks'])('may read %s from anywhere', async (path) => {
    for (const origin of [SPA, 'https://elsewhere.example']) {
      const answer = await call(vestibule, path, { headers: from(origin) });
      expect([answer.status, allowed(answer)]).toEqual([200, origin]);
    }
  });

  test.each([
    ['/token', 'POST'],
    ['/me', 'GET'],
    ['/request', 'POST'],
    ['/token/revocation', 'POST'],
  ])('is told before the fact that %s takes a %s', async (path, method) => {
    const answer = await call(vestibule, path, {
      method: 'OPTIONS',
      headers: {
        ...from(SPA),
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,dpop',
      },
    });
    expect([answer.status, allowed(answer)]).toEqual([204, SPA]);
    expect(answer.headers.get('access-control-allow-methods')).toContain(method);
    expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('signs in and reads userinfo from its own origin, from no other', async () => {
    const portal = await Portal.discover(vestibule, spa);
    const exchange = async (origin: string): Promise<Response> => {
      visitor = new Visitor(vestibule);
      const callback = await signIn(visitor, portal, { scope: 'openid email' });
      const form = {
        grant_type: 'authorization_code',
        client_id: 'spa',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: portal.redirectUri,
        code_verifier: portal.pending(callback)?.codeVerifier ?? '',
      };
      return call(vestibule, '/token', { form, headers: from(origin) });
    };
    const own = await exchange(SPA);
    expect([own.status, allowed(own)]).toEqual([200, SPA]);
    const token = String((await jsonOf(own)).access_token);
    const userinfo = await call(vestibule, '/me', { headers: { ...bearer(token), ...from(SPA) } });
    expect([userinfo.status, allowed(userinfo)]).toEqual([200, SPA]);

    const foreign = await exchange('https://elsewhere.example');
    expect([foreign.status, allowed(foreign)]).toEqual([400, null]);
    const overheard = await call(vestibule, '/me', {
      headers: { ...bearer(token), ...from('https://elsewhere.example') },
    });
    expect([overheard.status, allowed(overheard)]).toEqual([400, null]);
  });
});
