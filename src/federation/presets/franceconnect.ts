import { EIDAS_LEVELS, type ProviderFile } from '../../config/schema/provider.ts';
import { type Facts, issuerOf, OPENID, type Preset, STANDARD_MAPPING } from './preset.ts';

const [LOW = ''] = EIDAS_LEVELS;

/** There `preferred_username` is the name in use (of a married person, say), not a user name. */
const { preferred_username: _nameInUse, ...MAPPING } = STANDARD_MAPPING;

/**
 * What FranceConnect and FranceConnect+ have in common. `state`, `nonce` (22 characters at least; ours have 64) and
 * `acr_values` are mandatory; pushed requests are off. Their code lives 30 seconds, their tokens 60: they are redeemed at
 * once. Signing out needs the decrypted ID token as hint, and one that has `at_hash`. `sub` is another for each client.
 */
export const common: Omit<Facts, 'issuer' | 'levels'> = {
  ...OPENID,
  methods: ['client_secret_post', 'private_key_jwt'],
  methodsAreAll: true,
  alwaysAsksLevel: true,
  mapping: MAPPING,
  logout: { rpInitiated: true, backChannel: false },
};

/** FranceConnect v2 (France). */
export const franceconnect: Preset = {
  name: 'FranceConnect',
  hasSandbox: true,
  levelNames: ['eidas1'],
  emailAuthority: 'never',
  facts(file: ProviderFile) {
    const protection = { signedWith: ['ES256', 'RS256'] };
    return {
      ...common,
      issuer: issuerOf(file, {
        production: 'https://oidc.franceconnect.gouv.fr/api/v2',
        sandbox: 'https://fcp-low.sbx.dev-franceconnect.fr/api/v2',
      }),
      idToken: protection,
      userinfo: { fetched: true, jwt: protection },
      levels: [{ upstream: 'eidas1', acr: LOW }],
    };
  },
};
