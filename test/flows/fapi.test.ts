import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import {
  alice,
  type ClientKey,
  call,
  clientKey,
  errorAt,
  giveUsernameAndPassword,
  jsonOf,
  signInSilently,
} from './arrange.ts';

let vestibule: Vestibule;
let visitor: Visitor;
let key: ClientKey;
let rsa: ClientKey;
let bank: ClientFileContents;
let ordinary: ClientFileContents;

beforeAll(async () => {
  [key, rsa] = await Promise.all([clientKey('ES256'), clientKey('RS256')]);
  const file = (name: string, fapi: boolean): ClientFileContents =>
    clientFile(name, {
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.publicJwk, rsa.publicJwk] },
      id_token_signed_response_alg: 'ES256',
      vestibule: { first_party: true, fapi, require_pkce: false, refresh_token_without_offline_access: true },
    });
  bank = file('bank', true);
  ordinary = file('ordinary', false);
  vestibule = await startVestibule({ clients: [bank, ordinary], people: [alice] });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

async function portalOf(file: ClientFileContents): Promise<Portal> {
  const der = key.privateKey.export({ format: 'der', type: 'pkcs8' });
  const imported = await crypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return Portal.discover(vestibule, file, client.PrivateKeyJwt(imported));
}

/** Pushed and with PKCE, by the library. */
async function signInAsFapi() {
  const portal = await portalOf(bank);
  await visitor.visit(await portal.pushedAuthorizationUrl({ scope: 'openid email' }));
  const callback = await giveUsernameAndPassword(visitor);
  return { portal, callback };
}

/** With an assertion and a DPoP proof, by the library. */
async function redeem(portal: Portal, callback: URL, keys?: Awaited<ReturnType<typeof client.randomDPoPKeyPair>>) {
  const { configuration } = portal;
  const DPoP = client.getDPoPHandle(configuration, keys ?? (await client.randomDPoPKeyPair('ES256')));
  const pending = portal.pending(callback);
  const checks = {
    expectedState: callback.searchParams.get('state') ?? '',
    expectedNonce: pending?.nonce ?? '',
    pkceCodeVerifier: pending?.codeVerifier ?? '',
  };
  const tokens = await client.authorizationCodeGrant(configuration, callback, checks, undefined, { DPoP });
  return { configuration, DPoP, tokens };
}

/** A pushed request by hand. */
async function push(
  clientId: string,
  over: Record<string, string | undefined> = {},
  assertion: { aud?: unknown; by?: ClientKey; alg?: string } = {},
): Promise<Response> {
  const now = Math.floor(vestibule.now() / 1000);
  const { aud = vestibule.issuer, by = key, alg = 'ES256' } = assertion;
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: aud as string,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
  };
  const form: Record<string, string | undefined> = {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT(claims)
      .setProtectedHeader({ alg, kid: String(by.publicJwk.kid) })
      .sign(by.privateKey),
    response_type: 'code',
    scope: 'openid',
    redirect_uri: `http://localhost:9/${clientId}/callback`,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    ...over,
  };
  const sent = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return call(vestibule, '/request', { form: Object.fromEntries(sent) });
}

describe('a client held to FAPI 2.0', () => {
  test('signs in with a pushed request, an assertion and DPoP', async () => {
    const { portal, callback } = await signInAsFapi();
    const { configuration, DPoP, tokens } = await redeem(portal, callback);
    expect(tokens.token_type.toLowerCase()).toBe('dpop');
    expect(callback.searchParams.get('iss')).toBe(vestibule.issuer);
    const claims = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '', { DPoP });
    expect(claims.email).toBe(alice.email);
    const fresh = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '', undefined, { DPoP });
    expect(fresh.refresh_token).toBe(tokens.refresh_token);
  });

  test('can name its DPoP key with the pushed request; the code is good for no other', async () => {
    const portal = await portalOf(bank);
    const { configuration } = portal;
    const keys = await client.randomDPoPKeyPair('ES256');
    const DPoP = client.getDPoPHandle(configuration, keys);
    const parameters = (await portal.authorizationUrl()).searchParams;
    const url = await client.buildAuthorizationUrlWithPAR(configuration, parameters, { DPoP });
    await visitor.visit(url);
    const callback = await giveUsernameAndPassword(visitor);
    await expect(redeem(portal, callback)).rejects.toMatchObject({ error: 'invalid_grant' });
    await visitor.visit(await client.buildAuthorizationUrlWithPAR(configuration, parameters, { DPoP }));
    expect((await redeem(portal, visitor.left, keys)).tokens.token_type.toLowerCase()).toBe('dpop');
  });

  test('gets no token without DPoP, whatever its file leaves out', async () => {
    const { portal, callback } = await signInAsFapi();
    await expect(portal.exchange(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('can’t sign anybody in without pushing its request', async () => {
    const portal = await portalOf(bank);
    expect(errorAt(await signInSilently(visitor, portal))).toBe('invalid_request');
    const other = await portalOf(ordinary);
    await visitor.visit(await other.authorizationUrl());
    expect(visitor.page.step).toBe('identify');
  });

  test('pushes a request that is complete', async () => {
    expect((await push('bank')).status).toBe(201);
    expect((await push('ordinary')).status).toBe(201);
  });

  test.each([
    ['no PKCE, though its file waives it', { code_challenge: undefined, code_challenge_method: undefined }, {}],
    ['no redirect URI, though it has only one', { redirect_uri: undefined }, {}],
    ['an assertion for the token endpoint', {}, { aud: 'token' }],
    ['an assertion for a list of audiences', {}, { aud: 'list' }],
    ['an assertion signed with RS256', {}, { alg: 'RS256' }],
  ])('is refused for %s; others are not', async (_what, over, assertion: { aud?: string; alg?: string }) => {
    const aud = { token: `${vestibule.issuer}/token`, list: [vestibule.issuer, `${vestibule.issuer}/token`] };
    const made = {
      ...(assertion.aud ? { aud: aud[assertion.aud as keyof typeof aud] } : {}),
      ...(assertion.alg ? { alg: assertion.alg, by: rsa } : {}),
    };
    const refused = await push('bank', over, made);
    expect([400, 401]).toContain(refused.status);
    expect(['invalid_request', 'invalid_client']).toContain((await jsonOf(refused)).error);
    expect((await push('ordinary', over, made)).status).toBe(201);
  });

  test('has a minute for its code', async () => {
    const { portal, callback } = await signInAsFapi();
    await vestibule.advanceClock(61);
    await expect(redeem(portal, callback)).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});
