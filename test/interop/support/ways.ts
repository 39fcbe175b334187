import { HIGH, LOW, SUBSTANTIAL } from '../../support/external.ts';
import { LEVELS, type Registration } from './realm.ts';

/** Part of `providers/<id>.yaml`. */
export type Settings = Readonly<Record<string, unknown>>;

export interface Way extends Registration {
  /** For the name of the test. */
  readonly what: string;
  readonly file: Settings;
}

// Made for each: a configuration file has no aliases, which is what the same object twice becomes in YAML.
const rsa = () => ({ alg: ['RSA-OAEP-256'], enc: ['A128CBC-HS256'] });
const ecdh = () => ({ alg: ['ECDH-ES'], enc: ['A256GCM'] });

/** Ways to speak with the same Keycloak: what its client is told, and what our file says. One provider each. */
export const WAYS: readonly Way[] = [
  {
    provider: 'keycloak',
    what: 'private_key_jwt, signed and encrypted ID token and userinfo (RSA)',
    attributes: {
      'token.endpoint.auth.signing.alg': 'RS256',
      'id.token.signed.response.alg': 'RS256',
      'id.token.encrypted.response.alg': 'RSA-OAEP-256',
      'id.token.encrypted.response.enc': 'A128CBC-HS256',
      'user.info.response.signature.alg': 'RS256',
      'user.info.encrypted.response.alg': 'RSA-OAEP-256',
      'user.info.encrypted.response.enc': 'A128CBC-HS256',
    },
    file: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'RS256',
      client_assertion_audience: 'issuer',
      id_token: { signed_with: ['RS256'], encrypted_with: rsa() },
      userinfo: { jwt: { signed_with: ['RS256'], encrypted_with: rsa() } },
    },
  },
  {
    provider: 'pushed',
    what: 'a pushed request, tokens bound to a key (DPoP), ES256 both ways, the answer by form_post',
    attributes: {
      'token.endpoint.auth.signing.alg': 'ES256',
      'require.pushed.authorization.requests': 'true',
      'dpop.bound.access.tokens': 'true',
      'id.token.signed.response.alg': 'ES256',
    },
    file: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      request: 'pushed',
      dpop: true,
      response_mode: 'form_post',
      id_token: { signed_with: ['ES256'] },
    },
  },
  {
    provider: 'signed',
    what: 'a signed request (PS256), ID token and userinfo encrypted by ECDH-ES',
    attributes: {
      'token.endpoint.auth.signing.alg': 'PS256',
      'request.object.signature.alg': 'PS256',
      'request.object.required': 'request only',
      'id.token.signed.response.alg': 'PS256',
      'id.token.encrypted.response.alg': 'ECDH-ES',
      'id.token.encrypted.response.enc': 'A256GCM',
      'user.info.response.signature.alg': 'PS256',
      'user.info.encrypted.response.alg': 'ECDH-ES',
      'user.info.encrypted.response.enc': 'A256GCM',
    },
    file: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      request: 'signed',
      id_token: { signed_with: ['PS256'], encrypted_with: ecdh() },
      userinfo: { jwt: { signed_with: ['PS256'], encrypted_with: ecdh() } },
    },
  },
  {
    provider: 'secret',
    what: 'a shared secret (client_secret_basic), plain userinfo',
    over: { clientAuthenticatorType: 'client-secret', secret: 'a secret with : and % in it' },
    file: {
      client_secret: 'a secret with : and % in it',
      token_endpoint_auth_method: 'client_secret_basic',
      // One more than Keycloak knows: what comes of it when it answers with less than it was asked for.
      levels: [
        { upstream: LEVELS.low, acr: LOW },
        { upstream: LEVELS.substantial, acr: SUBSTANTIAL },
        { upstream: 'high', acr: HIGH },
      ],
    },
  },
];
