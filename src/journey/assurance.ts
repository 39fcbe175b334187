import type { Config } from '../config/config.ts';
import { EIDAS_LEVELS } from '../config/schema/provider.ts';
import type { Proof } from './state.ts';

/** A level of assurance by its public name (`acr`, OpenID Connect Core §2). */
export type Acr = string;

/** What a level is judged by: of each proof, what it showed (RFC 8176), whether its device was attested, what is vouched for. */
export type Shown = Pick<Proof, 'amr' | 'attested' | 'acr'>;

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

/**
 * Levels of Regulation (EU) 910/2014 that an external provider may vouch for, lowest first, and what each stands for here:
 * low is one factor, and what one has here is another; substantial and high ask for two (Implementing Regulation (EU)
 * 2015/1502, Annex 2.2.1).
 */
const ONE: Shown = { amr: ['kba'] };
const TWO: Shown = { amr: ['mfa'] };
const EIDAS = EIDAS_LEVELS.map((acr, place) => ({ acr, worth: place === 0 ? ONE : TWO }));

export interface Ladder {
  /**
   * The level that is told of those proofs: the highest that satisfies all demands, else the highest they reach;
   * `undefined` for none. One of ours and one of the state's may be shown at once, and a token has room for one.
   */
  acrOf(proofs: readonly Shown[], demands?: readonly { readonly acr: readonly Acr[] }[]): Acr | undefined;
  /** Whether those proofs together satisfy a demand for any one of `demanded`; none at all is always satisfied. */
  reaches(proofs: readonly Shown[], demanded: readonly Acr[]): boolean;
  /** What a session shows of the proofs it was begun with: never more than the level it was given. */
  ofSession(session: { readonly amr: readonly string[]; readonly acr: Acr | undefined }): Shown;
  /** The levels that can be reached at all by proofs of that kind, lowest first. */
  attainable(proofs: readonly Shown[]): Acr[];
  /**
   * Whether `actual` satisfies a demand for any one of `demanded`. An unknown name is never
   * satisfied: unknown means no. No demand at all is always satisfied.
   */
  meets(actual: Acr | undefined, demanded: readonly Acr[]): boolean;
  /** The level that a password and a code reach. */
  readonly twoFactors: Acr | undefined;
  /** Whether those proofs are two factors at least. */
  isTwoFactors(proofs: readonly Shown[]): boolean;
  /**
   * Whether somebody of that level may change how the account signs in: only at the highest level
   * the account can reach. Otherwise a stolen password would be enough to replace the second factor
   * (security-catalogue: wrong step-up proof).
   * @param potential what everything the account has enrolled could show
   */
  mayChangeFactors(proofs: readonly Shown[], potential: readonly Shown[]): boolean;
}

/** @param levels of the configuration, lowest first: a higher one satisfies a demand for a lower one */
export function createLadder(levels: Config['assurance']['levels']): Ladder {
  const placesIn = (names: readonly { readonly acr: Acr }[]) => {
    const places = new Map(names.map(({ acr }, place) => [acr, place]));
    return (acr: Acr | undefined): number => (acr === undefined ? -1 : (places.get(acr) ?? -1));
  };
  const [rankOf, eidasRank] = [placesIn(levels), placesIn(EIDAS)];
  /** What was performed at a provider is not known: its level stands for it. */
  const worthOf = ({ amr, acr }: Shown): Shown[] => {
    const eidas = EIDAS[eidasRank(acr)];
    if (eidas) return [eidas.worth];
    const own = amr.length === 0 ? levels[rankOf(acr)] : undefined;
    return own ? [own.requires === 'one_factor' ? ONE : TWO] : [];
  };
  const performedRank = (proofs: readonly Shown[]): number =>
    levels.findLastIndex(({ requires }) => REQUIREMENTS[requires](proofs));
  const ownRankOf = (proofs: readonly Shown[]): number => {
    const vouched = proofs.filter(({ acr }) => acr !== undefined);
    if (vouched.length === 0) return performedRank(proofs);
    const performed = performedRank([...proofs, ...vouched.flatMap(worthOf)]);
    return Math.max(performed, ...vouched.map(({ acr }) => rankOf(acr)));
  };
  const ownOf = (proofs: readonly Shown[]): Acr | undefined => levels[ownRankOf(proofs)]?.acr;
  const eidasOf = (proofs: readonly Shown[]): number => {
    const vouched = proofs.filter(({ acr }) => acr !== undefined);
    return vouched.length === 0 ? -1 : Math.max(...vouched.map(({ acr }) => eidasRank(acr)));
  };
  const worths = EIDAS.map(({ worth }) => performedRank([worth]));
  /** Among our own levels: that of an eIDAS level is what it is worth. */
  const rank = (acr: Acr | undefined): number => worths[eidasRank(acr)] ?? rankOf(acr);
  /** The highest of the state's and the highest of ours, the higher of the two first; of equals the state's. */
  const levelsOf = (proofs: readonly Shown[]): Acr[] => {
    const [own, eidas] = [ownOf(proofs), EIDAS[eidasOf(proofs)]?.acr];
    if (own === undefined || eidas === undefined) return [own ?? eidas].filter((acr) => acr !== undefined);
    return rank(own) > rank(eidas) ? [own, eidas] : [eidas, own];
  };

  const ladder: Ladder = {
    acrOf(proofs, demands = []) {
      const shown = levelsOf(proofs);
      return shown.find((acr) => demands.every((demand) => ladder.meets(acr, demand.acr))) ?? shown[0];
    },
    reaches: (proofs, demanded) => demanded.length === 0 || levelsOf(proofs).some((acr) => ladder.meets(acr, demanded)),
    ofSession({ amr, acr }) {
      // A password and a touched key come back as one list with `mfa`, as a verified key would.
      const isWorthIt = ladder.meets(acr, [ownOf([{ amr }]) ?? '']);
      const shown = isWorthIt ? amr : amr.filter((method) => method !== 'mfa');
      return { amr: shown, ...(acr === undefined ? {} : { acr }) };
    },
    attainable(proofs) {
      const own = levels.slice(0, Math.max(ownRankOf(proofs), ...proofs.map((one) => ownRankOf([one]))) + 1);
      const eidas = EIDAS.slice(0, eidasOf(proofs) + 1);
      return [...own, ...eidas].map(({ acr }) => acr);
    },
    meets: (actual, demanded) =>
      demanded.length === 0 ||
      demanded.some((acr) =>
        eidasRank(acr) >= 0 ? eidasRank(actual) >= eidasRank(acr) : rankOf(acr) >= 0 && rank(actual) >= rankOf(acr),
      ),
    twoFactors: ownOf([{ amr: ['pwd'] }, { amr: ['otp'] }]),
    isTwoFactors: (proofs) => levels.slice(0, ownRankOf(proofs) + 1).some(({ requires }) => requires !== 'one_factor'),
    mayChangeFactors(proofs, potential) {
      const highest = ownOf(potential);
      // Who has nothing here to show can't be asked for more.
      return highest === undefined || ladder.reaches(proofs, [highest]);
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
