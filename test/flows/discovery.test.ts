import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, call, jsonOf, signIn } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const hybrid = clientFile('hybrid', {
  redirect_uris: ['https://hybrid.example/callback'],
  post_logout_redirect_uris: [],
  response_types: ['code', 'code id_token'],
  grant_types: ['authorization_code', 'implicit'],
});

let vestibule: Vestibule;
let metadata: Record<string, unknown>;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, hybrid], people: [alice] });
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  metadata = await jsonOf(await call(vestibule, '/.well-known/openid-configuration'));
});

const jwks = async (): Promise<JSONWebKeySet> =>
  (await jsonOf(await call(vestibule, '/jwks'))) as unknown as JSONWebKeySet;

describe('discovery', () => {
  test('names the issuer and endpoints below it', () => {
    const { issuer } = vestibule;
    expect(metadata).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/me`,
      jwks_uri: `${issuer}/jwks`,
      pushed_authorization_request_endpoint: `${issuer}/request`,
      end_session_endpoint: `${issuer}/session/end`,
      introspection_endpoint: `${issuer}/token/introspection`,
      revocation_endpoint: `${issuer}/token/revocation`,
    });
  });

  test('is the same for OAuth clients (RFC 8414)', async () => {
    expect(await jsonOf(await call(vestibule, '/.well-known/oauth-authorization-server'))).toEqual(metadata);
  });

  test('lists the response types that some client or the account area may use and no others', () => {
    expect((metadata.response_types_supported as string[]).toSorted()).toEqual(['code', 'code id_token', 'none']);
    expect((metadata.grant_types_supported as string[]).toSorted()).toEqual([
      'authorization_code',
      'client_credentials',
      'implicit',
      'refresh_token',
    ]);
  });

  test('lists the levels of assurance that can be reached, and what else works', () => {
    expect(metadata).toMatchObject({
      acr_values_supported: ['https://refeds.org/profile/sfa', 'https://refeds.org/profile/mfa', 'phr'],
      claims_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      subject_types_supported: ['public', 'pairwise'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
        'none',
      ],
      ui_locales_supported: ['en', 'fr', 'nl', 'de', 'it'],
    });
    expect((metadata.scopes_supported as string[]).toSorted()).toEqual([
      'address',
      'email',
      'offline_access',
      'openid',
      'phone',
      'profile',
    ]);
    expect(metadata.claims_supported).toEqual(expect.arrayContaining(['sub', 'acr', 'amr', 'email', 'birthdate']));
  });

  test('says nothing of features that are off', () => {
    for (const name of [
      'device_authorization_endpoint',
      'registration_endpoint',
      'tls_client_certificate_bound_access_tokens',
      'backchannel_authentication_endpoint',
      'id_token_encryption_alg_values_supported',
    ]) {
      expect(metadata).not.toHaveProperty(name);
    }
    expect(metadata.token_endpoint_auth_methods_supported).not.toContain('tls_client_auth');
  });

  test.each(['/device', '/device/auth', '/reg', '/reg/somebody'])('and %s is not there', async (path) => {
    expect((await call(vestibule, path, { headers: { accept: 'application/json' } })).status).toBe(404);
    expect((await call(vestibule, path, { form: { client_id: 'mutuelle' } })).status).toBe(404);
  });

  test('every endpoint announced answers', async () => {
    const addresses = Object.entries(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name));
    expect(addresses.length).toBeGreaterThan(7);
    for (const [, address] of addresses) {
      const path = String(address).slice(vestibule.issuer.length);
      const statuses = await Promise.all([call(vestibule, path), call(vestibule, path, { form: {} })]);
      expect(Math.min(...statuses.map(({ status }) => status))).toBeLessThan(404);
    }
  });

  test.each([{ host: 'evil.example' }, { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }])(
    'addresses are the issuer’s, whatever is sent: %j',
    async (headers) => {
      const answered = await new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: vestibule.port, path: '/.well-known/openid-configuration', headers };
        request(options, (response) => resolve(json(response)))
          .on('error', reject)
          .end();
      });
      expect(answered).toEqual(metadata);
    },
  );
});

describe('signing keys', () => {
  test('one for each algorithm, for signatures, named, public parts only', async () => {
    const { keys } = await jwks();
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256', 'EdDSA']);
    const publicMembers = new Set(['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e']);
    for (const key of keys) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.stringMatching(/^[\w-]{43}$/) });
      expect(Object.keys(key).filter((member) => !publicMembers.has(member))).toEqual([]);
    }
  });

  test('stay the same, in the same order, and their tokens valid, across a restart', async () => {
    const before = await jwks();
    const portal = await Portal.discover(vestibule, mutuelle);
    const tokens = await portal.exchange(await signIn(new Visitor(vestibule), portal));
    await vestibule.restart();
    const after = await jwks();
    expect(after).toEqual(before);
    const verified = await jwtVerify(tokens.id_token ?? '', createLocalJWKSet(after), { issuer: vestibule.issuer });
    expect(verified.protectedHeader.alg).toBe('RS256');
  });
});
