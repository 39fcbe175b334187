import { z } from 'zod';
import { duration, secret, texts, webAddress } from './values.ts';

/** What is known of an upstream before its file says anything; each is a file in `federation/presets/`. */
export const PRESETS = [
  'itsme',
  'franceconnect',
  'franceconnect-plus',
  'swissid',
  'agov',
  'csam',
  'mitid',
  'id-porten',
  'id-austria',
  'singpass',
  'login-gov',
  'google',
  'microsoft',
  'apple',
  'generic',
] as const;

/** Levels of Regulation (EU) 910/2014, lowest first: what an eID may be worth besides the server's own levels. */
export const EIDAS_LEVELS = ['low', 'substantial', 'high'].map((level) => `http://eidas.europa.eu/LoA/${level}`);

/**
 * What this server says itself of a sign-in and of an account (OpenID Connect Core §2, §5.1), and of how a token is meant:
 * whoever could choose one of them at a provider would be somebody else to a portal that goes by it.
 */
export const OWN_CLAIMS = [
  'iss',
  'sub',
  'aud',
  'azp',
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'sid',
  'events',
  'auth_time',
  'acr',
  'amr',
  'at_hash',
  'c_hash',
  's_hash',
  'cnf',
  'act',
  'client_id',
  'scope',
  'preferred_username',
  'email',
  'email_verified',
  'updated_at',
  '_claim_names',
  '_claim_sources',
];

/** `none` is not among them: a token nobody signed says nothing. HS256 is for those who share a secret with us. */
const signature = z.enum([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'HS256',
]);
const keyManagement = z.enum(['RSA-OAEP-256', 'RSA-OAEP', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW', 'dir']);
const contentEncryption = z.enum(['A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512', 'A128GCM', 'A192GCM', 'A256GCM']);

const visible = (what: string) => z.string().regex(/^[\x21-\x7e]{1,512}$/, what);
const acr = visible('a name of a level, without spaces');

const PATH = 'the name of a claim, or a list of names that leads to it, such as [address, locality]';
/** Where a claim stands: a name alone (a URL or a name with dots is one name), or the names on the way. */
const path = z
  .union([z.string().min(1), z.array(z.string().min(1)).nonempty()], { error: PATH })
  .transform((names): readonly string[] => (typeof names === 'string' ? [names] : names))
  .describe('Name of a claim; of a nested one the list of names on the way');

const tokenProtection = z.strictObject({
  signed_with: z.array(signature).nonempty().describe('Algorithms of the signature that are accepted'),
  encrypted_with: z
    .strictObject({
      alg: z.array(keyManagement).nonempty().describe('Ways of encrypting the key'),
      enc: z.array(contentEncryption).nonempty().describe('Ways of encrypting the content'),
    })
    .optional()
    .describe('It must be encrypted to us, with one of these; without this section it must not be'),
});

const claimRequests = z
  .record(z.string(), z.looseObject({}).nullable())
  .optional()
  .describe('Claim → null, or {essential: true}');

const policy = {
  enabled: z.boolean().default(true).describe('false: the button is gone and answers under way are refused'),
  order: z
    .int()
    .min(0)
    .max(1000)
    .default(100)
    .describe('Place among the buttons, lowest first; then by name of the file'),
  clients: z.array(z.string()).optional().describe('Clients whose sign-in pages show the button; default: all'),
  private_network: z
    .boolean()
    .default(false)
    .describe('It stands in the operator’s own network: the host of its issuer may have a private address'),
  link: z
    .strictObject({
      create_accounts: z
        .boolean()
        .default(false)
        .describe('Somebody unknown may make an account with what the provider says of them'),
      automatic_by_email: z
        .boolean()
        .default(false)
        .describe('Link to the account with that e-mail address without proof, where both sides have verified it'),
    })
    .prefault({})
    .describe('What happens with somebody who comes for the first time'),
  release: z
    .record(z.string(), z.array(z.string().min(1)))
    .default({})
    .describe(
      'Client → claims of this provider that it is told, such as {portal: [birthdate]}: for the scope eid, or by name in the claims parameter. No other client is told them, and nothing else of the provider is kept',
    ),
};

/** `providers/<id>.yaml`: what the preset can't know, and what shall be otherwise than it says. */
export const providerSchema = z.strictObject({
  preset: z.enum(PRESETS).describe('What is known of the provider; generic: any OpenID provider'),
  environment: z
    .enum(['production', 'sandbox'])
    .optional()
    .describe('Which of the provider’s systems, where the preset knows both; default: production'),
  ...policy,

  name: z
    .union([z.string().min(1).max(80), texts], { error: 'a name, or one per language such as {fr: …, nl: …}' })
    .optional()
    .describe('On the button and in sentences, one text or one per language; default: the preset’s'),
  logo: z.string().optional().describe('SVG or PNG file on the button, relative to the configuration folder'),

  client_id: visible('text without spaces').describe('Name of this server at the provider'),
  client_secret: secret(8)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII characters only')
    .optional()
    .describe('Shared secret, as ${env:…} or ${file:…}; without one keys are used, published at /external/jwks'),
  token_endpoint_auth_method: z
    .enum(['private_key_jwt', 'client_secret_post', 'client_secret_basic'])
    .optional()
    .describe('How this server proves itself there; default: the preset’s'),
  token_endpoint_auth_signing_alg: z
    .enum(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .optional()
    .describe('Signature of the assertions of private_key_jwt'),
  client_assertion_audience: z
    .enum(['issuer', 'token_endpoint'])
    .optional()
    .describe('aud of the assertions of private_key_jwt: the issuer, or the address of the token endpoint'),

  service: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'the code alone, without service: before it')
    .optional()
    .describe('itsme: code of the service, which becomes the scope service:<code>'),
  tenant: z
    .guid('the directory (tenant) ID: a GUID; common, organizations and names of domains have no issuer of their own')
    .toLowerCase()
    .optional()
    .describe('microsoft: directory (tenant) ID'),
  team_id: z
    .string()
    .regex(/^[A-Z0-9]{10}$/, 'ten capital letters and digits')
    .optional()
    .describe('apple: team ID of the developer account'),
  key_id: z
    .string()
    .regex(/^[A-Z0-9]{10}$/, 'ten capital letters and digits')
    .optional()
    .describe('apple: key ID of private_key'),
  private_key: secret(1).optional().describe('apple: the key (.p8, PEM), as ${file:/path}'),
  national_number: z
    .boolean()
    .optional()
    .describe('People are recognised by their national number, kept as a keyed hash; default: by what the preset says'),

  issuer: webAddress.optional().describe('Issuer of its tokens'),
  discovery_url: webAddress
    .optional()
    .describe('Address of its metadata; default: issuer + /.well-known/openid-configuration'),
  scope: z.string().min(1).max(1000).optional().describe('Scopes asked for, separated by spaces'),
  parameters: z
    .record(visible('text without spaces'), z.string())
    .optional()
    .describe('Further parameters of the authorization request, added to the preset’s'),
  claims: z
    .strictObject({ id_token: claimRequests, userinfo: claimRequests })
    .optional()
    .describe('The claims parameter (OpenID Connect Core §5.5)'),
  response_mode: z.enum(['query', 'form_post']).optional().describe('How the answer comes back'),
  request: z
    .enum(['plain', 'signed', 'pushed'])
    .optional()
    .describe('How the request travels: in the address, as a signed object (RFC 9101), pushed (RFC 9126)'),
  dpop: z.boolean().optional().describe('Tokens bound to a key (RFC 9449)'),
  reauthenticates: z.boolean().optional().describe('It understands prompt=login and max_age, and tells auth_time'),

  id_token: tokenProtection.optional().describe('Protection of the ID token, instead of the preset’s'),
  userinfo: z
    .strictObject({
      fetched: z.boolean().default(true).describe('Whether it is asked at all'),
      jwt: tokenProtection.optional().describe('It is a token with this protection; without this section plain JSON'),
    })
    .optional()
    .describe('The userinfo endpoint, instead of the preset’s'),

  levels: z
    .array(
      z.strictObject({
        upstream: acr.describe('Their acr'),
        acr: acr.describe('What it is worth here: one of assurance.levels, or http://eidas.europa.eu/LoA/…'),
      }),
    )
    .optional()
    .describe('What its levels are worth here, lowest first; one that isn’t named is worth nothing'),
  default_acr: acr
    .optional()
    .describe('What a sign-in is worth of which the provider names no level; default: nothing'),
  asks_level_by: z
    .discriminatedUnion('by', [
      z.strictObject({ by: z.literal('acr_values').describe('As acr_values') }),
      z.strictObject({
        by: z.literal('claims').describe('As an essential claim'),
        claim: z.string().min(1).default('acr').describe('Its name'),
        of: z.enum(['id_token', 'userinfo']).default('id_token').describe('Where it is asked for and told'),
      }),
      z.strictObject({
        by: z.literal('parameter').describe('In a parameter of its own'),
        name: visible('text without spaces').describe('Name of the parameter'),
        value: z
          .string()
          .refine((value) => value.includes('{{level}}'), 'text with {{level}}, which is replaced by the level')
          .describe('Its value; {{level}} is replaced'),
      }),
      z.strictObject({ by: z.literal('nothing').describe('Not at all') }),
    ])
    .optional()
    .describe('How a level is asked for'),

  subject: z
    .array(
      z.strictObject({
        path,
        confidential: z
          .boolean()
          .default(false)
          .describe('A national number or the like: kept as a keyed hash, never in clear'),
      }),
    )
    .nonempty()
    .optional()
    .describe('Claims that together are the same person for ever; default: the preset’s. Never an e-mail address'),
  mapping: z.record(z.string().min(1), path).optional().describe('Our claim → theirs, added to the preset’s'),

  clock_tolerance: duration.optional().describe('How far their clock may be off; default: 10s'),
  logout: z
    .strictObject({
      rp_initiated: z.boolean().optional().describe('Signing out here signs out there (RP-Initiated Logout 1.0)'),
      back_channel: z.boolean().optional().describe('Signing out there signs out here (Back-Channel Logout 1.0)'),
    })
    .prefault({})
    .describe('Signing out, together'),
});

type Settings = z.output<typeof providerSchema>;

/**
 * One file as it stands: settings and policy. What a relying party needs is made of it and its preset by
 * `resolveUpstream` (`federation/presets/`).
 */
export interface ProviderFile extends Settings {
  /** Name of the file without its ending; part of the callback's address. */
  readonly id: string;
}

/** What decides which people and portals may use a provider; the upstream itself knows nothing of it. */
export type ProviderPolicy = Pick<ProviderFile, keyof typeof policy | 'logo'>;
