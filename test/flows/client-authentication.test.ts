import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { basic, type ClientKey, call, clientKey, jsonOf } from './arrange.ts';

const grants = { grant_types: ['authorization_code', 'client_credentials'] };
const secretOf = (file: ClientFileContents): string => String(file.client_secret);
const headerClient = clientFile('header', grants);
const bodyClient = clientFile('body', { ...grants, token_endpoint_auth_method: 'client_secret_post' });
const hmacClient = clientFile('hmac', { ...grants, token_endpoint_auth_method: 'client_secret_jwt' });
const publicClient = clientFile('public', { client_secret: undefined, token_endpoint_auth_method: 'none' });
const algorithms = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] as const;

let vestibule: Vestibule;
let keys: Map<string, ClientKey>;

const keyClient = (alg: string): ClientFileContents =>
  clientFile(`key-${alg}`, {
    ...grants,
    client_secret: undefined,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [keys.get(alg)?.publicJwk] },
  });

beforeAll(async () => {
  keys = new Map(await Promise.all(algorithms.map(async (alg) => [alg, await clientKey(alg)] as const)));
  const clients = [headerClient, bodyClient, hmacClient, publicClient, ...algorithms.map(keyClient)];
  vestibule = await startVestibule({ clients });
});
afterAll(() => vestibule.stop());

const keyOf = (alg: string) => (keys.get(alg) as ClientKey).privateKey;

async function tokenFor(file: ClientFileContents, authentication: client.ClientAuth): Promise<string> {
  const portal = await Portal.discover(vestibule, file, authentication);
  return (await client.clientCredentialsGrant(portal.configuration)).access_token;
}

/** An assertion as RFC 7523 wants it; `over` replaces claims, `undefined` removes them. */
function assertion(
  clientId: string,
  key: Parameters<SignJWT['sign']>[0],
  alg: string,
  over: Record<string, unknown> = {},
) {
  const now = Math.floor(vestibule.now() / 1000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: vestibule.issuer,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
  };
  return new SignJWT({ ...claims, ...over }).setProtectedHeader({ alg }).sign(key);
}

const withAssertion = (value: string, more: Record<string, string> = {}): Promise<Response> =>
  call(vestibule, '/token', {
    form: {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: value,
      ...more,
    },
  });

describe('a shared secret', () => {
  test.each([
    ['in the header, as registered', headerClient, client.ClientSecretBasic],
    ['in the body, though registered for the header', headerClient, client.ClientSecretPost],
    ['in the body, as registered', bodyClient, client.ClientSecretPost],
    ['in the header, though registered for the body', bodyClient, client.ClientSecretBasic],
    ['as the key of an assertion', hmacClient, client.ClientSecretJwt],
  ])('%s', async (_how, file, authentication) => {
    expect(await tokenFor(file, authentication(secretOf(file)))).toBeTruthy();
  });

  test.each([headerClient, bodyClient, hmacClient])('that is wrong is refused ($client_id)', async (file) => {
    for (const authentication of [client.ClientSecretBasic, client.ClientSecretPost, client.ClientSecretJwt]) {
      await expect(tokenFor(file, authentication('not-the-secret-of-this-client'))).rejects.toMatchObject({
        status: 401,
      });
    }
  });

  test('refused in the header is told so in the header', async () => {
    const answer = await call(vestibule, '/token', {
      form: { grant_type: 'client_credentials' },
      headers: basic('header', 'wrong-wrong-wrong-wrong'),
    });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});

describe('no way of proving stands in for another', () => {
  test.each(['hmac', 'key-ES256', 'public'])('%s is not served for a secret', async (clientId) => {
    for (const secret of [secretOf(hmacClient), '', 'anything-at-all']) {
      const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret };
      expect([400, 401]).toContain((await call(vestibule, '/token', { form })).status);
    }
  });

  test.each(['header', 'body', 'hmac', 'key-ES256', 'nobody'])('%s is not served without any', async (clientId) => {
    const answer = await call(vestibule, '/token', { form: { grant_type: 'client_credentials', client_id: clientId } });
    expect([answer.status, await jsonOf(answer)]).toMatchObject([401, { error: 'invalid_client' }]);
  });

  test('the client’s public key is no secret', async () => {
    const publicKey = JSON.stringify(keys.get('RS256')?.publicJwk);
    const forged = await assertion('key-RS256', new TextEncoder().encode(publicKey), 'HS256');
    expect((await withAssertion(forged)).status).toBe(401);
  });

  test('two at once are refused', async () => {
    const form = { grant_type: 'client_credentials', client_id: 'header', client_secret: secretOf(headerClient) };
    const answer = await call(vestibule, '/token', { form, headers: basic('header') });
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_request' }]);
  });
});

describe('an assertion signed with the client’s own key', () => {
  test.each(['RS256', 'PS256', 'ES256', 'Ed25519'] as const)('by a library: %s', async (alg) => {
    const key = await crypto.subtle.importKey(
      'pkcs8',
      keyOf(alg).export({ format: 'der', type: 'pkcs8' }),
      IMPORTED[alg],
      false,
      ['sign'],
    );
    expect(await tokenFor(keyClient(alg), client.PrivateKeyJwt(key))).toBeTruthy();
  });

  test.each(algorithms)('by hand: %s', async (alg) => {
    const answer = await withAssertion(await assertion(`key-${alg}`, keyOf(alg), alg));
    expect([answer.status, await jsonOf(answer)]).toMatchObject([200, { token_type: 'Bearer' }]);
  });

  test('is good once', async () => {
    const once = await assertion('key-ES256', keyOf('ES256'), 'ES256');
    const answers = await Promise.all([withAssertion(once), withAssertion(once), withAssertion(once)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
  });

  test.each([
    ['by another client’s key', () => assertion('key-ES256', keyOf('EdDSA'), 'EdDSA')],
    [
      'for another audience',
      () => assertion('key-ES256', keyOf('ES256'), 'ES256', { aud: 'https://elsewhere.example' }),
    ],
    ['by another issuer', () => assertion('key-ES256', keyOf('ES256'), 'ES256', { iss: 'header' })],
    ['without an end', () => assertion('key-ES256', keyOf('ES256'), 'ES256', { exp: undefined })],
    ['without a name', () => assertion('key-ES256', keyOf('ES256'), 'ES256', { jti: undefined })],
  ])('%s is refused', async (_what, make) => {
    expect((await withAssertion(await make())).status).toBe(401);
  });

  test.each([
    ['10 s', 10, 200],
    ['60 s', 60, 401],
  ])('by a clock that is %s ahead or behind', async (_skew, seconds, expected) => {
    const now = Math.floor(vestibule.now() / 1000);
    const ahead = await assertion('key-ES256', keyOf('ES256'), 'ES256', { iat: now + seconds, nbf: now + seconds });
    const behind = await assertion('key-ES256', keyOf('ES256'), 'ES256', { iat: now - 120, exp: now - seconds });
    expect((await withAssertion(ahead)).status).toBe(expected);
    expect((await withAssertion(behind)).status).toBe(expected);
  });
});

const IMPORTED: Readonly<
  Record<'RS256' | 'PS256' | 'ES256' | 'Ed25519', { name: string; hash?: string; namedCurve?: string }>
> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  Ed25519: { name: 'Ed25519' },
};
