import { describe, expect, test } from '@jest/globals';
import { supportFindings } from '../../../../src/federation/presets/index.ts';
import { file, upstreamOf } from './files.ts';

/** Metadata of a provider that can do everything. */
const ABLE = {
  issuer: 'https://eid.test',
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'client_secret_post'],
  token_endpoint_auth_signing_alg_values_supported: ['RS256', 'ES256'],
  response_types_supported: ['code'],
  response_modes_supported: ['query', 'form_post'],
  code_challenge_methods_supported: ['S256'],
  pushed_authorization_request_endpoint: 'https://eid.test/par',
  request_parameter_supported: true,
  dpop_signing_alg_values_supported: ['ES256'],
  userinfo_endpoint: 'https://eid.test/userinfo',
  id_token_signing_alg_values_supported: ['RS256'],
  id_token_encryption_alg_values_supported: ['RSA-OAEP-256'],
  id_token_encryption_enc_values_supported: ['A128CBC-HS256'],
  userinfo_signing_alg_values_supported: ['RS256'],
  userinfo_encryption_alg_values_supported: ['RSA-OAEP-256'],
  userinfo_encryption_enc_values_supported: ['A128CBC-HS256'],
  acr_values_supported: ['low', 'high'],
  scopes_supported: ['openid', 'profile', 'email'],
  claims_parameter_supported: true,
  claims_supported: ['sub', 'national_number'],
  end_session_endpoint: 'https://eid.test/end',
  backchannel_logout_supported: true,
};

const ENCRYPTED = { signed_with: ['RS256'], encrypted_with: { alg: ['RSA-OAEP-256'], enc: ['A128CBC-HS256'] } };
const DEMANDING = {
  response_mode: 'form_post',
  request: 'pushed',
  dpop: true,
  id_token: ENCRYPTED,
  userinfo: { jwt: ENCRYPTED },
  levels: [{ upstream: 'high', acr: 'phr' }],
  claims: { userinfo: { national_number: null } },
  subject: [{ path: 'national_number', confidential: true }],
  logout: { rp_initiated: true, back_channel: true },
};

/** `! setting` of what breaks, `setting` of what is only lost. */
const findings = (settings: object, metadata: object): string[] =>
  supportFindings(upstreamOf(file('generic', { ...settings })), metadata as Record<string, unknown>).map(
    ({ path, breaks }) => `${breaks ? '! ' : ''}${path.join('.')}`,
  );

test('nothing is said of a provider that can do everything that is asked of it', () => {
  expect(findings({}, ABLE)).toEqual([]);
  expect(findings(DEMANDING, ABLE)).toEqual([]);
});

test('lists that are left out refuse nothing', () => {
  const quiet = { userinfo_endpoint: 'https://eid.test/userinfo' };
  expect(findings({}, quiet)).toEqual(['preset']);
});

describe('said of what is not supported', () => {
  test.each<readonly [string, object, object, string[]]>([
    ['method', {}, { token_endpoint_auth_methods_supported: ['private_key_jwt'] }, ['! token_endpoint_auth_method']],
    [
      'method, by default',
      { client_secret: undefined },
      { token_endpoint_auth_methods_supported: undefined },
      ['token_endpoint_auth_method'],
    ],
    [
      'algorithm of assertions',
      { client_secret: undefined, token_endpoint_auth_signing_alg: 'PS256' },
      {},
      ['! token_endpoint_auth_signing_alg'],
    ],
    ['codes', {}, { response_types_supported: ['id_token'] }, ['! preset']],
    ['form_post', DEMANDING, { response_modes_supported: undefined }, ['! response_mode']],
    ['PKCE', {}, { code_challenge_methods_supported: ['plain'] }, ['preset']],
    ['PKCE at all', {}, { code_challenge_methods_supported: undefined }, ['preset']],
    ['pushed requests', DEMANDING, { pushed_authorization_request_endpoint: undefined }, ['! request']],
    ['requests that are not pushed', {}, { require_pushed_authorization_requests: true }, ['! request']],
    ['requests that are not signed', {}, { require_signed_request_object: true }, ['! request']],
    ['signed requests', { request: 'signed' }, { request_parameter_supported: false }, ['! request']],
    [
      'signed requests, RFC 9101 alone',
      { request: 'signed' },
      { request_parameter_supported: undefined, request_object_signing_alg_values_supported: ['RS256'] },
      [],
    ],
    ['keys for tokens', DEMANDING, { dpop_signing_alg_values_supported: ['RS256'] }, ['! dpop']],
    ['keys for tokens at all', DEMANDING, { dpop_signing_alg_values_supported: undefined }, ['dpop']],
    ['signature of ID tokens', {}, { id_token_signing_alg_values_supported: ['ES256'] }, ['! id_token']],
    ['encryption of ID tokens', DEMANDING, { id_token_encryption_enc_values_supported: ['A256GCM'] }, ['! id_token']],
    [
      'encryption of ID tokens at all',
      DEMANDING,
      { id_token_encryption_alg_values_supported: undefined },
      ['id_token'],
    ],
    ['encryption of userinfo', DEMANDING, { userinfo_encryption_alg_values_supported: ['RSA1_5'] }, ['! userinfo']],
    ['userinfo', {}, { userinfo_endpoint: undefined }, ['! userinfo']],
    ['a level', DEMANDING, { acr_values_supported: ['low'] }, ['levels']],
    ['a scope', {}, { scopes_supported: ['openid'] }, ['scope']],
    ['the claims parameter', DEMANDING, { claims_parameter_supported: undefined }, ['claims']],
    ['levels as claims', { asks_level_by: { by: 'claims' } }, { claims_parameter_supported: false }, ['asks_level_by']],
    ['the claim people are recognised by', DEMANDING, { claims_supported: ['sub'] }, ['subject']],
    ['the end of sessions', DEMANDING, { end_session_endpoint: undefined }, ['logout']],
    ['news of the end of sessions', DEMANDING, { backchannel_logout_supported: false }, ['logout']],
  ])('%s', (_what, settings, missing, expected) => {
    expect(findings(settings, { ...ABLE, ...missing })).toEqual(expected);
  });
});

test('codes of services are in no list, and SwissID’s quality is no acr', () => {
  const scopes = { ...ABLE, scopes_supported: ['openid', 'profile', 'email'] };
  const paths = (upstream: ReturnType<typeof upstreamOf>) =>
    supportFindings(upstream, scopes).map(({ path }) => path[0]);
  expect(paths(upstreamOf(file('itsme')))).not.toContain('scope');
  const levels = [{ upstream: 'qor1', acr: 'phr' }];
  expect(paths(upstreamOf(file('swissid', { levels })))).not.toContain('levels');
});

test('what a stranger wrote is shown without anything that moves a cursor', () => {
  const metadata = { ...ABLE, id_token_signing_alg_values_supported: ['\u001b[2J\u202e', 5, 'x'.repeat(1000)] };
  const [finding] = supportFindings(upstreamOf(file('generic')), metadata);
  expect(finding?.message).toMatch(/^[^\p{C}]+$/u);
  expect(finding?.message.length).toBeLessThan(400);
});
