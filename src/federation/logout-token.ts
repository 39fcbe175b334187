import { createHash } from 'node:crypto';
import type { ArtifactStore } from '../storage/ports.ts';
import { UpstreamError } from './errors.ts';
import type { OpenedToken, TokenOpener } from './token-opener.ts';
import type { Upstream } from './upstream.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds within which it is delivered; as long its `jti` is remembered. */
const LIFETIME = 600;

/** Whose session ended at an upstream. One of `subject` and `sid` is there. */
export interface UpstreamLogout {
  /** `sub`: `Identity.upstreamSubject` */
  readonly subject?: string;
  /** `Identity.sid` */
  readonly sid?: string;
  /** Taken once: the caller remembers it. */
  readonly jti: string;
  /** Until when, seconds since the epoch. */
  readonly rememberUntil: number;
}

/**
 * Checks a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6), except that it is new.
 *
 * @throws UpstreamError `logout_token`; or why the upstream's keys can't be had
 */
export async function readLogoutToken(jwt: string, upstream: Upstream, open: TokenOpener): Promise<UpstreamLogout> {
  const { signedWith, encryptedWith } = upstream.idToken;
  // §2.4: signed as ID tokens are; it may be encrypted as they are, too, and need not be.
  const isEncrypted = jwt.split('.').length === 5;
  const opened = await open('logout_token', jwt, isEncrypted ? { signedWith, encryptedWith } : { signedWith }, {
    issuer: upstream.issuer,
    audience: upstream.clientId,
    requiredClaims: ['iat', 'jti', 'events'],
    maxTokenAge: LIFETIME,
  });
  return checked(opened, upstream.clockTolerance);
}

const TAKEN = 'UpstreamLogoutToken';

/**
 * Does what a logout token says, once (§2.6: a `jti` that was seen is refused). Marked as taken when it is done, so that
 * what failed on the way can be delivered again; doing it twice at the same moment ends what is ended.
 *
 * @param store the ephemeral artifacts
 * @throws UpstreamError `logout_token` when it was taken before; whatever `end` throws
 */
export async function takeOnce(
  provider: string,
  logout: UpstreamLogout,
  store: ArtifactStore,
  end: (logout: UpstreamLogout) => Promise<void>,
): Promise<void> {
  const key = createHash('sha256')
    .update(JSON.stringify([provider, logout.jti]))
    .digest('base64url');
  const refused = () => new UpstreamError('logout_token', 'taken before');
  if (await store.find(TAKEN, key)) throw refused();
  await end(logout);
  if (!(await store.insertOnly(TAKEN, key, { payload: {}, expiresAt: logout.rememberUntil }))) throw refused();
}

function checked({ claims }: OpenedToken, tolerance: number): UpstreamLogout {
  const { events, nonce, jti, sub, sid, iat = 0 } = claims;
  const isLogout = isObject(events) && isObject(events[EVENT]);
  // An ID token must not pass for one.
  if (!isLogout || nonce !== undefined) throw new UpstreamError('logout_token', 'not about a logout');
  if (typeof jti !== 'string' || jti === '') throw new UpstreamError('logout_token', 'without a name of its own (jti)');
  const subject = textOf(sub);
  const session = textOf(sid);
  if (!subject && !session) throw new UpstreamError('logout_token', 'about nobody');
  return {
    ...(subject ? { subject } : {}),
    ...(session ? { sid: session } : {}),
    jti,
    rememberUntil: iat + LIFETIME + tolerance + 1,
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
