import { UpstreamError } from './errors.ts';
import { levelClaim, levelReached } from './levels.ts';
import type { Upstream } from './upstream.ts';

/** Who somebody is at an upstream, everything checked. */
export interface Identity {
  /** `Upstream.id` */
  readonly provider: string;
  readonly issuer: string;
  /**
   * The same person for ever at this issuer, and of nobody else; compared together with it. Several parts are written as
   * a JSON list.
   */
  readonly subject: string;
  /**
   * What `subject` is told as, where that is not `sub` alone: by which of two claims somebody is known is part of who they
   * are, as what stands in the one may be somebody else's in the other.
   */
  readonly knownBy?: string;
  /** A part of the subject is a national number or the like: to be kept as a keyed hash alone. */
  readonly confidential: boolean;
  /** `sub`, by which a logout token names the person; where `subject` is made of other claims it is none to link by. */
  readonly upstreamSubject: string;
  /** What the upstream's level is worth, by our name. */
  readonly acr?: string;
  /** Seconds since the epoch; absent where the upstream does not tell. */
  readonly authTime?: number;
  readonly amr?: readonly string[];
  /** By our names; those with `_verified` are booleans, and of the same token as the claim they are about. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Those of `claims` that some client is released (`release` of the provider's file): no other is kept. */
  readonly released?: Readonly<Record<string, unknown>>;
  /** Signed, decrypted: the hint for signing out there. To be kept sealed. */
  readonly idToken: string;
  /** The session there, by which a logout token may name it. */
  readonly sid?: string;
  /** What the person recognises: a user name, a name or an e-mail address. */
  readonly label?: string;
}

type Claims = Readonly<Record<string, unknown>>;

/** What was learned of a person, each part verified by itself. */
export interface Sources {
  readonly issuer: string;
  readonly sub: string;
  readonly idToken: string;
  readonly idTokenClaims: Claims;
  /** Empty where there is no userinfo. */
  readonly userinfo: Claims;
}

/** Characters of a claim that somebody is known by. */
const LONGEST_PART = 255;
const LONGEST_LABEL = 100;
const VERIFIED = '_verified';
const SUB = JSON.stringify([['sub']]);

/**
 * @param demanded levels by our names, any of which will do
 * @throws UpstreamError `subject` when a part of it is missing; `level` when it is less than demanded
 */
export function identityOf(upstream: Upstream, sources: Sources, demanded: readonly string[] | undefined): Identity {
  const { idTokenClaims, userinfo } = sources;
  // The ID token has the last word: it is always signed, and for us.
  const payloads = [idTokenClaims, userinfo];
  const told = find(payloads, [levelClaim(upstream)])?.value;
  const acr = levelReached(upstream, told, demanded);
  const claims = mapped(upstream.mapping, payloads);
  const label = labelOf(claims);
  const { auth_time: authTime, amr, sid } = idTokenClaims;
  return {
    provider: upstream.id,
    issuer: sources.issuer,
    subject: subjectOf(upstream, payloads),
    ...knownBy(upstream),
    confidential: upstream.subject.some((part) => part.confidential),
    upstreamSubject: sources.sub,
    ...(acr === undefined ? {} : { acr }),
    ...(typeof authTime === 'number' ? { authTime } : {}),
    ...(isTexts(amr) ? { amr } : {}),
    claims,
    idToken: sources.idToken,
    ...(typeof sid === 'string' ? { sid } : {}),
    ...(label ? { label } : {}),
  };
}

/** A subject that lacks a part would be that of everybody who lacks it. */
function subjectOf({ subject }: Upstream, payloads: readonly Claims[]): string {
  const parts = subject.map(({ path }) => {
    const value = find(payloads, path)?.value;
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || text.trim() === '' || text.length > LONGEST_PART) {
      throw new UpstreamError('subject', `the upstream did not tell ${path.join(' → ')}, by which somebody is known`);
    }
    return text;
  });
  const [only] = parts;
  if (only === undefined) throw new UpstreamError('subject', 'it is not configured by what somebody is known');
  return parts.length === 1 ? only : JSON.stringify(parts);
}

function knownBy({ subject }: Upstream): Pick<Identity, 'knownBy'> {
  const paths = JSON.stringify(subject.map(({ path }) => path));
  return paths === SUB ? {} : { knownBy: paths };
}

function mapped(mapping: Upstream['mapping'], payloads: readonly Claims[]): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(mapping)) {
    const value = name.endsWith(VERIFIED) ? verified(name, path, mapping, payloads) : find(payloads, path)?.value;
    if (value !== undefined && value !== null && value !== '') claims[name] = value;
  }
  return claims;
}

/** Whether one source calls an address verified says nothing of the address another tells. */
function verified(
  name: string,
  path: readonly string[],
  mapping: Upstream['mapping'],
  payloads: readonly Claims[],
): boolean | undefined {
  const subject = mapping[name.slice(0, -VERIFIED.length)];
  const source = subject ? find(payloads, subject)?.payload : undefined;
  const value = find(subject ? (source ? [source] : []) : payloads, path)?.value;
  if (typeof value === 'boolean') return value;
  // Apple writes them as text.
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** The first payload in which the path leads somewhere. Names of members are own ones: none is `__proto__`'s. */
function find(payloads: readonly Claims[], path: readonly string[]): { value: unknown; payload: Claims } | undefined {
  for (const payload of payloads) {
    let value: unknown = payload;
    for (const name of path) {
      const isMember = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      value = isMember ? (value as Claims)[name] : undefined;
    }
    if (value !== undefined && value !== null) return { value, payload };
  }
  return undefined;
}

function labelOf(claims: Claims): string | undefined {
  const known = [claims.preferred_username, claims.name, claims.email];
  const text = known.find((value): value is string => typeof value === 'string' && value.trim() !== '');
  return text?.replace(/\p{C}/gu, '').trim().slice(0, LONGEST_LABEL);
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
