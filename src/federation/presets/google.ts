import { OPENID, type Preset, STANDARD_MAPPING } from './preset.ts';

/**
 * Google. It is the authority on an e-mail address only for gmail.com and for a Workspace, which its `hd` claim names
 * (`email-authority.ts`); of any other address it knows that somebody once read a mail there. The ID token holds
 * everything.
 */
export const google: Preset = {
  name: 'Google',
  hasSandbox: false,
  emailAuthority: 'hosted',
  facts: () => ({
    ...OPENID,
    issuer: 'https://accounts.google.com',
    methods: ['client_secret_post', 'client_secret_basic'],
    methodsAreAll: true,
    userinfo: { fetched: false },
    asksLevelBy: { by: 'nothing' },
    mapping: { ...STANDARD_MAPPING, hosted_domain: ['hd'] },
  }),
};
