import { isLoopbackAddress } from '../loopback.ts';
import { ACCOUNT_AREA, type ClientFile } from '../schema/client.ts';
import { EIDAS_LEVELS } from '../schema/provider.ts';
import { type ClientSubject, clientRule } from './client.ts';
import type { Rule } from './rule.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const GRANTS = ['response_types', 'grant_types'];

const answersWith = ({ response_types }: ClientFile, part: string): boolean =>
  response_types.some((type) => type.split(' ').includes(part));
const isImplicit = (client: ClientFile): boolean => answersWith(client, 'id_token') || answersWith(client, 'token');
const granted = ({ grant_types }: ClientFile, ...grants: readonly ClientFile['grant_types'][number][]): boolean =>
  grants.some((grant) => grant_types.includes(grant));

/** Which grants go with which response types, and what they need. */
export const clientGrantRules: readonly Rule<ClientSubject>[] = [
  // Nobody could ever sign in there.
  clientRule(
    ['vestibule.minimum_acr'],
    ['vestibule', 'minimum_acr'],
    ({ vestibule }, { assurance }) =>
      vestibule.minimum_acr !== undefined &&
      ![...assurance.levels.map(({ acr }) => acr), ...EIDAS_LEVELS].includes(vestibule.minimum_acr),
    'is none of assurance.levels in vestibule.yaml, nor a level of eIDAS that an external provider vouches for',
    { readsServer: ['assurance'] },
  ),
  clientRule(
    ['client_id'],
    ['client_id'],
    ({ client_id }) => client_id === ACCOUNT_AREA,
    'is taken: it is the name of the account area itself',
  ),
  clientRule(
    ['redirect_uris', ...GRANTS],
    ['redirect_uris'],
    (client) =>
      client.redirect_uris.length === 0 &&
      (client.response_types.length > 0 || granted(client, 'authorization_code', 'implicit')),
    'must hold at least one address: with these response_types and grant_types people are sent back there',
  ),
  clientRule(
    GRANTS,
    ['grant_types'],
    (client) => isImplicit(client) && !granted(client, 'implicit'),
    'must contain implicit: response_types asks for tokens straight from the authorization endpoint',
  ),
  clientRule(
    GRANTS,
    ['response_types'],
    (client) => granted(client, 'implicit') && !isImplicit(client),
    'must contain one with id_token or token, such as "code id_token": grant_types contains implicit. Or remove that grant',
  ),
  clientRule(
    GRANTS,
    ['grant_types'],
    (client) => answersWith(client, 'code') && !granted(client, 'authorization_code'),
    'must contain authorization_code: response_types asks for codes',
  ),
  clientRule(
    GRANTS,
    ['response_types'],
    (client) => granted(client, 'authorization_code') && !answersWith(client, 'code'),
    'must contain one with code: grant_types contains authorization_code. Or remove that grant',
  ),
  // Tokens in the address of a page on this machine can be read by any program that listens there.
  clientRule(
    ['redirect_uris[]', 'grant_types', 'application_type'],
    ['redirect_uris'],
    (client) =>
      client.application_type === 'web' &&
      granted(client, 'implicit') &&
      client.redirect_uris.some((address) => isLoopbackAddress(address)),
    'must be https and not on a loopback host with the implicit grant (OpenID Connect Registration §2)',
  ),
  // FAPI 2.0 security profile §5.3.2: codes alone, clients that prove a key, and no RS256.
  clientRule(
    ['vestibule.fapi', 'token_endpoint_auth_method'],
    ['token_endpoint_auth_method'],
    ({ vestibule, token_endpoint_auth_method }) =>
      vestibule.fapi &&
      !['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'].includes(token_endpoint_auth_method),
    'must be private_key_jwt or mutual TLS: vestibule.fapi holds this client to FAPI 2.0',
  ),
  clientRule(
    ['vestibule.fapi', 'response_types'],
    ['response_types'],
    ({ vestibule, response_types }) => vestibule.fapi && response_types.some((type) => type !== 'code'),
    'must be [code]: vestibule.fapi holds this client to FAPI 2.0',
  ),
  clientRule(
    ['vestibule.fapi', 'id_token_signed_response_alg'],
    ['id_token_signed_response_alg'],
    ({ vestibule, id_token_signed_response_alg }) => vestibule.fapi && id_token_signed_response_alg === 'RS256',
    'must be ES256 or EdDSA: vestibule.fapi holds this client to FAPI 2.0, which excludes RS256',
  ),
  clientRule(
    ['grant_types'],
    ['grant_types'],
    (client, { features }) => granted(client, DEVICE) && !features.device_flow.enabled,
    'contains the device code grant, which is off: set features.device_flow.enabled in vestibule.yaml',
    { readsServer: ['features.device_flow'] },
  ),
  // A third party would get tokens that outlive the visit without the person having been asked.
  clientRule(
    ['vestibule.refresh_token_without_offline_access', 'vestibule.first_party'],
    ['vestibule', 'refresh_token_without_offline_access'],
    ({ vestibule }) => vestibule.refresh_token_without_offline_access && !vestibule.first_party,
    'is for the operator’s own portals: it needs vestibule.first_party',
  ),
  clientRule(
    ['vestibule.refresh_token_without_offline_access', 'grant_types'],
    ['vestibule', 'refresh_token_without_offline_access'],
    (client) => client.vestibule.refresh_token_without_offline_access && !granted(client, 'refresh_token'),
    'needs refresh_token among grant_types',
  ),
  clientRule(
    ['vestibule.default_language'],
    ['vestibule', 'default_language'],
    ({ vestibule }, { languages }) =>
      vestibule.default_language !== undefined && !languages.offered.includes(vestibule.default_language),
    'must be one of languages.offered in vestibule.yaml',
    { readsServer: ['languages'] },
  ),
];
