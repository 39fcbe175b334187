import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, basic, bearer, call, errorAt, jsonOf, signIn, signInSilently } from './arrange.ts';

const INVOICES = 'https://api.example/invoices';
const LETTERS = 'https://api.example/letters';
const PAYROLL = 'https://api.example/payroll';

const grants = { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] };
const mutuelle = clientFile('mutuelle', {
  ...grants,
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});
const other = clientFile('other', grants);
const plain = clientFile('plain', { grant_types: ['authorization_code'] });
const limited = clientFile('limited', { ...grants, scope: 'openid email invoices:read' });
const machine = clientFile('machine', {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  scope: 'invoices:write',
});
const letters = clientFile('letters', { grant_types: ['client_credentials'], redirect_uris: [] });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    settings: {
      resource_servers: {
        [INVOICES]: {
          scopes: ['invoices:read', 'invoices:write'],
          access_token_signing_alg: 'ES256',
          access_token_lifetime: '5m',
        },
        [LETTERS]: { scopes: ['letters:send'], access_token_format: 'opaque', audience: 'letters' },
        [PAYROLL]: { scopes: ['payroll:read'], clients: ['other'] },
      },
    },
    clients: [mutuelle, other, plain, limited, machine, letters],
    people: [alice],
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const verify = (token: string, audience: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL('/jwks', vestibule.issuer)), {
    issuer: vestibule.issuer,
    audience,
    typ: 'at+jwt',
    currentDate: new Date(vestibule.now()),
  });

const token = (form: Record<string, string>, clientId = 'mutuelle'): Promise<Response> =>
  call(vestibule, '/token', { form, headers: basic(clientId) });

describe('a token for an API', () => {
  test('is a signed JWT (RFC 9068) that the API can check by itself', async () => {
    const tokens = await portal.exchange(
      await signIn(visitor, portal, { scope: 'openid invoices:read', resource: INVOICES }),
    );
    const { payload, protectedHeader } = await verify(tokens.access_token, INVOICES);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: expect.any(String) });
    expect(payload).toMatchObject({
      sub: tokens.claims()?.sub,
      client_id: 'mutuelle',
      scope: 'invoices:read',
      jti: expect.any(String),
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
    expect(tokens.expires_in).toBe(300);
  });

  test('holds no scope that the API does not have', async () => {
    const scope = 'openid email invoices:read invoices:admin letters:send';
    const tokens = await portal.exchange(await signIn(visitor, portal, { scope, resource: INVOICES }));
    expect(decodeJwt(tokens.access_token).scope).toBe('invoices:read');
    expect(tokens.scope).toBe('invoices:read');
  });

  test('does not open userinfo; what was asked of the person comes in the ID token', async () => {
    const tokens = await portal.exchange(
      await signIn(visitor, portal, { scope: 'openid email invoices:read', resource: INVOICES }),
    );
    expect((await call(vestibule, '/me', { headers: bearer(tokens.access_token) })).status).toBe(401);
    expect(tokens.claims()).toMatchObject({ email: alice.email, email_verified: true });
    expect(tokens.claims()).not.toHaveProperty('birthdate');
  });

  test('is opaque where the API wants to ask, and the API learns what it may', async () => {
    const tokens = await portal.exchange(
      await signIn(visitor, portal, { scope: 'openid letters:send', resource: LETTERS }),
    );
    expect(tokens.access_token).not.toContain('.');
    const asked = await call(vestibule, '/token/introspection', {
      form: { token: tokens.access_token },
      headers: basic('letters'),
    });
    expect(await jsonOf(asked)).toMatchObject({
      active: true,
      aud: 'letters',
      scope: 'letters:send',
      client_id: 'mutuelle',
      sub: tokens.claims()?.sub,
    });
  });

  test('one at a time, where several were granted', async () => {
    const url = await portal.authorizationUrl({ scope: 'openid invoices:read letters:send', resource: INVOICES });
    url.searchParams.append('resource', LETTERS);
    await visitor.visit(url);
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    const callback = visitor.left;
    const first = await client.authorizationCodeGrant(
      portal.configuration,
      callback,
      {
        expectedState: callback.searchParams.get('state') ?? '',
        expectedNonce: portal.pending(callback)?.nonce ?? '',
        pkceCodeVerifier: portal.pending(callback)?.codeVerifier ?? '',
      },
      { resource: INVOICES },
    );
    expect((await verify(first.access_token, INVOICES)).payload.scope).toBe('invoices:read');
    const second = await portal.refresh(first.refresh_token ?? '', { resource: LETTERS });
    expect(second.access_token).not.toContain('.');
    await expect(portal.refresh(first.refresh_token ?? '', { resource: PAYROLL })).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  test('and its refreshed successors are for the same API', async () => {
    const tokens = await portal.exchange(
      await signIn(visitor, portal, { scope: 'openid invoices:read', resource: INVOICES }),
    );
    const fresh = await portal.refresh(tokens.refresh_token ?? '');
    expect((await verify(fresh.access_token, INVOICES)).payload.scope).toBe('invoices:read');
  });
});

describe('invalid_target', () => {
  test.each([
    ['an API nobody knows', 'https://api.example/unknown'],
    ['an API that is not for this client', PAYROLL],
    ['something that is no address', 'invoices'],
  ])('for %s, at the portal and at the token endpoint', async (_what, resource) => {
    expect(errorAt(await signInSilently(visitor, portal, { resource }))).toBe('invalid_target');
    const answer = await token({ grant_type: 'client_credentials', resource });
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_target' }]);
  });

  test('for an API that was not asked for at the sign-in', async () => {
    const callback = await signIn(visitor, portal, { scope: 'openid invoices:read', resource: INVOICES });
    const code = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: portal.redirectUri,
    };
    const verifier = { code_verifier: portal.pending(callback)?.codeVerifier ?? '' };
    expect(await jsonOf(await token({ ...code, ...verifier, resource: LETTERS }))).toMatchObject({
      error: 'invalid_target',
    });
  });
});

describe('a client whose file limits its scopes', () => {
  test('gets those it lists, of a person and of an API', async () => {
    const from = await Portal.discover(vestibule, limited);
    expect((await from.exchange(await signIn(visitor, from, { scope: 'openid email' }))).scope).toBe('openid email');
    const parameters = { scope: 'openid invoices:read invoices:write', resource: INVOICES };
    expect((await from.exchange(await signInSilently(visitor, from, parameters))).scope).toBe('invoices:read');
  });

  test('is refused any other of a person', async () => {
    const from = await Portal.discover(vestibule, limited);
    expect(errorAt(await signInSilently(visitor, from, { scope: 'openid phone' }))).toBe('invalid_scope');
  });

  test('gets no other of an API in its own name', async () => {
    const form = { grant_type: 'client_credentials', resource: INVOICES, scope: 'invoices:read invoices:write' };
    expect(await jsonOf(await token(form, 'machine'))).toMatchObject({ scope: 'invoices:write' });
    expect(await jsonOf(await token(form, 'limited'))).toMatchObject({ scope: 'invoices:read' });
  });
});

describe('client credentials', () => {
  test('bring a token of the client’s own, without person, refresh token or userinfo', async () => {
    const answer = await jsonOf(await token({ grant_type: 'client_credentials' }));
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 600, access_token: expect.any(String) });
    expect(Object.keys(answer).toSorted()).toEqual(['access_token', 'expires_in', 'token_type']);
    expect((await call(vestibule, '/me', { headers: bearer(String(answer.access_token)) })).status).toBe(401);
  });

  test('for an API: a JWT whose subject is the client', async () => {
    const form = { grant_type: 'client_credentials', resource: INVOICES, scope: 'invoices:read payroll:read' };
    const { payload } = await verify(String((await jsonOf(await token(form))).access_token), INVOICES);
    expect(payload).toMatchObject({ sub: 'mutuelle', client_id: 'mutuelle', scope: 'invoices:read' });
  });

  test('for an API that is for some clients only', async () => {
    const form = { grant_type: 'client_credentials', resource: PAYROLL, scope: 'payroll:read' };
    expect(await jsonOf(await token(form, 'other'))).toMatchObject({ scope: 'payroll:read' });
  });

  test('not for a client without the grant', async () => {
    const answer = await token({ grant_type: 'client_credentials' }, 'plain');
    expect(answer.status).toBe(400);
    expect(await jsonOf(answer)).not.toHaveProperty('access_token');
  });

  test.each(['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:nothing'])(
    'no grant %s',
    async (grant_type) => {
      const form = { grant_type, username: 'alice', password: alice.password };
      expect(await jsonOf(await token(form))).toMatchObject({ error: 'unsupported_grant_type' });
    },
  );
});
