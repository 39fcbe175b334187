import { ACCOUNT_AREA, type ClientFile, clientSchema } from '../config/schema/client.ts';

/** Where the account area comes back to after its own sign-in. */
export const ACCOUNT_RETURN = '/account/return';

/**
 * The account area is a relying party like others, so that signing in there is the same journey with
 * the same policy. It reads the session itself and needs no token: `response_type=none` (OAuth 2.0
 * Multiple Response Type Encoding Practices §4).
 */
export const accountArea = (issuer: string, name: string): ClientFile =>
  clientSchema.parse({
    client_id: ACCOUNT_AREA,
    client_name: name,
    client_uri: `${issuer}/account`,
    token_endpoint_auth_method: 'none',
    redirect_uris: [`${issuer}${ACCOUNT_RETURN}`],
    response_types: ['none'],
    grant_types: [],
    scope: 'openid',
    vestibule: { first_party: true },
  });

/**
 * @param demands `maxAge`: seconds since the last proof of identity; `acr`: least level of assurance
 * @param state where to go on afterwards, opaque to the protocol
 * @returns path that has the person sign in as far as that is still needed
 */
export function accountSignIn(
  issuer: string,
  state: string,
  demands: { maxAge?: number; acr?: string | undefined } = {},
): string {
  const query = new URLSearchParams({
    client_id: ACCOUNT_AREA,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}${ACCOUNT_RETURN}`,
    state,
    ...(demands.maxAge === undefined ? {} : { max_age: String(demands.maxAge) }),
    ...(demands.acr === undefined ? {} : { acr_values: demands.acr }),
  });
  return `/auth?${query}`;
}
