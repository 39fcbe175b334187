import { describe, expect, test } from '@jest/globals';
import { isEmailAuthoritative } from '../../../../src/federation/presets/email-authority.ts';
import { vouchedFor } from '../../../../src/federation/presets/index.ts';
import { bare, file, problemsOf, SECRET, upstreamOf } from './files.ts';

const OVERRIDES: readonly (readonly [setting: string, given: unknown, field: string, expected: unknown])[] = [
  ['issuer', 'https://other.test', 'issuer', 'https://other.test'],
  ['discovery_url', 'https://other.test/metadata', 'discoveryUrl', 'https://other.test/metadata'],
  ['scope', 'openid', 'scope', 'openid'],
  ['claims', { userinfo: { a: null } }, 'claims', { userinfo: { a: null } }],
  ['response_mode', 'form_post', 'responseMode', 'form_post'],
  ['request', 'signed', 'request', 'signed'],
  ['dpop', true, 'dpop', true],
  ['reauthenticates', false, 'reauthenticates', false],
  ['id_token', { signed_with: ['ES256'] }, 'idToken', { signedWith: ['ES256'] }],
  [
    'id_token',
    { signed_with: ['ES256'], encrypted_with: { alg: ['ECDH-ES'], enc: ['A256GCM'] } },
    'idToken',
    { signedWith: ['ES256'], encryptedWith: { alg: ['ECDH-ES'], enc: ['A256GCM'] } },
  ],
  ['userinfo', { fetched: false }, 'userinfo', { fetched: false }],
  ['userinfo', { jwt: { signed_with: ['PS256'] } }, 'userinfo', { fetched: true, jwt: { signedWith: ['PS256'] } }],
  ['levels', [{ upstream: '1', acr: 'phr' }], 'levels', [{ upstream: '1', acr: 'phr' }]],
  ['default_acr', 'phr', 'defaultAcr', 'phr'],
  [
    'asks_level_by',
    { by: 'parameter', name: 'loa', value: 'x{{level}}' },
    'asksLevelBy',
    { by: 'parameter', name: 'loa', value: 'x{{level}}' },
  ],
  ['asks_level_by', { by: 'claims' }, 'asksLevelBy', { by: 'claims', claim: 'acr', of: 'id_token' }],
  ['subject', [{ path: 'a.b' }], 'subject', [{ path: ['a.b'], confidential: false }]],
  ['subject', [{ path: ['a', 'b'], confidential: true }], 'subject', [{ path: ['a', 'b'], confidential: true }]],
  ['clock_tolerance', '2m', 'clockTolerance', 120],
  ['logout', { rp_initiated: true }, 'logout', { rpInitiated: true, backChannel: false }],
  ['name', { fr: 'eID', nl: 'eID' }, 'name', { fr: 'eID', nl: 'eID' }],
];

describe('the file takes the place of the preset', () => {
  test.each(OVERRIDES)('%s', (setting, given, field, expected) => {
    expect(upstreamOf(file('generic', { [setting]: given }))).toMatchObject({ [field]: expected });
    const resolved = upstreamOf(file('generic', { [setting]: given })) as unknown as Record<string, unknown>;
    expect(resolved[field]).toEqual(expected);
  });

  test('parameters and mapping are added to those of the preset', () => {
    const { parameters, mapping } = upstreamOf(
      file('mitid', { parameters: { ui_locales: 'da' }, mapping: { city: ['address', 'locality'], name: 'full' } }),
    );
    expect(parameters).toEqual({ idp_params: expect.any(String), ui_locales: 'da' });
    expect(mapping).toMatchObject({ city: ['address', 'locality'], name: ['full'], given_name: ['given_name'] });
  });

  test('credentials decide the method unless it is named', () => {
    const method = (settings: object) => upstreamOf(file('generic', { ...settings })).authentication;
    expect(method({})).toEqual({ method: 'client_secret_basic', secret: SECRET });
    expect(method({ token_endpoint_auth_method: 'client_secret_post' })).toMatchObject({
      method: 'client_secret_post',
    });
    expect(method({ client_secret: undefined })).toEqual({
      method: 'private_key_jwt',
      alg: 'RS256',
      audience: 'issuer',
    });
    const keys = { client_secret: undefined, token_endpoint_auth_signing_alg: 'PS256' };
    expect(method({ ...keys, client_assertion_audience: 'token_endpoint' })).toEqual({
      method: 'private_key_jwt',
      alg: 'PS256',
      audience: 'token_endpoint',
    });
  });

  test('HS256 where the secret is long enough for a key', () => {
    const settings = { id_token: { signed_with: ['HS256'] } };
    expect(upstreamOf(file('swissid', settings)).idToken.signedWith).toEqual(['HS256']);
    expect(problemsOf(file('swissid', { ...settings, client_secret: 'too-short-for-a-key' }))).toEqual([
      expect.stringMatching(/^client_secret: must have at least 32/),
    ]);
  });
});

describe('a file is refused', () => {
  test.each<readonly [string, Parameters<typeof file>[0], object, RegExp]>([
    ['another preset’s setting', 'generic', { tenant: '9f3c1c52-7a0e-4a5e-8d0b-2f6f0e9d1a77' }, /^tenant: .*microsoft/],
    ['a service without itsme', 'google', { service: 'X' }, /^service: .*itsme/],
    ['a sandbox nobody knows', 'google', { environment: 'sandbox' }, /^environment: .*no sandbox/],
    [
      'a method the provider does not know',
      'login-gov',
      { token_endpoint_auth_method: 'client_secret_post' },
      /^token_endpoint_auth_method: must be private_key_jwt/,
    ],
    [
      'a method for Apple',
      'apple',
      { token_endpoint_auth_method: 'client_secret_post' },
      /^token_endpoint_auth_method: must be removed/,
    ],
    [
      'keys together with a secret',
      'generic',
      { token_endpoint_auth_method: 'private_key_jwt' },
      /^client_secret: must be removed/,
    ],
    [
      'a secret that is missing',
      'generic',
      { client_secret: undefined, token_endpoint_auth_method: 'client_secret_post' },
      /^client_secret: is missing/,
    ],
    [
      'an algorithm for no assertion',
      'generic',
      { token_endpoint_auth_signing_alg: 'ES256' },
      /^token_endpoint_auth_signing_alg: must be removed/,
    ],
    ['HS256 without a secret', 'itsme', { id_token: { signed_with: ['HS256'] } }, /^id_token: must not hold HS256/],
    [
      'HS256 beside a public key',
      'generic',
      { id_token: { signed_with: ['RS256', 'HS256'] } },
      /^id_token: must hold HS256 alone/,
    ],
    [
      'dir without a secret',
      'itsme',
      { userinfo: { jwt: { signed_with: ['RS256'], encrypted_with: { alg: ['dir'], enc: ['A256GCM'] } } } },
      /^userinfo: must not hold dir/,
    ],
    ['a level told where nobody looks', 'swissid', { userinfo: { fetched: false } }, /^userinfo: must be fetched/],
    [
      'a number beside a subject',
      'itsme',
      { national_number: true, subject: [{ path: 'sub' }] },
      /^national_number: must not stand beside/,
    ],
    [
      'a claim nobody takes',
      'generic',
      { release: { portal: ['name', 'birth_date'] } },
      /^release\.portal\.1: .*did you mean birthdate/,
    ],
    [
      'a national number nobody asks for',
      'itsme',
      { release: { portal: ['national_number'] } },
      /^release\.portal\.0: /,
    ],
    [
      'links by an address that changes hands',
      'microsoft',
      { link: { automatic_by_email: true } },
      /^link\.automatic_by_email: must be false/,
    ],
    [
      'links by an address never verified',
      'itsme',
      { link: { automatic_by_email: true } },
      /^link\.automatic_by_email: must be false/,
    ],
  ])('for %s', (_behaviour, preset, settings, problem) => {
    expect(problemsOf(file(preset, { ...settings }))).toEqual([expect.stringMatching(problem)]);
  });

  test('with everything it lacks at once', () => {
    expect(problemsOf(bare('microsoft')).map((problem) => problem.split(':')[0])).toEqual(['tenant', 'client_secret']);
  });
});

describe('an e-mail address is believed', () => {
  const email = { email: 'a@example.org', email_verified: true };
  test.each<readonly [string, Parameters<typeof isEmailAuthoritative>[0], object, boolean]>([
    ['of a provider that verifies it', 'generic', email, true],
    ['never unverified', 'generic', { ...email, email_verified: false }, false],
    ['never where the flag is text', 'generic', { ...email, email_verified: 'true' }, false],
    ['never without the flag', 'generic', { email: 'a@example.org' }, false],
    ['never of itsme', 'itsme', email, false],
    ['never of Microsoft', 'microsoft', email, false],
    ['not of Google for a domain elsewhere', 'google', email, false],
    ['of Google for gmail.com', 'google', { ...email, email: 'a@gmail.com' }, true],
    ['not of Google for a name that only ends so', 'google', { ...email, email: 'a@notgmail.com' }, false],
    ['of Google for a Workspace', 'google', { ...email, hosted_domain: 'example.org' }, true],
    ['not of Google for an empty Workspace', 'google', { ...email, hosted_domain: '' }, false],
  ])('%s', (_behaviour, preset, claims, expected) => {
    expect(isEmailAuthoritative(preset, { ...claims })).toBe(expected);
  });
});

test('private addresses are vouched for only where the file says so, or on this machine', () => {
  const vouched = (settings: object) => {
    const provider = file('generic', { ...settings });
    return vouchedFor(provider, upstreamOf(provider));
  };
  expect(vouched({})).toEqual([]);
  expect(vouched({ private_network: true })).toEqual(['https://eid.test']);
  expect(vouched({ private_network: true, discovery_url: 'https://inside.test/x' })).toEqual([
    'https://eid.test',
    'https://inside.test',
  ]);
  expect(vouched({ issuer: 'http://localhost:3003' })).toEqual(['http://localhost:3003']);
});
