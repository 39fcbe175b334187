import { issuerOf, levelsAreYours, OPENID, type Preset } from './preset.ts';

const LEVELS = ['urn:acr.login.gov:auth-only', 'urn:acr.login.gov:verified'];

/**
 * Login.gov (United States). No secrets: keys alone. `state` and `nonce` of 22 characters at least (ours have 64). How
 * somebody signed in is asked for besides the level, under names such as
 * http://idmanagement.gov/ns/assurance/aal/2?phishing_resistant=true: add it to `acr_values` under `parameters`. There
 * is no single logout.
 */
export const loginGov: Preset = {
  name: 'Login.gov',
  hasSandbox: true,
  levelNames: LEVELS,
  emailAuthority: 'verified',
  demands: () => ({ levels: levelsAreYours(LEVELS) }),
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, {
      production: 'https://secure.login.gov',
      sandbox: 'https://idp.int.identitysandbox.gov',
    }),
    methods: ['private_key_jwt'],
    methodsAreAll: true,
    assertion: { alg: 'RS256', audience: 'token_endpoint' },
    // What else it may ask for goes with the verified level.
    scope: 'openid email',
    parameters: { prompt: 'select_account', acr_values: LEVELS[0] ?? '' },
  }),
};
