import { describe, expect, test } from '@jest/globals';
import { check, client, inFile, markedLine, server } from './folder.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const PUBLIC_KEY =
  '{ kty: EC, crv: P-256, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 }';

/** Says "no client_secret" to the minimum of the tests. */
const NO_SECRET = '#client_secret: none\n';
const PUBLIC = `${NO_SECRET}token_endpoint_auth_method: none\n`;

/** What is wrong in `clients/portal.yaml`, on the line marked `# !`; and settings of the server. */
type Row = readonly [behaviour: string, yaml: string, path: string, message: RegExp, serverYaml?: string];

const REFUSED: readonly Row[] = [
  // grants
  ['codes without an address to return to', 'redirect_uris: [] # !', 'redirect_uris', /at least one address/],
  [
    'the grant authorization_code without an address to return to',
    'response_types: [none]\ngrant_types: []\nredirect_uris: [] # !',
    'redirect_uris',
    /at least one address/,
  ],
  [
    'implicit response types without the grant',
    'response_types: ["code id_token"]\ngrant_types: [authorization_code] # !',
    'grant_types',
    /must contain implicit/,
  ],
  [
    'the implicit grant without a response type',
    'grant_types: [authorization_code, implicit]\nresponse_types: [code] # !',
    'response_types',
    /id_token or token/,
  ],
  [
    'codes without the grant authorization_code',
    'response_types: [code]\ngrant_types: [refresh_token] # !',
    'grant_types',
    /authorization_code/,
  ],
  [
    'the grant authorization_code without codes',
    'grant_types: [authorization_code]\nresponse_types: [none] # !',
    'response_types',
    /with code/,
  ],
  [
    'the implicit grant on a loopback host',
    'redirect_uris: [http://localhost/cb] # !\ngrant_types: [implicit]\nresponse_types: [id_token]',
    'redirect_uris',
    /implicit grant/,
  ],
  [
    'the device grant while it is off',
    `grant_types: # !\n  - authorization_code\n  - ${DEVICE}`,
    'grant_types',
    /device_flow\.enabled/,
  ],
  [
    'refresh tokens unasked for a third party',
    'grant_types: [authorization_code, refresh_token]\nvestibule:\n  refresh_token_without_offline_access: true # !',
    'vestibule.refresh_token_without_offline_access',
    /first_party/,
  ],
  [
    'refresh tokens unasked without the grant',
    'vestibule:\n  first_party: true\n  refresh_token_without_offline_access: true # !',
    'vestibule.refresh_token_without_offline_access',
    /refresh_token among grant_types/,
  ],
  [
    'a language that is not offered',
    'vestibule:\n  default_language: it # !',
    'vestibule.default_language',
    /languages\.offered/,
    'languages: { offered: [en, fr] }',
  ],
  // authentication
  [
    'no secret where one is used',
    `${NO_SECRET}token_endpoint_auth_method: client_secret_post`,
    'client_secret',
    /is missing/,
  ],
  [
    'a secret where none is used',
    'token_endpoint_auth_method: none\nclient_secret: ${env:SECRET} # !',
    'client_secret',
    /must be removed/,
  ],
  [
    'private_key_jwt without keys',
    `${NO_SECRET}token_endpoint_auth_method: private_key_jwt # !`,
    'token_endpoint_auth_method',
    /jwks or jwks_uri/,
  ],
  [
    'signed requests without keys',
    'request_object_signing_alg: ES256 # !',
    'request_object_signing_alg',
    /jwks or jwks_uri/,
  ],
  [
    'keys in two places',
    `jwks: { keys: [${PUBLIC_KEY}] }\njwks_uri: https://portal.test/jwks # !`,
    'jwks_uri',
    /beside jwks/,
  ],
  [
    'a private key',
    'jwks:\n  keys:\n    - { kty: OKP, crv: Ed25519, x: AA, d: AA } # !',
    'jwks.keys[0]',
    /public key only/,
  ],
  ['a symmetric key', 'jwks:\n  keys:\n    - { kty: oct, k: AA } # !', 'jwks.keys[0]', /public key only/],
  [
    'an asymmetric algorithm for a shared secret',
    'token_endpoint_auth_method: client_secret_jwt\ntoken_endpoint_auth_signing_alg: ES256 # !',
    'token_endpoint_auth_signing_alg',
    /HS256/,
  ],
  [
    'a signing algorithm where nothing is signed',
    'token_endpoint_auth_signing_alg: ES256 # !',
    'token_endpoint_auth_signing_alg',
    /left out/,
  ],
  [
    'a certificate while certificates are off',
    `${NO_SECRET}tls_client_auth_san_dns: portal.test\ntoken_endpoint_auth_method: tls_client_auth # !`,
    'token_endpoint_auth_method',
    /mtls\.enabled/,
  ],
  [
    'a self-signed certificate while certificates are off',
    `${NO_SECRET}jwks_uri: https://portal.test/jwks\ntoken_endpoint_auth_method: self_signed_tls_client_auth # !`,
    'token_endpoint_auth_method',
    /mtls\.enabled/,
  ],
  [
    'tokens bound to certificates while they are off',
    'tls_client_certificate_bound_access_tokens: true # !',
    'tls_client_certificate_bound_access_tokens',
    /mtls\.enabled/,
  ],
  [
    'a certificate without the name it must bear',
    `${NO_SECRET}token_endpoint_auth_method: tls_client_auth # !`,
    'token_endpoint_auth_method',
    /exactly one of/,
    'proxy: { trusted: [127.0.0.1] }\nfeatures: { mtls: { enabled: true } }',
  ],
  [
    'tokens bound in two ways',
    'tls_client_certificate_bound_access_tokens: true\ndpop_bound_access_tokens: true # !',
    'dpop_bound_access_tokens',
    /one of the two/,
    'proxy: { trusted: [127.0.0.1] }\nfeatures: { mtls: { enabled: true } }',
  ],
  [
    'a public client without PKCE',
    `${PUBLIC}vestibule:\n  require_pkce: false # !`,
    'vestibule.require_pkce',
    /public client/,
  ],
  ['a demo secret', 'client_secret: portal-demo-secret # !', 'client_secret', /development secret/],
  ['a secret from an example', 'client_secret: an-Example-secret-1 # !', 'client_secret', /development secret/],
  ['a secret to be changed', 'client_secret: please-changeme-now # !', 'client_secret', /development secret/],
  // addresses
  [
    'plain http',
    'redirect_uris:\n  - https://portal.test/cb\n  - http://portal.test/cb # !',
    'redirect_uris[1]',
    /https:\/\//,
  ],
  [
    'plain http after signing out',
    'post_logout_redirect_uris:\n  - http://portal.test/ # !',
    'post_logout_redirect_uris[0]',
    /https:\/\//,
  ],
  [
    'a scheme of its own for a web application',
    'redirect_uris:\n  - com.portal.app:/cb # !',
    'redirect_uris[0]',
    /native/,
  ],
  [
    'a scheme without a domain',
    'application_type: native\nredirect_uris:\n  - portal:/cb # !',
    'redirect_uris[0]',
    /with a dot/,
  ],
  [
    'a scheme that runs what it holds',
    'application_type: native\nredirect_uris:\n  - "javascript:alert(1)" # !',
    'redirect_uris[0]',
    /private-use/,
  ],
  [
    'https on loopback for a native application',
    'application_type: native\nredirect_uris:\n  - https://localhost/cb # !',
    'redirect_uris[0]',
    /native applications use http/,
  ],
  ['a user part', 'redirect_uris:\n  - https://a@portal.test/cb # !', 'redirect_uris[0]', /user part/],
  [
    'a user part behind a backslash',
    'redirect_uris:\n  - https:\\\\a@portal.test/cb # !',
    'redirect_uris[0]',
    /backslash/,
  ],
  ['an empty user part', 'redirect_uris:\n  - https://@portal.test/cb # !', 'redirect_uris[0]', /user part/],
  ['a fragment', 'redirect_uris:\n  - "https://portal.test/cb#x" # !', 'redirect_uris[0]', /fragment/],
  ['a wildcard', 'redirect_uris:\n  - https://*.portal.test/cb # !', 'redirect_uris[0]', /wildcards/],
  ['no address at all', 'redirect_uris:\n  - callback # !', 'redirect_uris[0]', /absolute address/],
  ['keys fetched over plain http', 'jwks_uri: http://portal.test/jwks # !', 'jwks_uri', /https:\/\//],
  [
    'logout tokens over plain http',
    'backchannel_logout_uri: http://portal.test/out # !',
    'backchannel_logout_uri',
    /https:\/\//,
  ],
  [
    'a sector over plain http',
    'sector_identifier_uri: http://localhost/sector # !',
    'sector_identifier_uri',
    /https:\/\//,
  ],
  [
    'a sign-in started over plain http',
    'initiate_login_uri: http://localhost/start # !',
    'initiate_login_uri',
    /https:\/\//,
  ],
  [
    'pairwise subjects on several hosts without a sector',
    'subject_type: pairwise\nredirect_uris: [https://a.test/, https://b.test/]',
    'sector_identifier_uri',
    /is missing/,
  ],
  // files
  [
    'a logo that does not exist',
    'vestibule:\n  theme:\n    logo: none.png # !',
    'vestibule.theme.logo',
    /does not exist/,
  ],
  // names
  ['a file of another name', 'client_id: portel # !', 'client_id', /name of its file/],
];

describe('a client file refuses', () => {
  test.each(REFUSED)('%s', (_behaviour, yaml, path, message, serverYaml = '') => {
    const files = { ...server(serverYaml), ...client(yaml) };
    const { problems, config, directory } = check(files);
    expect(inFile(problems, directory, 'clients/portal.yaml')).toEqual(problems);
    expect(problems.find((problem) => problem.path === path && message.test(problem.message))).toBeDefined();
    expect(problems).toHaveLength(1);
    // What is missing is reported at the head of the file.
    if (/is missing/.test(message.source)) expect(problems[0]?.line).toBe(1);
    else expect(problems[0]?.line).toBe(markedLine(files, 'clients/portal.yaml'));
    expect(config).toBeUndefined();
  });

  test('two files with one client_id, naming the other file', () => {
    const { problems, directory } = check({ ...client('client_id: b\n', 'a'), ...client('', 'b') });
    expect(problems).toMatchObject([
      {
        file: `${directory}/clients/a.yaml`,
        line: 4,
        path: 'client_id',
        message: expect.stringMatching(/name of its file/),
      },
      { file: `${directory}/clients/b.yaml`, line: 1, path: 'client_id', message: expect.stringMatching(/a\.yaml/) },
    ]);
  });

  test('an ending that would not be read', () => {
    const { problems, directory } = check({ 'clients/portal.yml': '' });
    expect(problems).toMatchObject([
      { file: `${directory}/clients/portal.yml`, line: 1, message: expect.stringMatching(/portal\.yaml/) },
    ]);
  });
});

describe('a client file accepts', () => {
  test.each<readonly [string, string, string?]>([
    ['the minimum', ''],
    [
      'loopback addresses over http',
      'redirect_uris: [http://localhost:1/cb, "http://127.0.0.1/cb", "http://[::1]/cb"]',
    ],
    ['a private-use scheme', `${PUBLIC}application_type: native\nredirect_uris: ["com.portal.app:/cb"]`],
    ['a public client', PUBLIC],
    ['hybrid response types', 'response_types: [code, "code id_token"]\ngrant_types: [authorization_code, implicit]'],
    [
      'the device grant when it is on',
      `grant_types: ["${DEVICE}"]\nredirect_uris: []`,
      'features: { device_flow: { enabled: true } }',
    ],
    ['keys of its own', `${NO_SECRET}token_endpoint_auth_method: private_key_jwt\njwks: { keys: [${PUBLIC_KEY}] }`],
    [
      'implicit on loopback in development',
      'redirect_uris: [http://localhost/cb]\ngrant_types: [implicit]\nresponse_types: [id_token]',
      'development: {}',
    ],
    ['a demo secret in development', 'client_secret: portal-demo-secret', 'development: {}'],
    [
      'refresh tokens unasked for the operator’s own portal',
      'grant_types: [authorization_code, refresh_token]\nvestibule: { first_party: true, refresh_token_without_offline_access: true }',
    ],
  ])('%s', (_behaviour, yaml, serverYaml = '') => {
    const { problems, warnings } = check({ ...server(serverYaml), ...client(yaml) });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test('client_credentials alone: no response type is assumed then', () => {
    const { config } = check(client('grant_types: [client_credentials]\nredirect_uris: []'));
    expect(config?.clients[0]?.response_types).toEqual([]);
    expect(check(client('')).config?.clients[0]?.response_types).toEqual(['code']);
  });
});

describe('a client file warns about', () => {
  test('a confidential client without PKCE', () => {
    const files = client('vestibule:\n  require_pkce: false # !');
    const { warnings, config } = check(files);
    expect(config).toBeDefined();
    expect(warnings).toMatchObject([
      {
        line: markedLine(files, 'clients/portal.yaml'),
        path: 'vestibule.require_pkce',
        message: expect.stringMatching(/PKCE/),
      },
    ]);
  });

  test('a literal secret, without showing it', () => {
    const files = client('client_secret: 5e884898da28047151d0 # !');
    const { warnings, config } = check(files);
    expect(config).toBeDefined();
    expect(warnings).toMatchObject([
      {
        line: markedLine(files, 'clients/portal.yaml'),
        path: 'client_secret',
        message: expect.stringMatching(/\$\{env:NAME\}/),
      },
    ]);
    expect(JSON.stringify(warnings)).not.toContain('5e884898');
  });
});
