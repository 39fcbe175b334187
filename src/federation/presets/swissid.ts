import { issuerOf, levelsAreYours, OPENID, type Preset } from './preset.ts';

const QUALITY = 'urn:swissid:qor';
const LEVELS = ['qor0', 'qor1', 'qor2'];

/**
 * SwissID (Switzerland). How well somebody's identity was verified (`qor`) is a claim of userinfo and is asked for as
 * one. Not certain: what its `acr` means (qoa1, qoa2 and loa-1 were seen), and the method, seen as
 * client_secret_basic. A client may be set up for HS256 there; then say so under `id_token`. Its step-up at an address
 * of its own is not built.
 */
export const swissid: Preset = {
  name: 'SwissID',
  hasSandbox: true,
  levelNames: LEVELS,
  emailAuthority: 'verified',
  demands: () => ({ levels: levelsAreYours(LEVELS) }),
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, {
      production: 'https://login.swissid.ch/idp/oauth2',
      sandbox: 'https://login.sandbox.pre.swissid.ch/idp/oauth2',
    }),
    methods: ['client_secret_basic'],
    userinfo: { fetched: true, jwt: { signedWith: ['RS256'] } },
    asksLevelBy: { by: 'claims', claim: QUALITY, of: 'userinfo' },
  }),
};
