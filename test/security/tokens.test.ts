import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CryptoKey, importJWK, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectErrorPage } from './support/answers.ts';
import { type Answer, basic, post, send, userinfo } from './support/http.ts';
import { alice, extranet, isSignedIn, mutuelle, redemption, signIn, spa, tokensFor } from './support/people.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = { ...keys.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'own' };
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strangerJwk = stranger.publicKey.export({ format: 'jwk' }) as JWK;

const signing = clientFile('signing', {
  client_secret: undefined,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [publicJwk] },
  grant_types: ['authorization_code', 'client_credentials'],
});

let vestibule: Vestibule;
let portal: Portal;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, extranet, signing, spa], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());

const redeem = (form: Readonly<Record<string, string>>, client = mutuelle): Promise<Answer> =>
  post(vestibule, '/token', form, client);
const codeOf = async (at = portal): Promise<Record<string, string>> =>
  redemption(at, await signIn(new Visitor(vestibule), at, alice));
const refused = { status: 400, json: { error: 'invalid_grant' } };

describe('31 code not client-bound', () => {
  test('another client redeems neither code nor refresh token, and revokes nothing by trying', async () => {
    const form = await codeOf();
    expect(await redeem(form, extranet)).toMatchObject(refused);
    expect(await redeem({ ...form, redirect_uri: String(extranet.redirect_uris) }, extranet)).toMatchObject(refused);
    const { json } = await redeem(form);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(json.refresh_token) };
    expect(await redeem(refresh, extranet)).toMatchObject(refused);
    expect(await redeem(refresh, spa)).toMatchObject(refused);
    expect(await redeem(refresh)).toMatchObject({ status: 200 });
    expect(await post(vestibule, '/token/introspection', { token: String(json.access_token) }, extranet)).toMatchObject(
      {
        json: { active: false },
      },
    );
    await post(vestibule, '/token/revocation', { token: String(json.access_token) }, extranet);
    expect(await userinfo(vestibule, json.access_token)).toMatchObject({ status: 200 });
  });

  test('nobody redeems it without the client’s own proof', async () => {
    const form = await codeOf();
    const body = { ...form, client_id: 'mutuelle' };
    const secret = String(mutuelle.client_secret);
    const attempts: readonly RequestInit[] = [
      { body: new URLSearchParams(body) },
      { body: new URLSearchParams({ ...body, client_secret: '' }) },
      { body: new URLSearchParams({ ...body, client_secret: `${secret}x` }) },
      { body: new URLSearchParams(form), headers: { authorization: basic('mutuelle', '') } },
      { body: new URLSearchParams(form), headers: { authorization: basic('mutuelle', `${secret}x`) } },
      {
        body: new URLSearchParams(form),
        headers: { authorization: basic('mutuelle', String(extranet.client_secret)) },
      },
      {
        body: new URLSearchParams(body),
        headers: { authorization: basic('extranet', String(extranet.client_secret)) },
      },
      { body: new URLSearchParams(form), headers: { authorization: `Bearer ${secret}` } },
    ];
    for (const attempt of attempts) {
      const { status, json } = await send(vestibule, '/token', { method: 'POST', ...attempt });
      expect([400, 401]).toContain(status);
      expect(json.access_token).toBeUndefined();
    }
    expect(await redeem(form)).toMatchObject({ status: 200 });
  });
});

describe('34 store confusion', () => {
  test('a value of one kind is good for nothing of another kind', async () => {
    const { visitor, tokens } = await tokensFor(vestibule, mutuelle);
    const pushed = await post(vestibule, '/request', (await portal.authorizationUrl()).searchParams, mutuelle);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    const unused = await codeOf();
    const values: Readonly<Record<string, string>> = {
      'the access token': tokens.access_token,
      'the refresh token': String(tokens.refresh_token),
      'the ID token': String(tokens.id_token),
      'the session': visitor.cookies.all.find(({ name }) => name === 'vestibule_session')?.value ?? '',
      'the interaction': visitor.page.url.pathname.split('/')[2] ?? '',
      'the pushed request': String(pushed.json.request_uri),
      'the name of the pushed request': String(pushed.json.request_uri).split(':').at(-1) ?? '',
      'the code': unused.code ?? '',
    };
    for (const [what, value] of Object.entries(values)) {
      expect([what, value.length > 20]).toEqual([what, true]);
      if (what !== 'the code') expect([what, (await redeem({ ...unused, code: value })).status]).toEqual([what, 400]);
      const refresh = { grant_type: 'refresh_token', refresh_token: value };
      if (what !== 'the refresh token') expect([what, (await redeem(refresh)).status]).toEqual([what, 400]);
      if (what !== 'the access token') expect([what, (await userinfo(vestibule, value)).status]).toEqual([what, 401]);
      const device = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: value };
      expect([what, (await redeem(device)).status]).toEqual([what, 400]);
      const other = new Visitor(vestibule);
      for (const cookie of ['vestibule_session', 'vestibule_interaction']) {
        other.cookies.store(new URL(vestibule.issuer), [`${cookie}=${value.slice(0, 3000)}; Path=/`]);
      }
      expect([what, await isSignedIn(other, portal)]).toEqual([what, false]);
      await other.visit(`/interaction/${encodeURIComponent(value)}`);
      expect([what, other.page.status]).toEqual([what, 400]);
      if (!what.includes('pushed')) {
        await other.visit(`/auth?client_id=mutuelle&request_uri=urn:ietf:params:oauth:request_uri:${value}`);
        expect([what, other.page.status === 400 || other.left.searchParams.has('error')]).toEqual([what, true]);
      }
    }
    expect(await redeem(unused)).toMatchObject({ status: 200 });
  });
});

/** A signed statement of the client `signing` about itself. */
async function assertion(
  claims: JWTPayload = {},
  {
    key = keys.privateKey,
    header = {},
  }: { key?: CryptoKey | typeof keys.privateKey | Uint8Array; header?: object } = {},
): Promise<string> {
  const now = Math.floor(vestibule.now() / 1000);
  const payload = {
    iss: 'signing',
    sub: 'signing',
    aud: vestibule.issuer,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'own', ...header }).sign(key);
}

const prove = (client_assertion: string): Promise<Answer> =>
  post(vestibule, '/token', {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
  });

describe('35 algorithm confusion', () => {
  /** The same claims, signed in every way that a verifier must not accept. */
  async function forgeries(claims: JWTPayload, victim: JWK): Promise<Readonly<Record<string, string>>> {
    const { d: _d, ...publicPart } = victim;
    const asSecret = (text: string): Uint8Array => new TextEncoder().encode(text);
    const sign = (header: object, key: Uint8Array | typeof stranger.privateKey): Promise<string> =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: String(victim.kid), ...header }).sign(key);
    const unsecured = new UnsecuredJWT(claims).encode();
    const headless = (header: object): string =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${unsecured.split('.')[1]}.`;
    return {
      none: unsecured,
      None: headless({ alg: 'None', kid: victim.kid }),
      'no algorithm': headless({ kid: victim.kid }),
      'HS256 with the public key': await sign({ alg: 'HS256' }, asSecret(JSON.stringify(publicPart))),
      'HS256 with its modulus': await sign({ alg: 'HS256' }, asSecret(String(victim.n ?? victim.x))),
      'another key under its name': await sign({}, stranger.privateKey),
      'another key brought along': await sign({ jwk: strangerJwk, kid: undefined }, stranger.privateKey),
      'another key to be fetched': await sign(
        { jku: `${vestibule.issuer}/jwks`, x5u: 'https://evil.example' },
        stranger.privateKey,
      ),
      'no signature': `${(await sign({}, stranger.privateKey)).split('.').slice(0, 2).join('.')}.`,
    };
  }
  const claimsOf = (jwt: string): JWTPayload =>
    JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

  test('a client assertion', async () => {
    for (const [how, jwt] of Object.entries(await forgeries(claimsOf(await assertion()), publicJwk as JWK))) {
      expect([how, await prove(jwt)]).toEqual([how, expect.objectContaining({ status: 401 })]);
    }
    expect(await prove(await assertion())).toMatchObject({ status: 200 });
  });

  test('an ID token that asks for a sign-out', async () => {
    const { visitor, tokens } = await tokensFor(vestibule, mutuelle);
    const [rsa = {}] = ((await send(vestibule, '/jwks')).json.keys as JWK[]).filter(({ kty }) => kty === 'RSA');
    for (const [how, jwt] of Object.entries(await forgeries(claimsOf(tokens.id_token ?? ''), rsa))) {
      await visitor.visit(`/session/end?${new URLSearchParams({ id_token_hint: jwt })}`);
      expect([how, visitor.page.status]).toEqual([how, 400]);
    }
    await expectErrorPage(vestibule, visitor.page, 400);
    expect(await isSignedIn(visitor, portal)).toBe(true);
  });

  test('a request object, and an access token', async () => {
    const { searchParams } = await portal.authorizationUrl();
    const claims = { ...Object.fromEntries(searchParams), iss: 'signing', aud: vestibule.issuer, client_id: 'signing' };
    const good = { ...claims, redirect_uri: String(signing.redirect_uris) };
    for (const [how, request] of Object.entries(await forgeries(good, publicJwk as JWK))) {
      const visitor = new Visitor(vestibule);
      await visitor.visit(`/auth?${new URLSearchParams({ client_id: 'signing', request })}`);
      expect([how, visitor.page.step === 'identify']).toEqual([how, false]);
    }
    for (const token of Object.values(
      await forgeries({ sub: 'x', scope: 'openid', iss: vestibule.issuer }, publicJwk as JWK),
    )) {
      expect((await userinfo(vestibule, token)).status).toBe(401);
    }
  });

  test('a proof of possession (DPoP)', async () => {
    const { alg: _alg, use: _use, kid: _kid, ...jwk } = publicJwk;
    const claims = {
      jti: randomUUID(),
      htm: 'POST',
      htu: `${vestibule.issuer}/token`,
      iat: Math.floor(vestibule.now() / 1000),
    };
    const proof = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(keys.privateKey);
    const header = (parts: object): string =>
      Buffer.from(JSON.stringify({ typ: 'dpop+jwt', jwk, ...parts })).toString('base64url');
    const [, payload, signature] = proof.split('.');
    const secret = await importJWK({ kty: 'oct', k: Buffer.from(JSON.stringify(jwk)).toString('base64url') }, 'HS256');
    const forged = [
      `${header({ alg: 'none' })}.${payload}.`,
      `${header({ alg: 'ES256', jwk: strangerJwk })}.${payload}.${signature}`,
      `${header({ alg: 'ES256', jwk: { ...keys.privateKey.export({ format: 'jwk' }) } })}.${payload}.${signature}`,
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk }).sign(secret),
    ];
    for (const dpop of forged) {
      const headers = { dpop, authorization: basic('mutuelle', String(mutuelle.client_secret)) };
      const { status, json } = await send(vestibule, '/token', {
        method: 'POST',
        headers,
        body: new URLSearchParams(await codeOf()),
      });
      expect([status, json.access_token]).toEqual([400, undefined]);
    }
  });
});
