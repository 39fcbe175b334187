import { EIDAS_LEVELS } from '../../config/schema/provider.ts';
import { issuerOf, OPENID, type Preset } from './preset.ts';

const [, SUBSTANTIAL = ''] = EIDAS_LEVELS;

/**
 * MitID (Denmark) through Nets eID Broker. Its level is asked for in a parameter under another name than it is told
 * by; only Substantial is known by both, so that is what is always asked for. Not certain: method (a secret was seen).
 * It refuses browsers that are built into apps.
 */
export const mitid: Preset = {
  name: 'MitID',
  hasSandbox: true,
  levelNames: ['https://data.gov.dk/concept/core/nsis/Substantial'],
  emailAuthority: 'never',
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, {
      production: 'https://netseidbroker.dk/op',
      sandbox: 'https://pp.netseidbroker.dk/op',
    }),
    methods: ['client_secret_basic', 'client_secret_post'],
    scope: 'openid mitid',
    parameters: { idp_params: JSON.stringify({ mitid: { loa_value: 'substantial' } }) },
    levels: [{ upstream: 'https://data.gov.dk/concept/core/nsis/Substantial', acr: SUBSTANTIAL }],
    asksLevelBy: { by: 'nothing' },
    // One name each, with a dot in it.
    subject: [{ path: ['mitid.uuid'], confidential: false }],
    nationalNumber: { path: ['dk.cpr'], scope: 'ssn' },
    logout: { rpInitiated: false, backChannel: true },
  }),
};
