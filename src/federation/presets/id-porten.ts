import { EIDAS_LEVELS } from '../../config/schema/provider.ts';
import { issuerOf, OPENID, type Preset } from './preset.ts';

const [, SUBSTANTIAL = '', HIGH = ''] = EIDAS_LEVELS;

/**
 * ID-porten (Norway). Not certain: the issuer of production, and the method. It may answer with a lower level than
 * was asked for: `acr` is compared on return, as everywhere. `sub` is another for each client.
 */
export const idPorten: Preset = {
  name: 'ID-porten',
  hasSandbox: true,
  levelNames: ['idporten-loa-substantial', 'idporten-loa-high'],
  emailAuthority: 'never',
  demands: ({ environment }) => ({
    ...(environment === 'sandbox'
      ? {}
      : {
          issuer:
            'is not certain for id-porten: look in its documentation or ask for the issuer of production (https://idporten.no is said to be it) and write it here',
        }),
    token_endpoint_auth_method:
      'is not certain for id-porten: look up how your client was registered there and write it here, such as private_key_jwt',
  }),
  facts: (file) => ({
    ...OPENID,
    issuer: issuerOf(file, { production: undefined, sandbox: 'https://test.idporten.no' }),
    scope: 'openid profile',
    levels: [
      { upstream: 'idporten-loa-substantial', acr: SUBSTANTIAL },
      { upstream: 'idporten-loa-high', acr: HIGH },
    ],
    nationalNumber: { path: ['pid'] },
  }),
};
