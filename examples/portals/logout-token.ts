import { createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { RelyingParty } from './relying-party.ts';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const MAX_AGE_SECONDS = 300;

/** Whom it signs out: one session of theirs, or, without `sid`, all of them. */
export interface Logout {
  readonly sub: string | undefined;
  readonly sid: string | undefined;
}

/** Verifies the tokens by which the provider says "this person signed out" (OpenID Connect Back-Channel Logout 1.0 §2.6). */
export class LogoutTokens {
  readonly #relyingParty: RelyingParty;
  readonly #clientId: string;
  /** `jti` and when it may be forgotten: by then the token's age refuses it. */
  readonly #seen = new Map<string, number>();
  #keys: JWTVerifyGetKey | undefined;

  constructor(relyingParty: RelyingParty, clientId: string) {
    this.#relyingParty = relyingParty;
    this.#clientId = clientId;
  }

  /** @throws Error when the token isn't the provider's, isn't for us, isn't fresh, or was used before */
  async verify(token: string): Promise<Logout> {
    const { issuer, jwks_uri } = (await this.#relyingParty.provider()).serverMetadata();
    if (!jwks_uri) throw new Error('the provider publishes no keys');
    this.#keys ??= createRemoteJWKSet(new URL(jwks_uri));
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer,
      audience: this.#clientId,
      typ: 'logout+jwt',
      // Signatures only the provider can make; `none` and shared secrets are no proof.
      algorithms: ['RS256', 'ES256', 'EdDSA', 'Ed25519'],
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: 5,
    });
    const { sub, sid, jti, events } = payload;
    if (!isRecord(events) || !isRecord(events[LOGOUT_EVENT])) throw new Error('no logout event');
    // An ID token carries a nonce: refusing it keeps one from being passed off as a logout token.
    if (payload.nonce !== undefined) throw new Error('a logout token has no nonce');
    if (sid !== undefined && typeof sid !== 'string') throw new Error('sid is not a string');
    if (!sub && !sid) throw new Error('neither sub nor sid');
    this.#useOnce(jti as string);
    return { sub, sid };
  }

  #useOnce(jti: string): void {
    const now = Date.now();
    for (const [id, until] of this.#seen) if (until < now) this.#seen.delete(id);
    if (this.#seen.has(jti)) throw new Error('this logout token was used before');
    this.#seen.set(jti, now + (MAX_AGE_SECONDS + 10) * 1000);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
