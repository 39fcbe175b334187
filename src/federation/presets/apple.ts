import { OPENID, type Preset } from './preset.ts';

const isPosted = (scope: string): boolean => /(^| )(name|email)( |$)/.test(scope);

/**
 * Sign in with Apple. Its secret is a token signed with a key from the developer account (ES256, six months at most).
 * Name and e-mail come only with `form_post`; the name once, at the first sign-in, beside the code. `email_verified` may
 * be text. There is no userinfo.
 */
export const apple: Preset = {
  name: 'Apple',
  hasSandbox: false,
  own: ['team_id', 'key_id', 'private_key'],
  emailAuthority: 'verified',
  demands: () => ({
    team_id: 'is missing: the ten characters that Apple’s developer account shows as Team ID',
    key_id: 'is missing: the ten characters that Apple shows beside the key for Sign in with Apple',
    private_key:
      'is missing: the key (.p8) downloaded from Apple, as ${file:/path}; it signs what Apple takes as client secret',
  }),
  facts(file) {
    const scope = file.scope ?? 'openid name email';
    return {
      ...OPENID,
      issuer: 'https://appleid.apple.com',
      methods: [],
      methodsAreAll: true,
      scope,
      responseMode: isPosted(scope) ? 'form_post' : 'query',
      userinfo: { fetched: false },
      asksLevelBy: { by: 'nothing' },
    };
  },
  faults: (_file, { scope, responseMode }) =>
    isPosted(scope) && responseMode !== 'form_post'
      ? { response_mode: 'must be form_post: Apple refuses the scopes name and email without it' }
      : {},
};
