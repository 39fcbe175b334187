import { issuerOf, OPENID, type Preset } from './preset.ts';

/**
 * ID Austria. The client_id is an address; scopes are ignored: what is told was agreed at registration. Not certain:
 * names of levels, which claim besides `sub` holds the bPK (a pseudonym for one sector; write it under `subject` if it is
 * another), and the end of sessions, which a public test client uses.
 */
export const idAustria: Preset = {
  name: 'ID Austria',
  hasSandbox: true,
  emailAuthority: 'never',
  demands: () => ({
    levels:
      'is not certain for id-austria: ask for the names of its levels (acr) and list those that count here, lowest first, as {upstream: …, acr: …}, or write [] when none does',
  }),
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, {
      production: 'https://eid.oesterreich.gv.at',
      sandbox: 'https://eid2.oesterreich.gv.at',
    }),
    methods: ['client_secret_post'],
    scope: 'openid',
    logout: { rpInitiated: true, backChannel: false },
  }),
  faults: ({ client_id }) =>
    URL.canParse(client_id) && client_id.startsWith('https:')
      ? {}
      : { client_id: 'must be an address that begins with https://: ID Austria knows its clients by one' },
};
