import type { Proof } from './state.ts';

/** A level of assurance by its public name (`acr`, OpenID Connect Core §2). */
export type Acr = string;

/** What a level is judged by: of each proof, what it showed (RFC 8176) and whether its device was attested. */
type Shown = Pick<Proof, 'amr' | 'attested'>;

interface Level {
  readonly acr: Acr;
  readonly reachedBy: (proofs: readonly Shown[]) => boolean;
}

const shows = (proofs: readonly Shown[], method: string): boolean => proofs.some(({ amr }) => amr.includes(method));
const holdsKey = (proofs: readonly Shown[]): boolean => shows(proofs, 'hwk') || shows(proofs, 'swk');

/**
 * The ladder, lowest rung first. A higher rung satisfies a demand for a lower one.
 * REFEDS SFA and MFA profiles: https://refeds.org/profile/sfa, https://refeds.org/profile/mfa. Phishing-resistant and,
 * in a protected device, hardware-protected: OpenID Connect Extended Authentication Profile ACR Values §2.
 */
const LADDER: readonly Level[] = [
  { acr: 'https://refeds.org/profile/sfa', reachedBy: (proofs) => proofs.some(({ amr }) => amr.length > 0) },
  { acr: 'https://refeds.org/profile/mfa', reachedBy: (proofs) => shows(proofs, 'mfa') },
  { acr: 'phr', reachedBy: (proofs) => shows(proofs, 'mfa') && holdsKey(proofs) },
  {
    acr: 'phrh',
    // That a key can't leave its device is only a claim until a manufacturer attests the model.
    reachedBy: (proofs) => proofs.some(({ amr, attested }) => attested && amr.includes('hwk') && amr.includes('mfa')),
  },
];

const rank = (acr: Acr | undefined): number => LADDER.findIndex((level) => level.acr === acr);

/** The highest level those proofs reach together; `undefined` for none. */
export function acrOf(proofs: readonly Shown[]): Acr | undefined {
  return LADDER.findLast((level) => level.reachedBy(proofs))?.acr;
}

/** The levels that can be reached at all by proofs of that kind, lowest first. */
export function attainableAcr(proofs: readonly Shown[]): Acr[] {
  const top = rank(acrOf(proofs));
  return LADDER.slice(0, top + 1).map((level) => level.acr);
}

/**
 * Whether `actual` satisfies a demand for any one of `demanded`. An unknown name is never
 * satisfied: unknown means no. No demand at all is always satisfied.
 */
export function meets(actual: Acr | undefined, demanded: readonly Acr[]): boolean {
  return demanded.length === 0 || demanded.some((acr) => rank(acr) >= 0 && rank(actual) >= rank(acr));
}

/**
 * Whether somebody who gave these proofs may change how the account signs in: only at the highest
 * level the account can reach. Otherwise a stolen password would be enough to replace the second
 * factor (security-catalogue: wrong step-up proof).
 * @param potential methods of everything the account has enrolled
 */
export const mayChangeFactors = (actual: Acr | undefined, potential: readonly string[]): boolean => {
  const highest = acrOf([{ amr: potential }]);
  return actual !== undefined && meets(actual, highest === undefined ? [] : [highest]);
};
