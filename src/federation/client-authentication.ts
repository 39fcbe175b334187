import { importPKCS8, SignJWT } from 'jose';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, modifyAssertion, PrivateKeyJwt } from 'openid-client';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { UpstreamMetadata } from './discovery.ts';
import type { UpstreamKeys } from './keys.ts';
import type { ClientAuthentication, Upstream } from './upstream.ts';

/** Seconds. Apple allows six months; what is made anew each day need not be remembered when a key is revoked. */
const APPLE_SECRET_LIFETIME = 86_400;
const APPLE_SECRET_RENEWED_BEFORE = 3_600;

type Apple = Extract<ClientAuthentication, { method: 'apple' }>;

/**
 * How this server proves at an upstream's endpoints that it is the client (OpenID Connect Core §9).
 *
 * @throws (the function) Error when a key is missing or malformed; nothing of it is in the message
 */
export function createClientAuthentication(deps: {
  upstream: Upstream;
  keys: UpstreamKeys;
  clock: Clock;
}): (metadata: UpstreamMetadata) => Promise<ClientAuth> {
  const { upstream, keys, clock } = deps;
  const { authentication } = upstream;
  switch (authentication.method) {
    case 'client_secret_post':
      return async () => ClientSecretPost(authentication.secret);
    case 'client_secret_basic':
      return async () => ClientSecretBasic(authentication.secret);
    case 'private_key_jwt':
      return async ({ issuer, token_endpoint }) =>
        PrivateKeyJwt(await keys.signingKey(authentication.alg), {
          [modifyAssertion]: (header, payload) => {
            // The library names Ed25519 by RFC 9864; upstreams list it by its older name.
            header.alg = authentication.alg;
            payload.aud = authentication.audience === 'issuer' ? issuer : token_endpoint;
          },
        });
    case 'apple': {
      const secret = appleSecret(authentication, upstream, clock);
      return async () => ClientSecretPost(await secret());
    }
  }
}

/** The JWT that Apple takes as client secret, kept until shortly before its end. */
function appleSecret(apple: Apple, { issuer, clientId }: Upstream, clock: Clock): () => Promise<string> {
  let kept: { readonly secret: Promise<string>; readonly expiresAt: number } | undefined;
  const make = async (now: number): Promise<string> =>
    new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: apple.keyId })
      .setIssuer(apple.teamId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setIssuedAt(now)
      .setExpirationTime(now + APPLE_SECRET_LIFETIME)
      .sign(await importPKCS8(apple.privateKey, 'ES256'));
  return () => {
    const now = epochSeconds(clock);
    if (!kept || now > kept.expiresAt - APPLE_SECRET_RENEWED_BEFORE) {
      kept = { secret: make(now), expiresAt: now + APPLE_SECRET_LIFETIME };
    }
    return kept.secret;
  };
}
