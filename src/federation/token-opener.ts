import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import {
  type CompactJWEHeaderParameters,
  compactDecrypt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { UpstreamError, upstreamError } from './errors.ts';
import type { UpstreamKeySet } from './key-set.ts';
import type { UpstreamKeys } from './keys.ts';
import type { TokenProtection, Upstream } from './upstream.ts';

/** A JWT whose signature was verified. */
export interface OpenedToken {
  readonly claims: JWTPayload;
  /** Of the signature. */
  readonly alg: string;
  /** The signed token, out of its encryption: what a logout hint is made of (OpenID Connect RP-Initiated Logout §2). */
  readonly jws: string;
}

/** What is opened; also the reason of the errors. */
export type TokenKind = 'id_token' | 'userinfo' | 'logout_token';

export type TokenOpener = (
  kind: TokenKind,
  jwt: string,
  protection: TokenProtection,
  /** Of the claims; `exp`, `nbf` and an `iat` in the future are judged in any case. */
  checks: Pick<JWTVerifyOptions, 'issuer' | 'audience' | 'requiredClaims' | 'maxTokenAge'>,
) => Promise<OpenedToken>;

/**
 * The one place where tokens of an upstream are decrypted and verified, whatever way they came: TLS says who sent
 * them, the signature who made them.
 *
 * @throws (the function) UpstreamError with the kind as its reason; or why the upstream's keys can't be had
 */
export function createTokenOpener(deps: {
  upstream: Upstream;
  keys: UpstreamKeys;
  keySet: UpstreamKeySet;
  clock: Clock;
}): TokenOpener {
  const { upstream, keys, keySet, clock } = deps;
  const secret = 'secret' in upstream.authentication ? upstream.authentication.secret : undefined;

  const open = async (...[, jwt, protection, checks]: Parameters<TokenOpener>): Promise<OpenedToken> => {
    const jws = protection.encryptedWith ? await decrypt(jwt, protection.encryptedWith, keys, secret) : jwt;
    if (jws.split('.').length !== 3) throw new Refusal('not a signed token');
    const { alg = '' } = decodeProtectedHeader(jws);
    if (alg === 'none' || !protection.signedWith.includes(alg)) {
      throw new Refusal('signed with an algorithm that is not accepted');
    }
    const options: JWTVerifyOptions = {
      ...checks,
      algorithms: [alg],
      currentDate: new Date(clock.now()),
      clockTolerance: upstream.clockTolerance,
    };
    // With a secret nobody else but the two of us can have signed; a public key is never taken for one.
    const { payload: claims } = alg.startsWith('HS')
      ? await jwtVerify(jws, sharedSecret(secret), options)
      : await keySet.using((published) => verify(jws, published, options));
    const latest = epochSeconds(clock) + upstream.clockTolerance;
    if (claims.iat !== undefined && claims.iat > latest) throw new Refusal('issued in the future');
    return { claims, alg, jws };
  };
  return async (kind, ...rest) => {
    try {
      return await open(kind, ...rest);
    } catch (error) {
      throw error instanceof Refusal ? new UpstreamError(kind, error.message) : upstreamError(kind, error);
    }
  };
}

/** Why a token is not accepted, in a sentence without anything of the token. */
class Refusal extends Error {}

function sharedSecret(secret: string | undefined): Uint8Array {
  if (!secret) throw new Refusal('signed with a secret, and there is none');
  return new TextEncoder().encode(secret);
}

async function verify(jws: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions) {
  try {
    return await jwtVerify(jws, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // Upstreams that name no key: each that fits is tried.
    for await (const key of error) {
      try {
        return await jwtVerify(jws, key, options);
      } catch (refused) {
        if (!(refused instanceof errors.JWSSignatureVerificationFailed)) throw refused;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

async function decrypt(
  jwe: string,
  allowed: { readonly alg: readonly string[]; readonly enc: readonly string[] },
  keys: UpstreamKeys,
  secret: string | undefined,
): Promise<string> {
  if (jwe.split('.').length !== 5) throw new Refusal('not encrypted, though it must be');
  const header = decodeProtectedHeader(jwe) as CompactJWEHeaderParameters;
  // A few hundred bytes can decompress to gigabytes (CVE-2024-28176).
  if (header.zip !== undefined) throw new Refusal('compressed before it was encrypted');
  const options = { keyManagementAlgorithms: [...allowed.alg], contentEncryptionAlgorithms: [...allowed.enc] };
  let failure: unknown = new Refusal('encrypted to a key that is not ours');
  for (const key of await candidates(header, keys, secret)) {
    try {
      const { plaintext } = await compactDecrypt(jwe, key, options);
      return new TextDecoder().decode(plaintext);
    } catch (error) {
      failure = error;
      if (!(error instanceof errors.JWEDecryptionFailed)) break;
    }
  }
  throw failure;
}

/** Keys the JWE may be encrypted to: the one it names, else every one of its type, newest first. */
async function candidates(
  { alg, enc, kid }: CompactJWEHeaderParameters,
  keys: UpstreamKeys,
  secret: string | undefined,
): Promise<readonly KeyObject[]> {
  if (alg === 'dir') return secret ? [derivedKey(secret, enc)] : [];
  const kty = alg.startsWith('RSA') ? 'RSA' : 'EC';
  const ours = (await keys.decryptionKeys()).filter((key) => key.kty === kty && (kid === undefined || key.kid === kid));
  return ours.map(({ key }) => key);
}

/** Octets of the key by content encryption (RFC 7518 §5). */
const KEY_OCTETS: Readonly<Record<string, number>> = {
  A128GCM: 16,
  A192GCM: 24,
  A256GCM: 32,
  'A128CBC-HS256': 32,
  'A192CBC-HS384': 48,
  'A256CBC-HS512': 64,
};

/** OpenID Connect Core §10.2: the left-most octets of the shortest SHA-2 hash of the secret that has as many. */
function derivedKey(secret: string, enc: string): KeyObject {
  const octets = KEY_OCTETS[enc];
  if (!octets) throw new Refusal('encrypted with an algorithm that is not accepted');
  const hash = octets <= 32 ? 'sha256' : octets <= 48 ? 'sha384' : 'sha512';
  return createSecretKey(createHash(hash).update(secret, 'utf8').digest().subarray(0, octets));
}
