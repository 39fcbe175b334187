import type { ClientFile } from '../schema/client.ts';
import { type ClientSubject, clientRule } from './client.ts';
import type { Finding, Rule } from './rule.ts';

type Method = ClientFile['token_endpoint_auth_method'];

const METHOD = 'token_endpoint_auth_method';
const WITH_SECRET: readonly Method[] = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'];
const WITH_CERTIFICATE: readonly Method[] = ['tls_client_auth', 'self_signed_tls_client_auth'];
const WITH_KEYS: readonly Method[] = ['private_key_jwt', 'self_signed_tls_client_auth'];
const SUBJECTS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const usesSecret = (client: ClientFile): boolean => WITH_SECRET.includes(client[METHOD]);
const hasKeys = ({ jwks, jwks_uri }: ClientFile): boolean => jwks !== undefined || jwks_uri !== undefined;

/** How a client proves itself, and what each way needs. */
export const clientAuthenticationRules: readonly Rule<ClientSubject>[] = [
  clientRule(
    [METHOD, 'client_secret'],
    ['client_secret'],
    (client) => usesSecret(client) && client.client_secret === undefined,
    'is missing: this token_endpoint_auth_method needs one, as ${env:NAME} or ${file:/path}. (A public client says token_endpoint_auth_method: none)',
  ),
  clientRule(
    [METHOD, 'client_secret'],
    ['client_secret'],
    (client) => !usesSecret(client) && client.client_secret !== undefined,
    'must be removed: this token_endpoint_auth_method uses none',
  ),
  clientRule(
    [METHOD, 'jwks', 'jwks_uri'],
    [METHOD],
    (client) => WITH_KEYS.includes(client[METHOD]) && !hasKeys(client),
    'needs the client’s public keys: set jwks or jwks_uri',
  ),
  clientRule(
    ['request_object_signing_alg', 'jwks', 'jwks_uri'],
    ['request_object_signing_alg'],
    (client) => client.request_object_signing_alg !== undefined && !hasKeys(client),
    'needs the client’s public keys: set jwks or jwks_uri',
  ),
  clientRule(
    ['jwks', 'jwks_uri'],
    ['jwks_uri'],
    ({ jwks, jwks_uri }) => jwks !== undefined && jwks_uri !== undefined,
    'must not stand beside jwks: one of the two',
  ),
  {
    reads: ['jwks.keys[]'],
    *check({ client: { jwks } }): Generator<Finding> {
      for (const [index, key] of (jwks?.keys ?? []).entries()) {
        if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member))) {
          yield {
            path: ['jwks', 'keys', index],
            message: 'must be a public key only: this one holds its private part',
          };
        }
      }
    },
  },
  clientRule(
    [METHOD, 'token_endpoint_auth_signing_alg'],
    ['token_endpoint_auth_signing_alg'],
    (client) => {
      const { token_endpoint_auth_signing_alg: alg } = client;
      if (alg === undefined) return false;
      if (client[METHOD] === 'client_secret_jwt') return alg !== 'HS256';
      return client[METHOD] !== 'private_key_jwt' || alg === 'HS256';
    },
    'must be HS256 for client_secret_jwt, another one for private_key_jwt, and left out otherwise',
  ),
  clientRule(
    [METHOD, ...SUBJECTS],
    [METHOD],
    (client) =>
      client[METHOD] === 'tls_client_auth' && SUBJECTS.filter((name) => client[name] !== undefined).length !== 1,
    `needs exactly one of ${SUBJECTS.join(', ')}`,
  ),
  clientRule(
    [METHOD],
    [METHOD],
    (client, { features }) => WITH_CERTIFICATE.includes(client[METHOD]) && !features.mtls.enabled,
    'needs client certificates, which are off: set features.mtls.enabled in vestibule.yaml',
    { readsServer: ['features.mtls'] },
  ),
  clientRule(
    ['tls_client_certificate_bound_access_tokens'],
    ['tls_client_certificate_bound_access_tokens'],
    (client, { features }) => client.tls_client_certificate_bound_access_tokens === true && !features.mtls.enabled,
    'needs client certificates, which are off: set features.mtls.enabled in vestibule.yaml',
    { readsServer: ['features.mtls'] },
  ),
  clientRule(
    ['tls_client_certificate_bound_access_tokens', 'dpop_bound_access_tokens'],
    ['dpop_bound_access_tokens'],
    (client) => client.tls_client_certificate_bound_access_tokens === true && client.dpop_bound_access_tokens === true,
    'must not stand beside tls_client_certificate_bound_access_tokens: one of the two',
  ),
  // Nothing else ties the code of a public client to the browser that asked for it (RFC 9700 §2.1.1).
  clientRule(
    [METHOD, 'vestibule.require_pkce'],
    ['vestibule', 'require_pkce'],
    (client) => client[METHOD] === 'none' && !client.vestibule.require_pkce,
    'must not be false for a public client (token_endpoint_auth_method: none)',
  ),
  clientRule(
    [METHOD, 'vestibule.require_pkce'],
    ['vestibule', 'require_pkce'],
    (client) => client[METHOD] !== 'none' && !client.vestibule.require_pkce,
    'waives PKCE: only for a library that can’t send it; a stolen code is then stopped by the client’s own proof alone',
    { warning: true },
  ),
];
