import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { clientFile } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { type Answer, post, sendRaw, userinfo } from './support/http.ts';
import { tokensFor } from './support/people.ts';
import { changeAccount } from './support/storage.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = { ...keys.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'own' };
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const signing = clientFile('signing', {
  client_secret: undefined,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [publicJwk] },
  grant_types: ['authorization_code', 'client_credentials'],
});
const another = { ...signing, client_id: 'another', redirect_uris: ['http://localhost:9/another/callback'] };
const reader = clientFile('reader', { vestibule: { first_party: true, profile_in_id_token: true } });
const actor = { username: 'actor', email: 'actor@example.org', password: 'actor-demo-password' };

let vestibule: Vestibule;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [signing, another, reader], people: [actor] });
});
afterAll(() => vestibule?.stop());

/** A signed statement of the client `signing` about itself. */
function assertion(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const now = Math.floor(vestibule.now() / 1000);
  const own = { iss: 'signing', sub: 'signing', aud: vestibule.issuer, jti: randomUUID(), iat: now, exp: now + 60 };
  return new SignJWT({ ...own, ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'own' }).sign(keys.privateKey);
}

const form = (client_assertion: string) => ({
  grant_type: 'client_credentials',
  client_assertion_type: ASSERTION,
  client_assertion,
});
const prove = (jwt: string): Promise<Answer> => post(vestibule, '/token', form(jwt));
const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).toSorted();

describe('36 assertion replay', () => {
  test('the same assertion twice, also after a restart', async () => {
    const jwt = await assertion();
    expect(await prove(jwt)).toMatchObject({ status: 200 });
    expect(await prove(jwt)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    await vestibule.restart();
    expect(await prove(jwt)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });

  test('the same assertion 50 times at once: one is believed', async () => {
    const jwt = await assertion();
    expect(statuses(await Promise.all(Array.from({ length: 50 }, () => prove(jwt))))).toEqual([
      200,
      ...Array(49).fill(401),
    ]);
  });

  test('the same assertion at another endpoint', async () => {
    const jwt = await assertion();
    expect(await prove(jwt)).toMatchObject({ status: 200 });
    for (const path of ['/token/introspection', '/token/revocation', '/request']) {
      expect(await post(vestibule, path, { ...form(jwt), token: 'x' })).toMatchObject({ status: 401 });
    }
  });

  test('the same name (jti) is another client’s own business, and used up for this one', async () => {
    const jti = randomUUID();
    expect(await prove(await assertion({ jti }))).toMatchObject({ status: 200 });
    expect(await prove(await assertion({ jti, iss: 'another', sub: 'another' }))).toMatchObject({ status: 200 });
    expect(await prove(await assertion({ jti, nonce: 'x' }))).toMatchObject({ status: 401 });
  });

  test('one made for another server is not believed here, whatever the request line names', async () => {
    for (const aud of [
      'https://evil.example',
      'https://evil.example/token',
      `${vestibule.issuer}.evil.example`,
      `${vestibule.issuer}/`,
    ]) {
      expect([aud, await prove(await assertion({ aud }))]).toEqual([aud, expect.objectContaining({ status: 401 })]);
    }
    const body = new URLSearchParams(form(await assertion({ aud: 'http://evil.example/token' }))).toString();
    const { status, body: answer } = await sendRaw(
      vestibule,
      `POST http://evil.example/token HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect([status, answer]).toEqual([401, expect.not.stringContaining('access_token')]);
  });

  const faults: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['no name', { jti: undefined }],
    ['no end', { exp: undefined }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'another' }],
    ['another subject', { sub: 'another' }],
    ['an end in the past', { exp: 1 }],
    ['a beginning in the future', { nbf: 9_999_999_999 }],
    ['a name that is no text', { jti: { $ne: '' } }],
    ['an issuer that is no text', { iss: ['signing'] }],
    ['an end that is no number', { exp: '9999999999' }],
  ];
  test.each(faults)('one with %s is refused', async (_what, claims) => {
    const { status, json } = await prove(await assertion(claims));
    expect([400, 401]).toContain(status);
    expect(json.access_token).toBeUndefined();
  });

  test('an end between two seconds, or in the far future, is an end', async () => {
    const now = Math.floor(vestibule.now() / 1000);
    for (const exp of [now + 60.5, 1e12, 1e18, 1e300]) {
      const jwt = await assertion({ exp });
      expect([exp, statuses([await prove(jwt), await prove(jwt)])]).toEqual([exp, [200, 401]]);
    }
  });
});

describe('40 claim override', () => {
  const RESERVED = {
    sub: 'somebody-else',
    acr: 'https://refeds.org/profile/mfa',
    amr: ['mfa', 'hwk'],
    auth_time: 1,
    iss: 'https://evil.example',
    aud: 'evil',
    azp: 'evil',
    sid: 'evil',
    nonce: 'evil',
    exp: 9_999_999_999,
    at_hash: 'evil',
    events: { x: {} },
    _claim_names: { email: 'evil' },
    _claim_sources: { evil: { endpoint: 'https://evil.example' } },
    email: 'root@example.org',
    email_verified: true,
    preferred_username: 'root',
    role: 'administrator',
  };

  test('a profile cannot replace what the protocol says, in the ID token or at userinfo', async () => {
    await changeAccount(vestibule, 'actor', { profile: { name: 'Actor', ...RESERVED } });
    const claims = JSON.stringify({
      id_token: { sub: null, amr: null, email: null, role: null },
      userinfo: { acr: null, amr: null, auth_time: null, sub: null, role: null, sid: null },
    });
    const { tokens } = await tokensFor(vestibule, reader, actor, { scope: 'openid profile email', claims });
    const idToken = tokens.claims() as Readonly<Record<string, unknown>>;
    const { json } = await userinfo(vestibule, tokens.access_token);
    expect(idToken).toMatchObject({
      iss: vestibule.issuer,
      aud: 'reader',
      amr: ['pwd'],
      acr: 'https://refeds.org/profile/sfa',
      name: 'Actor',
    });
    expect(json).toMatchObject({
      sub: idToken.sub,
      name: 'Actor',
      preferred_username: 'actor',
      email: actor.email,
      email_verified: false,
    });
    for (const said of [idToken, json]) {
      for (const [name, value] of Object.entries(RESERVED)) expect([name, said[name]]).not.toEqual([name, value]);
    }
  });
});
