import { describe, test } from '@jest/globals';
import { type ClientRow, expectOneClientProblem } from './folder.ts';

const PUBLIC_KEY =
  '{ kty: EC, crv: P-256, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 }';
/** Says "no client_secret" to the minimum of the tests. */
const NO_SECRET = '#client_secret: none\n';
const PUBLIC = `${NO_SECRET}token_endpoint_auth_method: none\n`;

const REFUSED: readonly ClientRow[] = [
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
];

describe('a client file refuses', () => {
  test.each(REFUSED)('%s', (_behaviour, yaml, path, message, serverYaml = '') => {
    expectOneClientProblem(yaml, path, message, serverYaml);
  });
});
