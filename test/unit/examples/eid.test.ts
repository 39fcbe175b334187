import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type CryptoKey,
  compactDecrypt,
  createRemoteJWKSet,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  jwtVerify,
} from 'jose';
import * as client from 'openid-client';
import { startEid } from '../../../examples/eid/index.ts';
import type { Running } from '../../../examples/shared/http.ts';
import { Visitor } from '../../support/visitor.ts';

const CLIENT = 'vestibule-demo';
const [LOW, SUBSTANTIAL, HIGH] = ['low', 'substantial', 'high'].map((level) => `http://eidas.europa.eu/LoA/${level}`);
const SCOPE = 'openid profile email national_number';

interface Keys {
  readonly sig: GenerateKeyPairResult;
  readonly enc: GenerateKeyPairResult;
}

let keys: Keys;
/** Stands for Vestibule: publishes its keys and takes logout tokens. */
let vestibule: Server;
let origin: string;
let callback: string;
let logoutTokens: string[];
let eid: Running;
let lines: string[];
let visitor: Visitor;

beforeAll(async () => {
  const [sig, enc] = await Promise.all(
    ['RS256', 'RSA-OAEP-256'].map((alg) => generateKeyPair(alg, { extractable: true })),
  );
  if (!sig || !enc) throw new Error('no keys');
  keys = { sig, enc };
  const jwks = JSON.stringify({
    keys: [
      { ...(await exportJWK(sig.publicKey)), kid: 'sig', use: 'sig', alg: 'RS256' },
      { ...(await exportJWK(enc.publicKey)), kid: 'enc', use: 'enc', alg: 'RSA-OAEP-256' },
    ],
  });
  vestibule = createServer(async (request, response) => {
    if (request.url === '/external/jwks') {
      response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(jwks);
      return;
    }
    const token = new URLSearchParams(await text(request)).get('logout_token');
    if (request.url === '/external/demo-eid/logout' && token) logoutTokens.push(token);
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => vestibule.listen(0, '127.0.0.1', resolve));
  origin = `http://localhost:${(vestibule.address() as AddressInfo).port}`;
  callback = `${origin}/external/demo-eid/callback`;
  lines = [];
  eid = await startEid({ port: 0, vestibule: origin, log: (line) => lines.push(line) });
});

afterAll(async () => {
  await eid.close();
  await new Promise((resolve) => vestibule.close(resolve));
});

beforeEach(() => {
  logoutTokens = [];
  lines.length = 0;
  visitor = new Visitor({ issuer: eid.url });
});

/** @param signsWith the key of the client's assertion */
async function relyingParty(signsWith: CryptoKey = keys.sig.privateKey): Promise<client.Configuration> {
  const found = await client.discovery(
    new URL(eid.url),
    CLIENT,
    undefined,
    client.PrivateKeyJwt({ key: signsWith, kid: 'sig' }),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
  client.enableDecryptingResponses(found, ['A128CBC-HS256'], { key: keys.enc.privateKey, kid: 'enc' });
  return found;
}

interface Begun {
  readonly url: URL;
  readonly checks: client.AuthorizationCodeGrantChecks;
}

async function begin(config: client.Configuration, more: Record<string, string> = {}): Promise<Begun> {
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: SCOPE,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  });
  return {
    url,
    checks: { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
  };
}

/** As a citizen chooses and confirms; without a level, with the one that is chosen already. */
async function confirm(url: URL, citizen: string, level?: string): Promise<URL> {
  const chooser = await visitor.visit(url);
  expect(chooser.step).toBe('choose');
  await visitor.visit(`${chooser.url.pathname}/${citizen}`);
  expect(visitor.page.step).toBe('confirm');
  await visitor.submit(level === undefined ? {} : { level }, { button: 'confirm' });
  return visitor.left;
}

async function signIn(citizen: string, level?: string, more?: Record<string, string>) {
  const config = await relyingParty();
  const { url, checks } = await begin(config, more);
  const tokens = await client.authorizationCodeGrant(config, await confirm(url, citizen, level), checks);
  const claims = tokens.claims();
  if (!claims) throw new Error('no ID token');
  const profile = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  return { config, tokens, claims, profile };
}

const essential = (acr: Record<string, unknown>) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, ...acr } } }),
});

describe('a sign-in with the demo eID', () => {
  test('tells who it is in an ID token and userinfo that are signed and encrypted', async () => {
    const { claims, profile, config } = await signIn('alice', 'high');
    expect(claims).toMatchObject({ iss: eid.url, aud: CLIENT, acr: HIGH, amr: ['mfa', 'hwk', 'pin'] });
    expect(claims).toHaveProperty('sid');
    expect(claims).toHaveProperty('auth_time');
    expect(claims.sub).not.toContain('alice');
    expect(profile).toMatchObject({
      sub: claims.sub,
      name: 'Alice Peeters',
      given_name: 'Alice',
      family_name: 'Peeters',
      birthdate: '1985-04-12',
      national_number: 'XD-850412-0017',
      email: 'alice@example.org',
      email_verified: true,
    });
    expect(config.serverMetadata()).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      id_token_encryption_alg_values_supported: ['RSA-OAEP-256'],
      id_token_encryption_enc_values_supported: ['A128CBC-HS256'],
      userinfo_encryption_alg_values_supported: ['RSA-OAEP-256'],
      code_challenge_methods_supported: ['S256'],
      backchannel_logout_session_supported: true,
    });
  });

  test('is worth nothing to who can’t decrypt', async () => {
    const config = await relyingParty();
    const { url, checks } = await begin(config);
    const back = await confirm(url, 'alice');
    const without = new client.Configuration(
      config.serverMetadata(),
      CLIENT,
      undefined,
      client.PrivateKeyJwt({ key: keys.sig.privateKey, kid: 'sig' }),
    );
    client.allowInsecureRequests(without);
    await expect(client.authorizationCodeGrant(without, back, checks)).rejects.toThrow();
  });

  test('tells an address that is not confirmed as such, and none where there is none', async () => {
    expect((await signIn('aline')).profile).toMatchObject({ email: 'alice@example.org', email_verified: false });
    expect((await signIn('jan')).profile).not.toHaveProperty('email');
  });

  test('tells only what was asked for', async () => {
    const { profile } = await signIn('alice', 'low', { scope: 'openid' });
    for (const claim of ['name', 'birthdate', 'email', 'national_number']) expect(profile).not.toHaveProperty(claim);
  });

  test('gives the same person the same `sub` after a restart, and each person another', async () => {
    const { claims } = await signIn('alice');
    const other = await startEid({ port: 0, vestibule: origin });
    const first = eid;
    try {
      eid = other;
      visitor = new Visitor({ issuer: other.url });
      expect((await signIn('alice')).claims.sub).toBe(claims.sub);
      expect((await signIn('bruno')).claims.sub).not.toBe(claims.sub);
    } finally {
      eid = first;
      await other.close();
    }
  });

  test('answers by form_post where that is asked for', async () => {
    const config = await relyingParty();
    const { url, checks } = await begin(config, { response_mode: 'form_post' });
    const chooser = await visitor.visit(url);
    await visitor.visit(`${chooser.url.pathname}/nora`);
    await visitor.submit({}, { button: 'confirm' });
    expect(visitor.page.headers['content-security-policy']).toContain("script-src 'self' 'sha256-");
    const [form] = visitor.page.forms;
    expect(form?.action.href).toBe(callback);
    const fields = new URLSearchParams(Object.fromEntries(form?.fields.map(({ name, value }) => [name, value]) ?? []));
    const answer = new Request(callback, { method: 'POST', body: fields });
    const tokens = await client.authorizationCodeGrant(config, answer, checks);
    expect(tokens.claims()?.acr).toBe(SUBSTANTIAL);
  });

  test('takes pushed requests and tokens bound to a key', async () => {
    const config = await relyingParty();
    const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
    const { url, checks } = await begin(config);
    const pushed = await client.buildAuthorizationUrlWithPAR(config, url.searchParams, { DPoP: dpop });
    expect(pushed.searchParams.has('request_uri')).toBe(true);
    const back = await confirm(pushed, 'bruno');
    const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP: dpop });
    expect(tokens.token_type).toBe('dpop');
  });
});

describe('levels of assurance', () => {
  test.each([
    ['low', LOW],
    ['substantial', SUBSTANTIAL],
    ['high', HIGH],
  ])('%s is told as it was reached', async (level, acr) => {
    expect((await signIn('bruno', level)).claims.acr).toBe(acr);
  });

  test('the level that is demanded is chosen already: of several the lowest, as any will do', async () => {
    expect((await signIn('bruno', undefined, { acr_values: `${HIGH} ${LOW}` })).claims.acr).toBe(LOW);
    expect((await signIn('bruno', undefined, { acr_values: `urn:other ${HIGH}` })).claims.acr).toBe(HIGH);
    expect((await signIn('bruno')).claims.acr).toBe(SUBSTANTIAL);
  });

  test('a wish is answered by what was reached, lower or higher', async () => {
    expect((await signIn('bruno', 'low', { acr_values: `${SUBSTANTIAL}` })).claims.acr).toBe(LOW);
    expect((await signIn('bruno', 'high', { acr_values: `${SUBSTANTIAL}` })).claims.acr).toBe(HIGH);
  });

  test('a demand (an essential claim) is met by more, and refused below', async () => {
    expect((await signIn('bruno', undefined, essential({ value: SUBSTANTIAL }))).claims.acr).toBe(SUBSTANTIAL);
    expect((await signIn('bruno', 'high', essential({ value: SUBSTANTIAL }))).claims.acr).toBe(HIGH);
    expect((await signIn('bruno', 'high', essential({ values: [SUBSTANTIAL, HIGH] }))).claims.acr).toBe(HIGH);
    const config = await relyingParty();
    for (const acr of [{ value: HIGH }, { values: [HIGH] }, { value: 'urn:other' }]) {
      const { url, checks } = await begin(config, essential(acr));
      const back = await confirm(url, 'bruno', 'substantial');
      await expect(client.authorizationCodeGrant(config, back, checks)).rejects.toMatchObject({
        error: 'unmet_authentication_requirements',
      });
    }
  });
});

describe('the person', () => {
  test('can cancel on both pages', async () => {
    const config = await relyingParty();
    for (const part of ['', '/alice']) {
      const { url, checks } = await begin(config);
      const chooser = await visitor.visit(url);
      await visitor.visit(chooser.url.pathname + part);
      await visitor.submit({}, { button: 'cancel' });
      await expect(client.authorizationCodeGrant(config, visitor.left, checks)).rejects.toMatchObject({
        error: 'access_denied',
      });
    }
  });

  test('is asked every time, and nobody is signed in without a page', async () => {
    await signIn('alice');
    await signIn('alice');
    const config = await relyingParty();
    const { url } = await begin(config, { prompt: 'none' });
    await visitor.visit(url);
    expect(visitor.left.searchParams.get('error')).toBe('login_required');
  });

  test('reads the language the relying party asked for, else the browser’s', async () => {
    const config = await relyingParty();
    await visitor.visit((await begin(config, { ui_locales: 'fr-BE nl' })).url);
    expect(visitor.page.body).toContain('Qui êtes-vous ?');
    visitor.headers = { 'accept-language': 'pl, de-CH;q=0.8' };
    await visitor.visit((await begin(config)).url);
    expect(visitor.page.body).toContain('Wer sind Sie?');
  });

  test('finds a plain page where there is nothing to confirm any more, or nothing of this browser', async () => {
    const config = await relyingParty();
    const { url } = await begin(config);
    await confirm(url, 'alice');
    const address = visitor.page.url.pathname;
    for (const who of [visitor, new Visitor({ issuer: eid.url })]) {
      await who.visit(address.replace('/auth/', '/interaction/'));
      expect(who.page.step).toBe('error');
      expect(who.page.status).toBe(400);
    }
  });

  test('sends no level, or one that does not exist: refused', async () => {
    const config = await relyingParty();
    for (const body of ['', 'level=highest']) {
      const chooser = await visitor.visit((await begin(config)).url);
      await visitor.post(`${chooser.url.pathname}/alice`, new URLSearchParams(body));
      expect(visitor.page.status).toBe(400);
    }
  });

  test('may be somebody else the second time, which signs nobody out', async () => {
    const alice = await signIn('alice');
    const bruno = await signIn('bruno');
    expect(bruno.profile.given_name).toBe('Bruno');
    expect(bruno.claims.sid).not.toBe(alice.claims.sid);
    expect(logoutTokens).toEqual([]);
  });
});

describe('signing out', () => {
  /** What is signed, out of what is encrypted to us. */
  const decrypted = async (jwe: string | undefined): Promise<string> =>
    new TextDecoder().decode((await compactDecrypt(jwe ?? '', keys.enc.privateKey)).plaintext);

  const logoutToken = async () => {
    expect(logoutTokens).toHaveLength(1);
    const jwks = createRemoteJWKSet(new URL(`${eid.url}/jwks`));
    // Encrypted as the ID token is (OpenID Connect Back-Channel Logout 1.0 §2.4).
    const token = await decrypted(logoutTokens[0]);
    return (await jwtVerify(token, jwks, { issuer: eid.url, audience: CLIENT, typ: 'logout+jwt' })).payload;
  };

  test('at the relying party ends the session here, and leads back with `state`', async () => {
    const { config, tokens, claims } = await signIn('alice');
    await visitor.visit(
      client.buildEndSessionUrl(config, {
        // OpenID Connect RP-Initiated Logout 1.0 §4: the hint is the ID token without its encryption.
        id_token_hint: await decrypted(tokens.id_token),
        post_logout_redirect_uri: `${origin}/external/demo-eid/logged-out`,
        state: 'back',
      }),
    );
    expect(visitor.page.step).toBe('sign-out');
    await visitor.submit({}, { button: 'confirm' });
    expect(visitor.left.href).toBe(`${origin}/external/demo-eid/logged-out?state=back`);
    expect(await logoutToken()).toMatchObject({ sid: claims.sid, sub: claims.sub });
    await visitor.visit('/');
    expect(visitor.page.body).not.toContain('Alice Peeters');
  });

  test('here tells the relying party, by its back channel', async () => {
    const { claims } = await signIn('alice');
    await visitor.visit('/');
    expect(visitor.page.body).toContain('Alice Peeters');
    await visitor.visit('/session/end');
    await visitor.submit({}, { button: 'confirm' });
    expect(visitor.page.step).toBe('signed-out');
    const payload = await logoutToken();
    expect(payload).toMatchObject({ sid: claims.sid, sub: claims.sub });
    expect(payload.events).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
  });
});

describe('refused', () => {
  test('an assertion signed with another key, without a word why except in the log', async () => {
    const stranger = await generateKeyPair('RS256');
    const config = await relyingParty(stranger.privateKey);
    const { url, checks } = await begin(config);
    const back = await confirm(url, 'alice');
    const refused = client.authorizationCodeGrant(config, back, checks);
    await expect(refused).rejects.toMatchObject({
      error: 'invalid_client',
      error_description: expect.not.stringContaining('signature'),
    });
    expect(lines.join('\n')).toContain('invalid_client: signature verification failed');
  });

  test('a code that was used already', async () => {
    const config = await relyingParty();
    const { url, checks } = await begin(config);
    const back = await confirm(url, 'alice');
    await client.authorizationCodeGrant(config, back, checks);
    await expect(client.authorizationCodeGrant(config, back, checks)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('a request without PKCE', async () => {
    const config = await relyingParty();
    const { url } = await begin(config);
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    await visitor.visit(url);
    expect(visitor.left.searchParams.get('error')).toBe('invalid_request');
  });

  test('another redirect address, an unknown client: a page, and no way back', async () => {
    const config = await relyingParty();
    for (const [name, value] of [
      ['redirect_uri', `${origin}/elsewhere`],
      ['client_id', 'nobody'],
    ] as const) {
      const { url } = await begin(config);
      url.searchParams.set(name, value);
      await visitor.visit(url);
      expect(visitor.page.status).toBe(400);
      expect(visitor.page.step).toBe('error');
    }
  });

  test('another host name: nothing can read the eID by DNS rebinding', async () => {
    const page = await visitor.request('GET', new URL(eid.url), undefined, { host: 'evil.example' });
    expect(page.status).toBe(421);
  });
});
