import { createHash } from 'node:crypto';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { Wanted } from './authorization-request.ts';
import { UpstreamError } from './errors.ts';
import type { OpenedToken } from './token-opener.ts';
import type { Upstream } from './upstream.ts';

/** Characters of a subject (OpenID Connect Core §2, `sub`). */
const LONGEST_SUBJECT = 255;

/** What an ID token is the answer to. */
export interface ExpectedIdToken {
  readonly nonce: string;
  readonly accessToken: unknown;
  /** When the person was sent there, seconds since the epoch. */
  readonly askedAt: number;
  readonly wanted: Pick<Wanted, 'maxAge' | 'login'>;
}

/**
 * Checks an ID token whose signature, issuer, audience and times were (OpenID Connect Core §3.1.3.7).
 *
 * @returns its `sub`
 * @throws UpstreamError `id_token`, `subject`, `authentication_time`
 */
export function checkIdToken(
  { claims, alg }: OpenedToken,
  expected: ExpectedIdToken,
  upstream: Upstream,
  clock: Clock,
): string {
  const { sub, nonce, azp, aud, at_hash: hash } = claims;
  if (nonce !== expected.nonce) throw new UpstreamError('id_token', 'made for another request (nonce)');
  // Made for several, it must say which of them it was given to.
  if (azp === undefined ? Array.isArray(aud) && aud.length > 1 : azp !== upstream.clientId) {
    throw new UpstreamError('id_token', 'given to another client (azp)');
  }
  if (hash !== undefined && hash !== halfHash(alg, expected.accessToken)) {
    throw new UpstreamError('id_token', 'made for another access token (at_hash)');
  }
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT) {
    throw new UpstreamError('subject', 'the ID token names nobody');
  }
  // One that does not ask anew may still tell that it did not.
  const isTold = typeof claims.auth_time === 'number' && expected.wanted.maxAge !== undefined;
  if (upstream.reauthenticates || isTold)
    checkAuthenticationTime(claims.auth_time, expected, upstream.clockTolerance, clock);
  return sub;
}

function checkAuthenticationTime(told: unknown, expected: ExpectedIdToken, tolerance: number, clock: Clock): void {
  const { login = false, maxAge } = expected.wanted;
  if (!login && maxAge === undefined) return;
  const earliest = Math.max(login ? expected.askedAt : 0, maxAge === undefined ? 0 : epochSeconds(clock) - maxAge);
  if (typeof told !== 'number' || !(told >= earliest - tolerance)) {
    throw new UpstreamError('authentication_time', 'the upstream did not ask the person anew');
  }
}

/** Core §3.1.3.6: the left half of the hash that belongs to the algorithm of the signature. */
function halfHash(alg: string, value: unknown): string {
  const hash = /(?:256|384|512)$/.exec(alg)?.[0] ?? '512';
  const digest = createHash(`sha${hash}`).update(String(value)).digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
