import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, basic, bearer, call, jsonOf, signIn } from './arrange.ts';

// Made for these tests, self-signed; nobody has their private keys, as nothing here ends TLS.
const fixture = (name: string): Promise<string> =>
  readFile(resolve(import.meta.dirname, `../support/fixtures/${name}.pem`), 'utf8');

const grants = { grant_types: ['authorization_code', 'client_credentials'] };
const withSubject = (name: string, subject: Record<string, string>): ClientFileContents =>
  clientFile(name, { ...grants, client_secret: undefined, token_endpoint_auth_method: 'tls_client_auth', ...subject });

const SUBJECTS = [
  withSubject('by-name', { tls_client_auth_subject_dn: 'CN=client.portal.test,O=Mutuelle Test,C=CH' }),
  withSubject('by-host', { tls_client_auth_san_dns: 'client.portal.test' }),
  withSubject('by-address', { tls_client_auth_san_uri: 'https://portal.test/client' }),
  withSubject('by-ip', { tls_client_auth_san_ip: '192.0.2.7' }),
  withSubject('by-mail', { tls_client_auth_san_email: 'client@portal.test' }),
];

let proxied: Vestibule;
let direct: Vestibule;
let certificate: string;
let otherCertificate: string;
let selfSigned: ClientFileContents;
const bound = clientFile('bound', {
  tls_client_certificate_bound_access_tokens: true,
  vestibule: { first_party: true, refresh_token_without_offline_access: true },
});

beforeAll(async () => {
  [certificate, otherCertificate] = await Promise.all([
    fixture('client-certificate'),
    fixture('other-client-certificate'),
  ]);
  const { publicKey, raw } = new X509Certificate(certificate);
  const key = { ...publicKey.export({ format: 'jwk' }), use: 'sig', x5c: [raw.toString('base64')] };
  selfSigned = clientFile('self-signed', {
    ...grants,
    client_secret: undefined,
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [key] },
  });
  const start = (trusted: string): Promise<Vestibule> =>
    startVestibule({
      settings: { features: { mtls: { enabled: true } }, proxy: { trusted: [trusted] } },
      clients: [...SUBJECTS, selfSigned, bound],
      people: [alice],
    });
  // The same two servers, one of which does not know the machine the tests run on as its proxy.
  [proxied, direct] = await Promise.all([start('127.0.0.1'), start('192.0.2.99')]);
});
afterAll(() => Promise.all([proxied.stop(), direct.stop()]));

let visitor: Visitor;
beforeEach(() => {
  visitor = new Visitor(proxied);
});

/** What the proxy adds after the handshake. */
const presented = (pem: string, verified = 'SUCCESS'): Record<string, string> => ({
  'x-client-certificate': encodeURIComponent(pem),
  'x-client-verify': verified,
});

const token = (clientId: string, headers: Record<string, string>, at = proxied): Promise<Response> =>
  call(at, '/token', { form: { grant_type: 'client_credentials', client_id: clientId }, headers });

describe('a client that proves itself by its certificate', () => {
  test.each(SUBJECTS)('$client_id is served', async ({ client_id }) => {
    const answer = await token(client_id, presented(certificate));
    expect([answer.status, await jsonOf(answer)]).toMatchObject([200, { token_type: 'Bearer' }]);
  });

  test.each(SUBJECTS)(
    '$client_id is not served with another, an unverified or no certificate',
    async ({ client_id }) => {
      const tries = [
        presented(otherCertificate),
        presented(certificate, 'FAILED:unable to verify'),
        presented(certificate, 'NONE'),
        { 'x-client-certificate': encodeURIComponent(certificate) },
        { 'x-client-verify': 'SUCCESS' },
        {},
      ];
      const answers = await Promise.all(tries.map((headers) => token(client_id, headers)));
      expect(answers.map(({ status }) => status)).toEqual(tries.map(() => 401));
    },
  );

  test.each([
    '',
    '%',
    'not a certificate',
    '%E0%A4%A',
    '-----BEGIN CERTIFICATE-----%0AAAAA%0A-----END CERTIFICATE-----',
  ])('is not served, and nothing breaks, when the header says %j', async (value) => {
    const answer = await token('by-name', { 'x-client-certificate': value, 'x-client-verify': 'SUCCESS' });
    expect([answer.status, await jsonOf(answer)]).toMatchObject([401, { error: 'invalid_client' }]);
  });

  test('whose key is registered needs no authority behind it', async () => {
    expect((await token('self-signed', presented(certificate, 'FAILED:self signed certificate'))).status).toBe(200);
    expect((await token('self-signed', presented(otherCertificate))).status).toBe(401);
  });

  test('is never believed from anybody but the proxy', async () => {
    for (const { client_id } of [...SUBJECTS, selfSigned]) {
      expect((await token(client_id, presented(certificate), direct)).status).toBe(401);
    }
  });
});

describe('tokens of a client whose file binds them', () => {
  async function obtain() {
    const portal = await Portal.discover(proxied, bound);
    const callback = await signIn(visitor, portal);
    const form = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: portal.redirectUri,
      code_verifier: portal.pending(callback)?.codeVerifier ?? '',
    };
    return {
      form,
      exchange: (headers: Record<string, string>) =>
        call(proxied, '/token', { form, headers: { ...basic('bound'), ...headers } }),
    };
  }

  test('name the certificate and open userinfo with it only', async () => {
    const tokens = await jsonOf(await (await obtain()).exchange(presented(certificate)));
    const accessToken = String(tokens.access_token);
    const userinfo = (headers: Record<string, string>) =>
      call(proxied, '/me', { headers: { ...bearer(accessToken), ...headers } });
    const answers = await Promise.all([
      userinfo(presented(certificate)),
      userinfo(presented(otherCertificate)),
      userinfo({}),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 401]);
    const introspected = await call(proxied, '/token/introspection', {
      form: { token: accessToken },
      headers: basic('bound'),
    });
    const thumbprint = Buffer.from(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), 'hex').toString(
      'base64url',
    );
    expect(await jsonOf(introspected)).toMatchObject({ active: true, cnf: { 'x5t#S256': thumbprint } });
  });

  test('are not issued without', async () => {
    const answer = await (await obtain()).exchange({});
    expect([answer.status, await jsonOf(answer)]).toMatchObject([400, { error: 'invalid_grant' }]);
  });
});

test('discovery says so', async () => {
  const metadata = await jsonOf(await call(proxied, '/.well-known/openid-configuration'));
  expect(metadata.tls_client_certificate_bound_access_tokens).toBe(true);
  expect(metadata.token_endpoint_auth_methods_supported).toEqual(
    expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
  );
});
