import { describe, expect, test } from '@jest/globals';
import { type ClientRow, check, client, expectOneClientProblem, markedLine, server } from './folder.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const PUBLIC_KEY =
  '{ kty: EC, crv: P-256, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 }';
/** Says "no client_secret" to the minimum of the tests. */
const NO_SECRET = '#client_secret: none\n';
const PUBLIC = `${NO_SECRET}token_endpoint_auth_method: none\n`;

const REFUSED: readonly ClientRow[] = [
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
    'a FAPI client with a shared secret',
    'token_endpoint_auth_method: client_secret_basic # !\nid_token_signed_response_alg: ES256\nvestibule: { fapi: true }',
    'token_endpoint_auth_method',
    /private_key_jwt/,
  ],
  [
    'a FAPI client whose ID tokens are signed RS256',
    `${NO_SECRET}token_endpoint_auth_method: private_key_jwt\njwks: { keys: [${PUBLIC_KEY}] }\nid_token_signed_response_alg: RS256 # !\nvestibule: { fapi: true }`,
    'id_token_signed_response_alg',
    /ES256/,
  ],
  [
    'a FAPI client with hybrid responses',
    `${NO_SECRET}token_endpoint_auth_method: private_key_jwt\njwks: { keys: [${PUBLIC_KEY}] }\nid_token_signed_response_alg: ES256\ngrant_types: [authorization_code, implicit]\nresponse_types: [code, "code id_token"] # !\nvestibule: { fapi: true }`,
    'response_types',
    /\[code\]/,
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
    expectOneClientProblem(yaml, path, message, serverYaml);
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
      'a FAPI client that proves a key',
      `${NO_SECRET}token_endpoint_auth_method: private_key_jwt\njwks: { keys: [${PUBLIC_KEY}] }\nid_token_signed_response_alg: ES256\nvestibule: { fapi: true }`,
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
