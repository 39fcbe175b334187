import { describe, expect, test } from '@jest/globals';
import { PRESETS, type ProviderFile } from '../../../../src/config/schema/provider.ts';
import { requestParameters } from '../../../../src/federation/authorization-request.ts';
import { PRESET } from '../../../../src/federation/presets/presets.ts';
import { bare, file, problemsOf, TENANT, upstreamOf } from './files.ts';

type Preset = ProviderFile['preset'];

/** One row of docs/eid-providers.md, written from the document and not from the presets. */
interface Row {
  /** Test system, then production; undefined where the document has a `?` or the operator alone knows. */
  readonly issuers: readonly [sandbox: string | undefined, production: string | undefined];
  /** Methods the document names; `secret` where it says no more than that. */
  readonly method: 'private_key_jwt' | 'client_secret_post' | 'client_secret_basic' | 'secret' | 'apple';
  readonly alg?: string;
  readonly audience?: 'issuer' | 'token_endpoint';
  readonly idToken: {
    readonly signed: readonly string[];
    readonly alg?: readonly string[];
    readonly enc?: readonly string[];
  };
  /** As the ID token, signed only, plain JSON, or not asked. */
  readonly userinfo: 'as the ID token' | 'signed' | 'plain' | 'none';
  /** Scopes the request must have. */
  readonly scopes: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly request?: 'pushed';
  readonly dpop?: true;
  readonly responseMode?: 'form_post';
  /** Their names, lowest first. */
  readonly levels: readonly string[];
  readonly subject: readonly string[];
  readonly nationalNumber?: readonly string[];
  readonly logout: readonly [rpInitiated: boolean, backChannel: boolean];
  /** Settings the file must have, as the document is not sure or can't know. */
  readonly demanded: readonly string[];
}

const EIDAS = 'http://eidas.europa.eu/LoA';
const NOTHING = { parameters: {}, levels: [], logout: [false, false] } as const;
const RS256 = { signed: ['RS256'] };

const FACTS: Readonly<Record<Preset, Row>> = {
  itsme: {
    ...NOTHING,
    issuers: ['https://idp.e2e.itsme.services/v2', 'https://idp.prd.itsme.services/v2'],
    method: 'private_key_jwt',
    alg: 'RS256',
    audience: 'token_endpoint',
    idToken: { ...RS256, alg: ['RSA-OAEP-256'], enc: ['A128CBC-HS256'] },
    userinfo: 'as the ID token',
    scopes: ['openid', 'service:LEMAC', 'profile'],
    levels: ['http://itsme.services/v2/claim/acr_basic', 'http://itsme.services/v2/claim/acr_advanced'],
    subject: ['sub'],
    nationalNumber: ['http://itsme.services/v2/claim/BENationalNumber'],
    demanded: ['service', 'levels'],
  },
  csam: {
    ...NOTHING,
    issuers: ['https://idp.iamfas.int.belgium.be/fas/oauth2', 'https://idp.iamfas.belgium.be/fas/oauth2'],
    method: 'client_secret_basic',
    idToken: RS256,
    userinfo: 'signed',
    scopes: ['profile', 'citizen'],
    levels: [
      'urn:be:fedict:iam:fas:enterprise:Level300',
      'urn:be:fedict:iam:fas:citizen:Level400',
      'urn:be:fedict:iam:fas:Level450',
      'urn:be:fedict:iam:fas:Level500',
    ],
    subject: ['fedid'],
    nationalNumber: ['egovNRN'],
    demanded: ['levels', 'client_secret'],
  },
  franceconnect: {
    ...NOTHING,
    issuers: ['https://fcp-low.sbx.dev-franceconnect.fr/api/v2', 'https://oidc.franceconnect.gouv.fr/api/v2'],
    method: 'client_secret_post',
    idToken: { signed: ['ES256', 'RS256'] },
    userinfo: 'as the ID token',
    scopes: ['openid'],
    parameters: { acr_values: 'eidas1' },
    levels: ['eidas1'],
    subject: ['sub'],
    logout: [true, false],
    demanded: [],
  },
  'franceconnect-plus': {
    ...NOTHING,
    issuers: ['https://auth.integ01.dev-franceconnect.fr/api/v2', 'https://auth.franceconnect.gouv.fr/api/v2'],
    method: 'client_secret_post',
    idToken: { signed: ['ES256'], alg: ['ECDH-ES', 'RSA-OAEP', 'RSA-OAEP-256'], enc: ['A256GCM'] },
    userinfo: 'as the ID token',
    scopes: ['openid'],
    parameters: { acr_values: 'eidas2' },
    levels: ['eidas2', 'eidas3'],
    subject: ['sub'],
    logout: [true, false],
    demanded: [],
  },
  swissid: {
    ...NOTHING,
    issuers: ['https://login.sandbox.pre.swissid.ch/idp/oauth2', 'https://login.swissid.ch/idp/oauth2'],
    method: 'client_secret_basic',
    idToken: RS256,
    userinfo: 'signed',
    scopes: ['openid'],
    levels: ['qor0', 'qor1', 'qor2'],
    subject: ['sub'],
    demanded: ['levels', 'client_secret'],
  },
  agov: {
    ...NOTHING,
    issuers: [undefined, undefined],
    method: 'secret',
    idToken: RS256,
    userinfo: 'plain',
    scopes: ['profile', 'email', 'agovProfile'],
    levels: [100, 200, 300, 400, 500, 600].map((step) => `urn:qa.agov.ch:names:tc:ac:classes:${step}`),
    subject: ['sub'],
    demanded: ['issuer', 'levels', 'client_secret'],
  },
  mitid: {
    ...NOTHING,
    issuers: ['https://pp.netseidbroker.dk/op', 'https://netseidbroker.dk/op'],
    method: 'secret',
    idToken: RS256,
    userinfo: 'plain',
    scopes: ['openid'],
    parameters: { idp_params: '{"mitid":{"loa_value":"substantial"}}' },
    levels: ['https://data.gov.dk/concept/core/nsis/Substantial'],
    subject: ['mitid.uuid'],
    nationalNumber: ['dk.cpr'],
    logout: [false, true],
    demanded: ['client_secret'],
  },
  'id-porten': {
    ...NOTHING,
    issuers: ['https://test.idporten.no', undefined],
    method: 'private_key_jwt',
    alg: 'RS256',
    idToken: RS256,
    userinfo: 'plain',
    scopes: ['openid'],
    levels: ['idporten-loa-substantial', 'idporten-loa-high'],
    subject: ['sub'],
    nationalNumber: ['pid'],
    demanded: ['issuer', 'token_endpoint_auth_method'],
  },
  'id-austria': {
    ...NOTHING,
    issuers: ['https://eid2.oesterreich.gv.at', 'https://eid.oesterreich.gv.at'],
    method: 'client_secret_post',
    idToken: RS256,
    userinfo: 'plain',
    scopes: ['openid'],
    subject: ['sub'],
    logout: [true, false],
    demanded: ['levels', 'client_secret'],
  },
  singpass: {
    ...NOTHING,
    issuers: ['https://stg-id.singpass.gov.sg/fapi', 'https://id.singpass.gov.sg/fapi'],
    method: 'private_key_jwt',
    alg: 'ES256',
    idToken: { signed: ['ES256'], alg: ['ECDH-ES+A256KW'], enc: ['A256CBC-HS512'] },
    userinfo: 'none',
    scopes: ['openid'],
    parameters: { authentication_context_type: 'APP_AUTHENTICATION_DEFAULT' },
    request: 'pushed',
    dpop: true,
    levels: ['urn:singpass:authentication:loa:2'],
    subject: ['sub'],
    nationalNumber: ['sub_attributes', 'identity_number'],
    demanded: ['levels'],
  },
  'login-gov': {
    ...NOTHING,
    issuers: ['https://idp.int.identitysandbox.gov', 'https://secure.login.gov'],
    method: 'private_key_jwt',
    alg: 'RS256',
    idToken: RS256,
    userinfo: 'plain',
    scopes: ['openid'],
    parameters: { prompt: 'select_account', acr_values: 'urn:acr.login.gov:auth-only' },
    levels: ['urn:acr.login.gov:auth-only', 'urn:acr.login.gov:verified'],
    subject: ['sub'],
    demanded: ['levels'],
  },
  google: {
    ...NOTHING,
    issuers: [undefined, 'https://accounts.google.com'],
    method: 'secret',
    idToken: RS256,
    userinfo: 'none',
    scopes: ['openid', 'email'],
    subject: ['sub'],
    demanded: ['client_secret'],
  },
  microsoft: {
    ...NOTHING,
    issuers: [undefined, `https://login.microsoftonline.com/${TENANT}/v2.0`],
    method: 'secret',
    idToken: RS256,
    userinfo: 'none',
    scopes: ['openid', 'profile'],
    subject: ['tid', 'oid'],
    demanded: ['tenant', 'client_secret'],
  },
  apple: {
    ...NOTHING,
    issuers: [undefined, 'https://appleid.apple.com'],
    method: 'apple',
    idToken: RS256,
    userinfo: 'none',
    scopes: ['openid', 'name', 'email'],
    responseMode: 'form_post',
    subject: ['sub'],
    demanded: ['team_id', 'key_id', 'private_key'],
  },
  generic: {
    ...NOTHING,
    issuers: [undefined, undefined],
    method: 'secret',
    idToken: RS256,
    userinfo: 'plain',
    scopes: ['openid', 'profile', 'email'],
    subject: ['sub'],
    demanded: ['issuer', 'name'],
  },
};

const ROWS = Object.entries(FACTS) as [Preset, Row][];
const VALUES = {
  callback: 'https://login.test/external/x/callback',
  state: 'a'.repeat(64),
  nonce: 'b'.repeat(64),
  codeChallenge: 'c'.repeat(43),
};
const SECRETS = ['client_secret_post', 'client_secret_basic'];

test('every preset has its row', () => {
  expect(Object.keys(FACTS).toSorted()).toEqual([...PRESETS].toSorted());
});

describe.each(ROWS)('%s', (preset, row) => {
  test('is at the issuers of the document', () => {
    const [sandbox, production] = row.issuers;
    if (production) expect(upstreamOf(file(preset)).issuer).toBe(production);
    if (sandbox) {
      const settings = { environment: 'sandbox', issuer: undefined };
      expect(upstreamOf(file(preset, settings)).issuer).toBe(sandbox);
    }
    // Where only one system is known, nobody may believe to be using another.
    expect(PRESET[preset].hasSandbox).toBe(sandbox !== undefined || preset === 'agov');
  });

  test('knows clients as the document says', () => {
    const { authentication } = upstreamOf(file(preset));
    if (row.method === 'secret') expect(SECRETS).toContain(authentication.method);
    else expect(authentication.method).toBe(row.method);
    if (row.alg) expect(authentication).toMatchObject({ alg: row.alg });
    if (row.audience) expect(authentication).toMatchObject({ audience: row.audience });
  });

  test('protects tokens as the document says', () => {
    const { idToken, userinfo } = upstreamOf(file(preset));
    const expected = {
      signedWith: expect.arrayContaining([...row.idToken.signed]),
      ...(row.idToken.alg
        ? { encryptedWith: { alg: expect.arrayContaining([...row.idToken.alg]), enc: row.idToken.enc } }
        : {}),
    };
    expect(idToken).toEqual(expected);
    expect(idToken.signedWith).toHaveLength(row.idToken.signed.length);
    expect(idToken.encryptedWith?.alg ?? []).toHaveLength(row.idToken.alg?.length ?? 0);
    const asked = {
      'as the ID token': { fetched: true, jwt: expected },
      signed: { fetched: true, jwt: { signedWith: ['RS256'] } },
      plain: { fetched: true },
      none: { fetched: false },
    };
    expect(userinfo).toEqual(asked[row.userinfo]);
  });

  test('is asked as the document says', () => {
    const { scope, parameters, request, dpop, responseMode } = upstreamOf(file(preset));
    expect(scope.split(' ')).toEqual(expect.arrayContaining(['openid', ...row.scopes]));
    expect(scope).toMatch(/^\S+( \S+)*$/);
    expect(parameters).toEqual(row.parameters);
    expect({ request, dpop, responseMode }).toEqual({
      request: row.request ?? 'plain',
      dpop: row.dpop ?? false,
      responseMode: row.responseMode ?? 'query',
    });
  });

  test('sends exactly these parameters, and values of the length every provider wants', () => {
    const sent = requestParameters(upstreamOf(file(preset)), {}, VALUES);
    const { scope, state = '', nonce = '', ...others } = sent;
    expect(others).toEqual({
      ...row.parameters,
      ...(row.responseMode ? { response_mode: row.responseMode } : {}),
      response_type: 'code',
      client_id: preset === 'id-austria' ? 'https://portal.test/' : 'client',
      redirect_uri: VALUES.callback,
      code_challenge: VALUES.codeChallenge,
      code_challenge_method: 'S256',
    });
    expect(scope).toBe(upstreamOf(file(preset)).scope);
    expect([state, nonce]).toEqual([VALUES.state, VALUES.nonce]);
  });

  test('has the levels of the document, lowest first', () => {
    expect(PRESET[preset].levelNames ?? []).toEqual(row.levels);
  });

  test('recognises people by what the document says', () => {
    const { subject } = upstreamOf(file(preset));
    expect(subject).toEqual(row.subject.map((name) => ({ path: [name], confidential: false })));
    if (row.nationalNumber) {
      const byNumber = upstreamOf(file(preset, { national_number: true }));
      expect(byNumber.subject).toEqual([{ path: row.nationalNumber, confidential: true }]);
    } else {
      expect(problemsOf(file(preset, { national_number: true }))).toEqual([
        expect.stringMatching(/^national_number: must be removed/),
      ]);
    }
  });

  test('ends sessions as far as the document says', () => {
    const [rpInitiated, backChannel] = row.logout;
    expect(upstreamOf(file(preset)).logout).toEqual({ rpInitiated, backChannel });
  });

  test('demands what nobody could confirm, with a sentence', () => {
    const settings = preset === 'id-austria' ? { client_id: 'https://portal.test/' } : {};
    const problems = problemsOf(bare(preset, settings)).map((problem) => problem.split(': ')[0]);
    // A secret is asked for where no key would do.
    const secret = ['franceconnect', 'franceconnect-plus'].includes(preset) ? [] : row.demanded;
    expect(problems.toSorted()).toEqual([...secret].toSorted());
    for (const problem of problemsOf(bare(preset, settings)))
      expect(problem).toMatch(/: is (missing|not certain).{40,}/);
  });
});

describe('a level is asked for', () => {
  const both = [`${EIDAS}/substantial`, `${EIDAS}/high`];
  const qor2 = [{ upstream: 'qor2', acr: `${EIDAS}/substantial` }];
  const advanced = 'http://itsme.services/v2/claim/acr_advanced';
  test.each<[Preset, object, readonly string[], object]>([
    ['franceconnect-plus', {}, [`${EIDAS}/high`], { acr_values: 'eidas3' }],
    ['franceconnect-plus', {}, both, { acr_values: 'eidas2 eidas3' }],
    ['id-porten', {}, [`${EIDAS}/high`], { acr_values: 'idporten-loa-high' }],
    ['itsme', { levels: [{ upstream: advanced, acr: 'phr' }] }, ['phr'], { acr_values: advanced }],
    [
      'swissid',
      { levels: qor2 },
      [`${EIDAS}/substantial`],
      { claims: '{"userinfo":{"urn:swissid:qor":{"essential":true,"value":"qor2"}}}' },
    ],
    ['mitid', {}, [`${EIDAS}/substantial`], { idp_params: '{"mitid":{"loa_value":"substantial"}}' }],
    [
      'singpass',
      { levels: [{ upstream: 'urn:singpass:authentication:loa:2', acr: 'phr' }] },
      ['phr'],
      { authentication_context_type: 'APP_AUTHENTICATION_DEFAULT' },
    ],
    [
      'login-gov',
      {
        levels: [{ upstream: 'urn:acr.login.gov:verified', acr: 'phr' }],
        parameters: { acr_values: 'urn:acr.login.gov:verified' },
      },
      ['phr'],
      { acr_values: 'urn:acr.login.gov:verified', prompt: 'select_account' },
    ],
  ])('of %s', (preset, settings, acr, expected) => {
    const upstream = upstreamOf(file(preset, { ...settings }));
    expect(requestParameters(upstream, { acr }, VALUES)).toMatchObject(expected);
  });
});

describe('what levels are worth', () => {
  test.each<[Preset, readonly (readonly [string, string])[]]>([
    ['franceconnect', [['eidas1', `${EIDAS}/low`]]],
    [
      'franceconnect-plus',
      [
        ['eidas2', `${EIDAS}/substantial`],
        ['eidas3', `${EIDAS}/high`],
      ],
    ],
    [
      'id-porten',
      [
        ['idporten-loa-substantial', `${EIDAS}/substantial`],
        ['idporten-loa-high', `${EIDAS}/high`],
      ],
    ],
    ['mitid', [['https://data.gov.dk/concept/core/nsis/Substantial', `${EIDAS}/substantial`]]],
    ['google', []],
    ['microsoft', []],
    ['apple', []],
    ['generic', []],
  ])('%s', (preset, levels) => {
    expect(upstreamOf(file(preset)).levels).toEqual(levels.map(([upstream, acr]) => ({ upstream, acr })));
  });

  test('SwissID tells them in a claim of userinfo and is asked there', () => {
    expect(upstreamOf(file('swissid')).asksLevelBy).toEqual({
      by: 'claims',
      claim: 'urn:swissid:qor',
      of: 'userinfo',
    });
  });
});

describe('itsme', () => {
  test('with a secret is the older service, whose tokens are encrypted with that secret', () => {
    const settings = { client_secret: 'a-secret-of-a-partner' };
    const production = upstreamOf(file('itsme', settings));
    expect(production.issuer).toBe('https://oidc.prd.itsme.services/clientsecret-oidc/csapi/v0.1');
    expect(production.authentication).toEqual({ method: 'client_secret_post', secret: 'a-secret-of-a-partner' });
    expect(production.idToken.encryptedWith).toEqual({ alg: ['dir'], enc: ['A256GCM'] });
    expect(production.userinfo.jwt).toEqual(production.idToken);
    const sandbox = upstreamOf(file('itsme', { ...settings, environment: 'sandbox' }));
    expect(sandbox.issuer).toBe('https://oidc.e2e.itsme.services/clientsecret-oidc/csapi/v0.1');
  });

  test('asks for the national number only where people are recognised by it', () => {
    const claim = 'http://itsme.services/v2/claim/BENationalNumber';
    expect(upstreamOf(file('itsme')).claims).toBeUndefined();
    expect(upstreamOf(file('itsme')).scope.split(' ')).not.toContain('eid');
    const { claims, scope, mapping } = upstreamOf(file('itsme', { national_number: true }));
    expect(claims).toEqual({ userinfo: { [claim]: { essential: true } } });
    expect(scope.split(' ')).toContain('eid');
    // It is carried along only where somebody may be told.
    expect(Object.values(mapping).flat()).not.toContain(claim);
    const released = file('itsme', { national_number: true, release: { fund: ['national_number'] } });
    expect(upstreamOf(released).mapping.national_number).toEqual([claim]);
  });
});

describe('each by itself', () => {
  test('Apple’s secret is made of team, key and its identifier', () => {
    expect(upstreamOf(file('apple')).authentication).toMatchObject({
      method: 'apple',
      teamId: 'ABCDE12345',
      keyId: 'FGHIJ67890',
    });
  });

  test('Apple answers with a form only when name or e-mail is asked for', () => {
    expect(upstreamOf(file('apple', { scope: 'openid' })).responseMode).toBe('query');
    expect(problemsOf(file('apple', { response_mode: 'query' }))).toEqual([
      expect.stringMatching(/^response_mode: must be form_post/),
    ]);
  });

  test('Microsoft takes no tenant but a directory', () => {
    for (const tenant of ['common', 'organizations', 'consumers', 'contoso.onmicrosoft.com']) {
      expect(() => file('microsoft', { tenant })).toThrow(/GUID/);
    }
    const issuer = 'https://login.microsoftonline.com/common/v2.0';
    expect(problemsOf(file('microsoft', { issuer }))).toEqual([expect.stringMatching(/^issuer: must be that of one/)]);
  });

  test('ID Austria knows a client by an address', () => {
    expect(problemsOf(file('id-austria', { client_id: 'portal' }))).toEqual([
      expect.stringMatching(/^client_id: must be an address/),
    ]);
  });

  test('Singpass is not asked otherwise than pushed and bound', () => {
    expect(problemsOf(file('singpass', { request: 'plain', dpop: false }))).toEqual([
      expect.stringMatching(/^request: must be pushed/),
      expect.stringMatching(/^dpop: must be true/),
    ]);
  });

  test('FranceConnect is never asked without a level', () => {
    expect(problemsOf(file('franceconnect', { levels: [] }))).toEqual([
      expect.stringMatching(/^levels: must not be empty/),
    ]);
    const high = [{ upstream: 'eidas3', acr: `${EIDAS}/high` }];
    expect(upstreamOf(file('franceconnect-plus', { levels: high })).parameters).toEqual({ acr_values: 'eidas3' });
  });

  test('FranceConnect and Login.gov take keys', () => {
    const keys = { client_secret: undefined };
    expect(upstreamOf(file('franceconnect', keys)).authentication).toMatchObject({ method: 'private_key_jwt' });
    expect(upstreamOf(file('franceconnect-plus', keys)).authentication).toMatchObject({ alg: 'ES256' });
    expect(problemsOf(file('login-gov', { client_secret: 'no-secrets-there' }))).toEqual([
      expect.stringMatching(/^client_secret: must be removed/),
    ]);
  });

  test('CSAM’s claims have names of their own', () => {
    expect(upstreamOf(file('csam')).mapping).toMatchObject({
      family_name: ['surname'],
      given_name: ['givenName'],
      email: ['mail'],
    });
  });
});
