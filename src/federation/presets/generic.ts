import { OPENID, type Preset } from './preset.ts';

/** Any OpenID provider: what OpenID Connect Core makes mandatory is relied upon, the rest is for the file to say. */
export const generic: Preset = {
  hasSandbox: false,
  emailAuthority: 'verified',
  demands: () => ({
    issuer: 'is missing: the preset generic knows no provider. Ask for the issuer of its tokens and write it here',
    name: 'is missing: the preset generic has no name. Write what people call this provider',
  }),
  facts: () => ({
    ...OPENID,
    // What newer servers insist on; older ones may need token_endpoint.
    assertion: { alg: 'RS256', audience: 'issuer' },
    // Core §15.1 makes prompt, max_age and auth_time mandatory.
    reauthenticates: true,
  }),
};
