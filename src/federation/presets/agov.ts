import { levelsAreYours, OPENID, type Preset } from './preset.ts';

// 400 stands for a verified AHV number; the steps between 100 and 600 are assumed to be whole hundreds.
const LEVELS = [100, 200, 300, 400, 500, 600].map((step) => `urn:qa.agov.ch:names:tc:ac:classes:${step}`);

/**
 * AGOV (Switzerland). Certain: scopes, form of the levels, a shared secret (keys were not supported in 2025). Not
 * certain: the issuer, and the name of the claim with the AHV number, which comes with the scope svnr after approval.
 */
export const agov: Preset = {
  name: 'AGOV',
  hasSandbox: true,
  levelNames: LEVELS,
  emailAuthority: 'verified',
  demands: () => ({
    issuer:
      'is not certain for agov: ask those who registered your client for the issuer (https://idp.agov.admin.ch/ was seen) and write it here',
    levels: levelsAreYours(LEVELS),
  }),
  facts: () => ({
    ...OPENID,
    methods: ['client_secret_basic', 'client_secret_post'],
    scope: 'openid profile email agovProfile',
  }),
};
