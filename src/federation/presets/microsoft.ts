import { OPENID, type Preset } from './preset.ts';

/**
 * Microsoft Entra, one directory. Somebody is `tid` and `oid` together, the same for every application of the
 * operator, while `sub` is another for each. The e-mail address is whatever an administrator of any directory typed: nobody
 * is ever linked by it. `common` and its like have metadata with a placeholder for an issuer, and let everybody in.
 */
export const microsoft: Preset = {
  name: 'Microsoft',
  hasSandbox: false,
  own: ['tenant'],
  emailAuthority: 'never',
  demands: () => ({
    tenant:
      'is missing: the directory (tenant) ID whose people may come, a GUID; Entra shows it on the overview of the directory',
  }),
  facts: ({ tenant }) => ({
    ...OPENID,
    issuer: tenant && `https://login.microsoftonline.com/${tenant}/v2.0`,
    methods: ['client_secret_post', 'client_secret_basic'],
    // The ID token holds everything; userinfo is another service.
    userinfo: { fetched: false },
    asksLevelBy: { by: 'nothing' },
    subject: [
      { path: ['tid'], confidential: false },
      { path: ['oid'], confidential: false },
    ],
  }),
  faults: ({ issuer }) =>
    issuer !== undefined && /\/(common|organizations|consumers)(\/|$)/.test(issuer)
      ? { issuer: 'must be that of one directory: set tenant, and leave the issuer out' }
      : {},
};
