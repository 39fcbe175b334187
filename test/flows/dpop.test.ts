import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, basic, bearer, call, jsonOf, signIn } from './arrange.ts';

const mutuelle = clientFile('mutuelle', {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});
const bound = clientFile('bound', { dpop_bound_access_tokens: true });
const spa = clientFile('spa', {
  client_secret: undefined,
  token_endpoint_auth_method: 'none',
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});

type Keys = Parameters<typeof client.getDPoPHandle>[1];

let vestibule: Vestibule;
let visitor: Visitor;
let keys: Keys;

beforeAll(async () => {
  keys = await generateKeyPair('ES256', { extractable: true });
  vestibule = await startVestibule({ clients: [mutuelle, bound, spa], people: [alice] });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** A proof made by hand, so that it can be wrong. */
async function proof(method: string, path: string, over: Record<string, unknown> = {}, by = keys, alg = 'ES256') {
  const claims = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: `${vestibule.issuer}${path}`,
    iat: Math.floor(vestibule.now() / 1000),
  };
  const header = { alg, typ: 'dpop+jwt', jwk: await exportJWK(by.publicKey) };
  return new SignJWT({ ...claims, ...over }).setProtectedHeader(header).sign(by.privateKey);
}

/** Signs in with a key of the portal, as openid-client does it. */
async function signInBound(file: ClientFileContents, parameters: Record<string, string> = {}) {
  const portal = await Portal.discover(vestibule, file);
  const { configuration } = portal;
  const handle = client.getDPoPHandle(configuration, keys);
  const callback = await signIn(visitor, portal, parameters);
  const pending = portal.pending(callback);
  const checks = {
    expectedState: callback.searchParams.get('state') ?? '',
    expectedNonce: pending?.nonce ?? '',
    pkceCodeVerifier: pending?.codeVerifier ?? '',
  };
  const tokens = await client.authorizationCodeGrant(configuration, callback, checks, undefined, { DPoP: handle });
  return { configuration, handle, tokens, portal };
}

const userinfo = (accessToken: string, dpop: string): Promise<Response> =>
  call(vestibule, '/me', { headers: { authorization: `DPoP ${accessToken}`, dpop } });
const hashOf = (accessToken: string): { ath: string } => ({
  ath: createHash('sha256').update(accessToken).digest('base64url'),
});
const clientCredentials = (dpop: string): Promise<Response> =>
  call(vestibule, '/token', { form: { grant_type: 'client_credentials' }, headers: { ...basic('mutuelle'), dpop } });

describe('an access token', () => {
  test('is bound to the key of the portal and works with it', async () => {
    const { configuration, handle, tokens } = await signInBound(mutuelle, { scope: 'openid email' });
    expect(tokens.token_type.toLowerCase()).toBe('dpop');
    const claims = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '', {
      DPoP: handle,
    });
    expect(claims.email).toBe(alice.email);
    const introspected = await client.tokenIntrospection(configuration, tokens.access_token);
    expect(introspected).toMatchObject({
      active: true,
      cnf: { jkt: await calculateJwkThumbprint(await exportJWK(keys.publicKey)) },
    });
  });

  test('is worth nothing without the key', async () => {
    const { access_token } = (await signInBound(mutuelle)).tokens;
    const otherKeys = await generateKeyPair('ES256', { extractable: true });
    const answers = await Promise.all([
      call(vestibule, '/me', { headers: bearer(access_token) }),
      userinfo(access_token, await proof('GET', '/me', hashOf(access_token), otherKeys)),
      userinfo(access_token, await proof('GET', '/me', {})),
      userinfo(access_token, await proof('GET', '/me', hashOf('another token'))),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(answers[0]?.headers.get('www-authenticate')).toContain('DPoP');
  });

  test('of a client whose file says so is never issued unbound', async () => {
    const portal = await Portal.discover(vestibule, bound);
    await expect(portal.exchange(await signIn(visitor, portal))).rejects.toMatchObject({ error: 'invalid_grant' });
    visitor = new Visitor(vestibule);
    expect((await signInBound(bound)).tokens.token_type.toLowerCase()).toBe('dpop');
  });

  test('and its code can be bound before there is a code', async () => {
    const dpop_jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
    expect((await signInBound(mutuelle, { dpop_jkt })).tokens.access_token).toBeTruthy();
    visitor = new Visitor(vestibule);
    await expect(signInBound(mutuelle, { dpop_jkt: 'A'.repeat(43) })).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

describe('a refresh token', () => {
  test('of a public client is bound to the key as well, and stays', async () => {
    const { configuration, handle, tokens, portal } = await signInBound(spa);
    const refreshToken = tokens.refresh_token ?? '';
    await expect(portal.refresh(refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' });
    const fresh = await client.refreshTokenGrant(configuration, refreshToken, undefined, { DPoP: handle });
    expect([fresh.token_type.toLowerCase(), fresh.refresh_token]).toEqual(['dpop', refreshToken]);
  });
});

describe('a proof', () => {
  test.each(['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'])('may be signed with %s', async (alg) => {
    const own = await generateKeyPair(alg, { extractable: true });
    const answer = await clientCredentials(await proof('POST', '/token', {}, own, alg));
    expect([answer.status, await jsonOf(answer)]).toMatchObject([200, { token_type: 'DPoP' }]);
  });

  test('is good once', async () => {
    const once = await proof('POST', '/token');
    const answers = await Promise.all([clientCredentials(once), clientCredentials(once), clientCredentials(once)]);
    expect(answers.filter(({ ok }) => ok).length).toBe(1);
    const bodies = await Promise.all(answers.map(jsonOf));
    expect(bodies.filter((body) => 'access_token' in body).length).toBe(1);
  });

  test.each([
    ['for another method', 'GET', '/token', {}],
    ['for another address', 'POST', '/me', {}],
    ['without a name', 'POST', '/token', { jti: undefined }],
    ['without a time', 'POST', '/token', { iat: undefined }],
    ['without a method', 'POST', '/token', { htm: undefined }],
  ])('%s is refused', async (_what, method, path, over) => {
    const answer = await clientCredentials(await proof(method, path, over));
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_dpop_proof' }]);
  });
});

describe('a portal whose clock is wrong', () => {
  const tenMinutesAgo = (): number => Math.floor(vestibule.now() / 1000) - 600;

  test('is given a nonce to prove instead that it is here now', async () => {
    const late = await clientCredentials(await proof('POST', '/token', { iat: tenMinutesAgo() }));
    expect([late.status, await jsonOf(late)]).toMatchObject([400, { error: 'use_dpop_nonce' }]);
    const nonce = late.headers.get('dpop-nonce');
    expect(nonce).toBeTruthy();
    const again = await clientCredentials(await proof('POST', '/token', { iat: tenMinutesAgo(), nonce }));
    expect(again.status).toBe(200);
  });

  test('needs no more than its library for that', async () => {
    const { configuration } = await Portal.discover(vestibule, mutuelle);
    const skewed = new client.Configuration(
      configuration.serverMetadata(),
      'mutuelle',
      { [client.clockSkew]: -600 },
      client.ClientSecretBasic(String(mutuelle.client_secret)),
    );
    client.allowInsecureRequests(skewed);
    const DPoP = client.getDPoPHandle(skewed, keys);
    expect((await client.clientCredentialsGrant(skewed, {}, { DPoP })).token_type.toLowerCase()).toBe('dpop');
  });

  test('can’t make nonces up, nor use them for ever', async () => {
    const made = await clientCredentials(await proof('POST', '/token', { nonce: 'made-up' }));
    expect(await jsonOf(made)).toMatchObject({ error: 'use_dpop_nonce' });
    const nonce = made.headers.get('dpop-nonce');
    await vestibule.advanceClock(3600);
    expect(await jsonOf(await clientCredentials(await proof('POST', '/token', { nonce })))).toMatchObject({
      error: 'use_dpop_nonce',
    });
  });

  test('finds its nonces good after the server was restarted', async () => {
    const late = await clientCredentials(await proof('POST', '/token', { iat: tenMinutesAgo() }));
    const nonce = late.headers.get('dpop-nonce');
    await vestibule.restart();
    expect((await clientCredentials(await proof('POST', '/token', { iat: tenMinutesAgo(), nonce }))).status).toBe(200);
  });
});
