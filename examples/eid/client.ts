import type { ClientMetadata } from 'oidc-provider';
import { CLAIMS_BY_SCOPE } from './citizens.ts';

/** Name of the provider's file at Vestibule (`../config/providers/demo-eid.yaml`): part of the addresses below. */
const PROVIDER = 'demo-eid';

/** The one relying party, with the algorithms itsme asks for. @param vestibule its address, without a slash at the end */
export function vestibuleAsClient(vestibule: string): ClientMetadata {
  const addresses = `${vestibule}/external/${PROVIDER}`;
  return {
    client_id: 'vestibule-demo',
    client_name: 'Vestibule',
    redirect_uris: [`${addresses}/callback`],
    post_logout_redirect_uris: [`${addresses}/logged-out`],
    backchannel_logout_uri: `${addresses}/logout`,
    backchannel_logout_session_required: true,
    response_types: ['code'],
    grant_types: ['authorization_code'],
    scope: Object.keys(CLAIMS_BY_SCOPE).join(' '),
    subject_type: 'pairwise',
    require_auth_time: true,
    // No secret: it proves itself by its key, and what it is told is encrypted to another of its keys.
    jwks_uri: `${vestibule}/external/jwks`,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'RS256',
    id_token_signed_response_alg: 'RS256',
    id_token_encrypted_response_alg: 'RSA-OAEP-256',
    id_token_encrypted_response_enc: 'A128CBC-HS256',
    userinfo_signed_response_alg: 'RS256',
    userinfo_encrypted_response_alg: 'RSA-OAEP-256',
    userinfo_encrypted_response_enc: 'A128CBC-HS256',
  };
}
