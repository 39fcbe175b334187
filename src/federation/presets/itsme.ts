import { levelsAreYours, methodOf, OPENID, type Preset } from './preset.ts';

const CLAIM = 'http://itsme.services/v2/claim';
const LEVELS = [`${CLAIM}/acr_basic`, `${CLAIM}/acr_advanced`];
const HOST = { production: 'prd', sandbox: 'e2e' };

/**
 * itsme (Belgium). Certain: issuers, methods, encryption of both tokens, names of the levels. Not certain:
 * whether its ID token tells `acr` (the published sample doesn't), whether it ends sessions (so `logout` is off), and
 * the encryption of clients with a secret, known from a sample alone. Its userinfo is declared as JSON though it is a
 * JWE, and it asks for our keys at /external/jwks: they must be public, and are cached there up to a day.
 */
export const itsme: Preset = {
  name: 'itsme',
  hasSandbox: true,
  own: ['service'],
  levelNames: LEVELS,
  // `email_verified` is always false.
  emailAuthority: 'never',
  demands: () => ({
    service:
      'is missing: itsme knows each use by the code of a service; ask itsme for yours and write it here, without service: before it',
    levels: levelsAreYours(LEVELS),
  }),
  facts(file) {
    const methods = ['private_key_jwt', 'client_secret_post'] as const;
    const host = HOST[file.environment ?? 'production'];
    const isOlder = methodOf(file, methods) !== 'private_key_jwt';
    const protection = {
      signedWith: ['RS256'],
      encryptedWith: isOlder ? { alg: ['dir'], enc: ['A256GCM'] } : { alg: ['RSA-OAEP-256'], enc: ['A128CBC-HS256'] },
    };
    return {
      ...OPENID,
      issuer: isOlder
        ? `https://oidc.${host}.itsme.services/clientsecret-oidc/csapi/v0.1`
        : `https://idp.${host}.itsme.services/v2`,
      methods,
      methodsAreAll: true,
      assertion: { alg: 'RS256', audience: 'token_endpoint' },
      scope: `openid service:${file.service ?? ''} profile email`,
      idToken: protection,
      userinfo: { fetched: true, jwt: protection },
      // `sub` changes when somebody makes a new account there; the national number does not.
      nationalNumber: {
        path: [`${CLAIM}/BENationalNumber`],
        scope: 'eid',
        claims: { userinfo: { [`${CLAIM}/BENationalNumber`]: { essential: true } } },
      },
    };
  },
};
