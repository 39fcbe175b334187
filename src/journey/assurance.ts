import type { Config } from '../config/config.ts';
import type { Proof } from './state.ts';

/** A level of assurance by its public name (`acr`, OpenID Connect Core §2). */
export type Acr = string;

/** What a level is judged by: of each proof, what it showed (RFC 8176) and whether its device was attested. */
export type Shown = Pick<Proof, 'amr' | 'attested'>;

type Requirement = Config['assurance']['levels'][number]['requires'];

/** Something one knows, and something one has; a verified user makes a passkey both (`mfa`). */
const KNOWLEDGE = ['pwd', 'pin', 'kba'];
const POSSESSION = ['otp', 'sms', 'hwk', 'swk'];
const KEYS = ['hwk', 'swk'];

const shows = (proofs: readonly Shown[], methods: readonly string[]): boolean =>
  proofs.some(({ amr }) => methods.some((method) => amr.includes(method)));
const isVerifiedKey = ({ amr }: Shown): boolean => amr.includes('mfa') && KEYS.some((key) => amr.includes(key));

/** What each word of a level in the configuration asks of the proofs. */
const REQUIREMENTS: Readonly<Record<Requirement, (proofs: readonly Shown[]) => boolean>> = {
  one_factor: (proofs) => proofs.some(({ amr }) => amr.length > 0),
  two_factors: (proofs) => shows(proofs, ['mfa']) || (shows(proofs, KNOWLEDGE) && shows(proofs, POSSESSION)),
  phishing_resistant: (proofs) => proofs.some(isVerifiedKey),
  // That a key can't leave its device is only a claim until a manufacturer attests the model.
  hardware: (proofs) => proofs.some((proof) => isVerifiedKey(proof) && proof.attested && proof.amr.includes('hwk')),
};

export interface Ladder {
  /** The highest level those proofs reach together; `undefined` for none. */
  acrOf(proofs: readonly Shown[]): Acr | undefined;
  /** The levels that can be reached at all by proofs of that kind, lowest first. */
  attainable(proofs: readonly Shown[]): Acr[];
  /**
   * Whether `actual` satisfies a demand for any one of `demanded`. An unknown name is never
   * satisfied: unknown means no. No demand at all is always satisfied.
   */
  meets(actual: Acr | undefined, demanded: readonly Acr[]): boolean;
  /** The level that a password and a code reach. */
  readonly twoFactors: Acr | undefined;
  /** Whether a session of that level was proven by two factors at least. */
  isTwoFactors(acr: Acr | undefined): boolean;
  /** Whether a session of that level was proven by a device of an attested model. */
  isHardware(acr: Acr | undefined): boolean;
  /**
   * Whether somebody of that level may change how the account signs in: only at the highest level
   * the account can reach. Otherwise a stolen password would be enough to replace the second factor
   * (security-catalogue: wrong step-up proof).
   * @param potential what everything the account has enrolled could show
   */
  mayChangeFactors(actual: Acr | undefined, potential: readonly Shown[]): boolean;
}

/** @param levels of the configuration, lowest first: a higher one satisfies a demand for a lower one */
export function createLadder(levels: Config['assurance']['levels']): Ladder {
  const rank = (acr: Acr | undefined): number => levels.findIndex((level) => level.acr === acr);
  const ladder: Ladder = {
    acrOf: (proofs) => levels.findLast(({ requires }) => REQUIREMENTS[requires](proofs))?.acr,
    attainable: (proofs) => levels.slice(0, rank(ladder.acrOf(proofs)) + 1).map(({ acr }) => acr),
    meets: (actual, demanded) =>
      demanded.length === 0 || demanded.some((acr) => rank(acr) >= 0 && rank(actual) >= rank(acr)),
    twoFactors: levels.findLast(({ requires }) => REQUIREMENTS[requires]([{ amr: ['pwd'] }, { amr: ['otp'] }]))?.acr,
    isTwoFactors: (acr) => levels.slice(0, rank(acr) + 1).some(({ requires }) => requires !== 'one_factor'),
    isHardware: (acr) => levels[rank(acr)]?.requires === 'hardware',
    mayChangeFactors(actual, potential) {
      const highest = ladder.acrOf(potential);
      return actual !== undefined && ladder.meets(actual, highest === undefined ? [] : [highest]);
    },
  };
  return ladder;
}

/**
 * The level an account demands of its own: what the operator set, and two factors once it has a second
 * one; whoever set one up is asked for it from then on.
 */
export function requiredLevel(ladder: Ladder, hasSecond: boolean, minimumAcr: Acr | undefined): Acr | undefined {
  const own = hasSecond ? ladder.twoFactors : undefined;
  return own !== undefined && !ladder.meets(minimumAcr, [own]) ? own : minimumAcr;
}

/** What a token says was performed (RFC 8176): each method once, and `mfa` where two kinds of factors came together. */
export function amrOf(proofs: readonly Shown[]): string[] {
  const methods = new Set(proofs.flatMap(({ amr }) => amr));
  if (REQUIREMENTS.two_factors(proofs)) methods.add('mfa');
  return [...methods];
}
