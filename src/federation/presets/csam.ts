import { issuerOf, levelsAreYours, OPENID, type Preset, STANDARD_MAPPING } from './preset.ts';

const LEVELS = ['enterprise:Level300', 'citizen:Level400', 'Level450', 'Level500'].map(
  (name) => `urn:be:fedict:iam:fas:${name}`,
);

/**
 * CSAM / FAS (Belgium). All of it from community sources, none from the operator's own documentation: have it confirmed
 * before use, and run `vestibule config check --online`. Its claims have names of their own.
 */
export const csam: Preset = {
  name: 'CSAM',
  hasSandbox: true,
  levelNames: LEVELS,
  emailAuthority: 'never',
  demands: () => ({ levels: levelsAreYours(LEVELS) }),
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, {
      production: 'https://idp.iamfas.belgium.be/fas/oauth2',
      sandbox: 'https://idp.iamfas.int.belgium.be/fas/oauth2',
    }),
    methods: ['client_secret_basic'],
    // Known besides, for those who need them: enterprise, roles, certificateInfo.
    scope: 'openid profile citizen',
    userinfo: { fetched: true, jwt: { signedWith: ['RS256'] } },
    subject: [{ path: ['fedid'], confidential: false }],
    nationalNumber: { path: ['egovNRN'], scope: 'egovnrn' },
    mapping: { ...STANDARD_MAPPING, family_name: ['surname'], given_name: ['givenName'], email: ['mail'] },
  }),
};
