import { EIDAS_LEVELS } from '../../config/schema/provider.ts';
import { common } from './franceconnect.ts';
import { issuerOf, type Preset } from './preset.ts';

const [, SUBSTANTIAL = '', HIGH = ''] = EIDAS_LEVELS;

/** FranceConnect+ (France): ES256 alone, both tokens encrypted as well. */
export const franceconnectPlus: Preset = {
  name: 'FranceConnect+',
  hasSandbox: true,
  levelNames: ['eidas2', 'eidas3'],
  emailAuthority: 'never',
  facts(file) {
    const protection = {
      signedWith: ['ES256'],
      encryptedWith: { alg: ['ECDH-ES', 'RSA-OAEP-256', 'RSA-OAEP'], enc: ['A256GCM'] },
    };
    return {
      ...common,
      issuer: issuerOf(file, {
        production: 'https://auth.franceconnect.gouv.fr/api/v2',
        sandbox: 'https://auth.integ01.dev-franceconnect.fr/api/v2',
      }),
      assertion: { ...common.assertion, alg: 'ES256' },
      idToken: protection,
      userinfo: { fetched: true, jwt: protection },
      levels: [
        { upstream: 'eidas2', acr: SUBSTANTIAL },
        { upstream: 'eidas3', acr: HIGH },
      ],
    };
  },
};
