/** A level of assurance by its public name (`acr`, OpenID Connect Core §2). */
export type Acr = string;

interface Level {
  readonly acr: Acr;
  /** Whether proofs that yielded these authentication methods (RFC 8176) reach the level. */
  readonly reachedBy: (amr: ReadonlySet<string>) => boolean;
}

/**
 * The ladder, lowest rung first. A higher rung satisfies a demand for a lower one.
 * REFEDS SFA/MFA profiles: https://refeds.org/profile/sfa, https://refeds.org/profile/mfa.
 */
const LADDER: readonly Level[] = [
  { acr: 'https://refeds.org/profile/sfa', reachedBy: (amr) => amr.size > 0 },
  { acr: 'https://refeds.org/profile/mfa', reachedBy: (amr) => amr.has('mfa') },
];

const rank = (acr: Acr | undefined): number => LADDER.findIndex((level) => level.acr === acr);

/** The highest level those methods reach; `undefined` for none. */
export function acrOf(amr: Iterable<string>): Acr | undefined {
  const methods = new Set(amr);
  return LADDER.findLast((level) => level.reachedBy(methods))?.acr;
}

/** The levels that can be reached at all with the given methods, lowest first. */
export function attainableAcr(amr: Iterable<string>): Acr[] {
  const top = rank(acrOf(amr));
  return LADDER.slice(0, top + 1).map((level) => level.acr);
}

/**
 * Whether `actual` satisfies a demand for any one of `demanded`. An unknown name is never
 * satisfied: unknown means no. No demand at all is always satisfied.
 */
export function meets(actual: Acr | undefined, demanded: readonly Acr[]): boolean {
  return demanded.length === 0 || demanded.some((acr) => rank(acr) >= 0 && rank(actual) >= rank(acr));
}
