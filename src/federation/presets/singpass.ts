import { issuerOf, levelsAreYours, OPENID, type Preset } from './preset.ts';

const LEVELS = ['urn:singpass:authentication:loa:2'];

/**
 * Singpass (Singapore), its FAPI 2.0 profile: pushed requests, PKCE and DPoP are mandatory, the ID token is encrypted and
 * holds everything, `iss` comes with the answer. Its `state` has at most 255 characters (ours has 64). Not certain:
 * signature of the ID token other than ES256, and the scope that brings `sub_attributes`.
 */
export const singpass: Preset = {
  name: 'Singpass',
  hasSandbox: true,
  levelNames: LEVELS,
  emailAuthority: 'never',
  demands: () => ({ levels: levelsAreYours(LEVELS) }),
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, {
      production: 'https://id.singpass.gov.sg/fapi',
      sandbox: 'https://stg-id.singpass.gov.sg/fapi',
    }),
    methods: ['private_key_jwt'],
    methodsAreAll: true,
    // FAPI 2.0 security profile §5.3.2.1: the issuer, as text.
    assertion: { alg: 'ES256', audience: 'issuer' },
    scope: 'openid',
    parameters: { authentication_context_type: 'APP_AUTHENTICATION_DEFAULT' },
    request: 'pushed',
    dpop: true,
    idToken: {
      signedWith: ['ES256'],
      encryptedWith: { alg: ['ECDH-ES+A256KW'], enc: ['A256CBC-HS512'] },
    },
    userinfo: { fetched: false },
    asksLevelBy: { by: 'nothing' },
    nationalNumber: { path: ['sub_attributes', 'identity_number'] },
  }),
  faults: (_file, { request, dpop }) => ({
    ...(request === 'pushed' ? {} : { request: 'must be pushed: Singpass takes no other requests' }),
    ...(dpop ? {} : { dpop: 'must be true: Singpass binds tokens to a key' }),
  }),
};
