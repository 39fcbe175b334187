import { z } from 'zod';
import { theme } from './server.ts';
import { language, plainAddress, secret, texts, webAddress } from './values.ts';

const SIGNING = ['RS256', 'ES256', 'EdDSA'] as const;

/** The account area's own `client_id`; no file may take it. */
export const ACCOUNT_AREA = 'vestibule-account';

/** Compared character by character at sign-in, so what is written here is what must be sent. */
const redirectUri = plainAddress(
  z
    .string()
    .max(2000)
    .refine((value) => URL.canParse(value), { error: 'an absolute address', abort: true })
    .refine((value) => !value.includes('#'), 'an address without a fragment (#…)')
    .refine((value) => !value.includes('*'), 'one exact address; there are no wildcards'),
);

/** Our own settings of one relying party; everything else in the file is registration metadata. */
export const vestibuleClient = z.strictObject({
  first_party: z.boolean().default(false).describe('Belongs to the operator: consent is not asked'),
  require_pkce: z.boolean().default(true).describe('PKCE (RFC 7636); may be waived for confidential clients only'),
  refresh_token_without_offline_access: z
    .boolean()
    .default(false)
    .describe('First-party only: a refresh token with every code, bound to the session'),
  minimum_acr: z.string().optional().describe('Least level of assurance, whatever a request asks for'),
  trusted_device_suffices: z
    .boolean()
    .default(false)
    .describe('A trusted device stands in for the second factor even where this client demands one'),
  profile_in_id_token: z.boolean().default(false).describe('Puts the claims of the scopes into the ID token as well'),
  fapi: z.boolean().default(false).describe('Hold this client to the FAPI 2.0 security profile'),
  default_language: language.optional().describe('Language where the browser names none that is offered'),
  help_url: webAddress.optional().describe('Help page of this portal'),
  support_contact: texts.optional().describe('Who helps the people of this portal, per language'),
  notice: texts.optional().describe('Anti-phishing notice on the sign-in pages, per language'),
  theme: theme.prefault({}).describe('Looks of the sign-in pages for this portal'),
});

/** `clients/<client_id>.yaml`: field names of OpenID Connect Dynamic Client Registration 1.0 §2. */
export const clientSchema = z.strictObject({
  client_id: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,128}$/, 'at most 128 letters, digits and . _ ~ -')
    .describe('Name of the client in the protocol; the file is called <client_id>.yaml'),
  client_name: z.string().min(1).max(80).describe('Name people read on the sign-in pages'),
  client_secret: secret(16)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII characters only')
    .optional()
    .describe('Shared secret; as ${env:…} or ${file:…} outside a demo'),
  application_type: z.enum(['web', 'native']).default('web').describe('native: an app on the person’s own device'),
  client_uri: webAddress.optional().describe('Home page of the portal; the way back from error pages'),
  initiate_login_uri: webAddress.optional().describe('Where the portal starts a sign-in that did not begin there'),
  policy_uri: webAddress.optional().describe('Privacy policy'),
  tos_uri: webAddress.optional().describe('Terms of service'),
  contacts: z
    .array(z.email({ error: 'an e-mail address' }))
    .optional()
    .describe('People in charge of the portal'),
  redirect_uris: z.array(redirectUri).default([]).describe('Where people return after signing in; compared exactly'),
  post_logout_redirect_uris: z.array(redirectUri).default([]).describe('Where people may return after signing out'),
  response_types: z
    .array(z.enum(['code', 'id_token', 'code id_token', 'id_token token', 'code token', 'code id_token token', 'none']))
    .default(['code'])
    .describe('What it may ask for; default: code with the grant authorization_code, nothing without'),
  grant_types: z
    .array(
      z.enum([
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'implicit',
        'urn:ietf:params:oauth:grant-type:device_code',
      ]),
    )
    .default(['authorization_code'])
    .describe('How it may obtain tokens'),
  scope: z.string().optional().describe('Scopes it may ask for, separated by spaces; default: all'),
  subject_type: z.enum(['public', 'pairwise']).default('public').describe('pairwise: an own `sub` for this portal'),
  sector_identifier_uri: webAddress.optional().describe('Lists the addresses that share pairwise subjects'),
  token_endpoint_auth_method: z
    .enum([
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
      'none',
    ])
    .default('client_secret_basic')
    .describe('How it proves itself; none: a public client (single-page or native application)'),
  token_endpoint_auth_signing_alg: z
    .enum([...SIGNING, 'Ed25519', 'PS256', 'HS256'])
    .optional()
    .describe('The only algorithm accepted for its client assertions'),
  jwks: z
    .strictObject({
      keys: z.array(z.looseObject({ kty: z.string().describe('Key type') })).describe('JWKs, public parts only'),
    })
    .optional()
    .describe('Public keys of the client'),
  jwks_uri: webAddress.optional().describe('Where its public keys are published'),
  id_token_signed_response_alg: z
    .enum(SIGNING)
    .default('RS256')
    .describe('Signature of its ID tokens; RS256 is understood everywhere'),
  userinfo_signed_response_alg: z.enum(SIGNING).optional().describe('Userinfo as a signed token (JWT)'),
  authorization_signed_response_alg: z.enum(SIGNING).optional().describe('Signature of JARM responses'),
  introspection_signed_response_alg: z.enum(SIGNING).optional().describe('Signature of introspection (RFC 9701)'),
  request_object_signing_alg: z
    .enum([...SIGNING, 'Ed25519', 'PS256'])
    .optional()
    .describe('The only algorithm accepted for its request objects (RFC 9101)'),
  require_signed_request_object: z.boolean().optional().describe('Refuse requests that are not signed (RFC 9101)'),
  require_pushed_authorization_requests: z.boolean().optional().describe('PAR (RFC 9126)'),
  dpop_bound_access_tokens: z.boolean().optional().describe('Tokens bound to a key of the client (RFC 9449)'),
  tls_client_certificate_bound_access_tokens: z
    .boolean()
    .optional()
    .describe('Tokens bound to its certificate (RFC 8705)'),
  tls_client_auth_subject_dn: z.string().optional().describe('Subject its certificate must have'),
  tls_client_auth_san_dns: z.string().optional().describe('Or the DNS name it must be for'),
  tls_client_auth_san_uri: z.string().optional().describe('Or the URI it must be for'),
  tls_client_auth_san_ip: z.string().optional().describe('Or the IP address it must be for'),
  tls_client_auth_san_email: z.string().optional().describe('Or the e-mail address it must be for'),
  default_max_age: z.int().positive().optional().describe('Seconds after which a sign-in must be repeated'),
  require_auth_time: z.boolean().optional().describe('auth_time in every ID token'),
  default_acr_values: z.array(z.string()).optional().describe('Assurance asked for when the portal asks nothing'),
  backchannel_logout_uri: webAddress.optional().describe('Told when the person signs out elsewhere'),
  backchannel_logout_session_required: z.boolean().optional().describe('Its logout tokens must name the session'),
  vestibule: vestibuleClient.prefault({}).describe('Settings of Vestibule’s own'),
});

export type ClientFile = z.output<typeof clientSchema>;
export type ClientSettings = z.output<typeof vestibuleClient>;
