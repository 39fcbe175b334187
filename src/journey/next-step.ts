import type { Ladder, Shown } from './assurance.ts';
import type { Demand, JourneyState, LevelDemand, Second } from './state.ts';
import type { StepId } from './steps/step.ts';

export interface Facts {
  readonly state: JourneyState;
  readonly demand: Demand;
  /** Whether the browser says that it can use passkeys; `undefined` when it never said. */
  readonly browser: { readonly passkeys: boolean | undefined };
  /** Seconds since the epoch. */
  readonly now: number;
  /** Whether the last proof is young enough to change how the account signs in. */
  readonly fresh: boolean;
  readonly ladder: Ladder;
}

/** `unmet`: what is demanded can't be reached by this person, and is not silently lowered. */
export type Next = StepId | 'unmet' | 'finished';

interface Row {
  readonly step: Exclude<Next, 'finished'>;
  readonly due: (facts: Facts) => boolean;
}

const PASSWORD: Shown = { amr: ['pwd'] };
const APP: Shown = { amr: ['otp'] };
const VERIFIED_PASSKEY: Shown = { amr: ['hwk', 'user', 'mfa'], attested: true };

const wantsLogin = ({ demand }: Facts): boolean => demand.prompt === 'login';
const proven = ({ state }: Facts, factor: string): boolean => state.proofs.some((proof) => proof.factor === factor);
/** Guessing has paused the password here; every other way stays open. */
const locked = ({ state, now }: Facts): boolean => (state.lockedUntil ?? 0) > now;
const authenticated = ({ state }: Facts): boolean => state.proofs.length > 0;
const enrolled = ({ state }: Facts, factor: string): boolean =>
  state.enrolled?.some((one) => one.factor === factor) === true;

/** Whether those proofs reach everything that is demanded: by the request, the client, and the account itself. */
export function suffices({ ladder, demand }: Pick<Facts, 'ladder' | 'demand'>, proofs: readonly Shown[]): boolean {
  const acr = ladder.acrOf(proofs);
  return demand.levels.every((level) => ladder.meets(acr, level.acr));
}

/** What the account demands counts once somebody proved whose it is, or was signed in already. */
export function withAccount({ required, known, proofs }: JourneyState, demand: Demand): Demand {
  if (required === undefined || !(known || proofs.length > 0)) return demand;
  return { ...demand, levels: [...demand.levels, { source: 'account', acr: [required] }] };
}

/**
 * What is left to be reached. A trusted device stands in for a code where the account, or the organisation,
 * asks for one; where the request or the client does, only if the client's file says so.
 */
function unreached(facts: Facts, proofs: readonly Shown[]): readonly LevelDemand[] {
  const { ladder, state, demand } = facts;
  const acr = ladder.acrOf(proofs);
  const withDevice = state.trusted && proofs.length > 0 ? ladder.acrOf([...proofs, APP]) : acr;
  return withAccount(state, demand).levels.filter((level) => {
    const isWaivable = level.source === 'account' || level.source === 'organisation' || demand.trustedDeviceSuffices;
    return !ladder.meets(isWaivable ? withDevice : acr, level.acr);
  });
}

const missing = (facts: Facts): boolean => unreached(facts, facts.state.proofs).length > 0;
const reachedWith = (facts: Facts, more: readonly Shown[]): boolean =>
  unreached(facts, [...facts.state.proofs, ...more]).length === 0;

/** Where a password would not do, a browser that never said what it can is given the chance to. */
const passkeyUsable = (facts: Facts): boolean =>
  facts.state.passkey === true &&
  !proven(facts, 'passkey') &&
  (facts.browser.passkeys ?? !suffices({ ...facts, demand: withAccount(facts.state, facts.demand) }, [PASSWORD]));

/** Whether a password, with whatever may follow it, can lead anywhere: told alike for every name. */
export const passwordLeadsOn = (facts: Pick<Facts, 'ladder' | 'demand'>): boolean => suffices(facts, [PASSWORD, APP]);

/** Second factors in the order in which they are asked for; the person may take another. */
const SECOND: readonly Second[] = ['totp', 'sms', 'passkey', 'recovery-code'];

const FACTOR_OF: Readonly<Record<Second, string>> = {
  totp: 'totp',
  sms: 'sms',
  passkey: 'passkey',
  'recovery-code': 'recovery-codes',
};

/** The ways to what is missing that this person has, here. */
export function secondWays(facts: Facts): Second[] {
  if (!authenticated(facts) || !missing(facts)) return [];
  return SECOND.filter((way) => {
    if (!enrolled(facts, FACTOR_OF[way]) || proven(facts, way)) return false;
    if (way === 'passkey') return passkeyUsable(facts) && reachedWith(facts, [VERIFIED_PASSKEY]);
    return reachedWith(facts, [APP]);
  });
}

const secondDue = (facts: Facts): Second | undefined => {
  const ways = secondWays(facts);
  return ways.find((way) => way === facts.state.way) ?? ways[0];
};

/** A key that was only touched is something one has: what is missing may be the password. */
const passwordMissing = (facts: Facts): boolean =>
  authenticated(facts) &&
  missing(facts) &&
  secondWays(facts).length === 0 &&
  enrolled(facts, 'password') &&
  reachedWith(facts, [PASSWORD]);

/**
 * Whether an app may be set up on the spot: it would do, there is nothing else to ask for, and what
 * was proven is all that the account could show so far.
 */
const mayEnrol = (facts: Facts): boolean =>
  authenticated(facts) &&
  missing(facts) &&
  secondWays(facts).length === 0 &&
  !enrolled(facts, 'totp') &&
  reachedWith(facts, [APP]) &&
  facts.ladder.mayChangeFactors(facts.ladder.acrOf(facts.state.proofs), facts.state.enrolled ?? []);

/**
 * The password of somebody who proved something else. Setting an app up is a change to how one signs in:
 * whoever sits at an old session proves again who it is.
 */
const passwordWanted = (facts: Facts): boolean => passwordMissing(facts) || (mayEnrol(facts) && !facts.fresh);

/** Somebody signed in already who could not reach what is demanded whatever they were asked. */
function hopeless(facts: Facts): boolean {
  const { state, ladder } = facts;
  if (!state.known || !missing(facts)) return false;
  const here = (state.enrolled ?? []).filter(({ factor }) => factor !== 'passkey');
  const couldEnrol =
    !enrolled(facts, 'totp') &&
    ladder.mayChangeFactors(ladder.acrOf([...state.proofs, PASSWORD]), state.enrolled ?? []);
  const possible = [...here, ...(passkeyUsable(facts) ? [VERIFIED_PASSKEY] : []), ...(couldEnrol ? [APP] : [])];
  return !reachedWith(facts, possible);
}

/**
 * The login journey, read from top to bottom: the first row that is due is the step to show.
 * A new step is one more row here and one more file in `steps/`.
 */
const TABLE: readonly Row[] = [
  { step: 'identify', due: (facts) => facts.state.username === undefined },
  // Said before anybody types a password for nothing (RFC 9470 §5); of a stranger's name nothing is told.
  { step: 'unmet', due: hopeless },
  {
    step: 'passkey',
    due: (facts) =>
      !authenticated(facts) && passkeyUsable(facts) && (facts.state.instead !== 'password' || !passwordLeadsOn(facts)),
  },
  { step: 'locked', due: (facts) => !authenticated(facts) && locked(facts) },
  { step: 'password', due: (facts) => !authenticated(facts) },
  { step: 'totp', due: (facts) => secondDue(facts) === 'totp' },
  { step: 'sms', due: (facts) => secondDue(facts) === 'sms' },
  { step: 'recovery-code', due: (facts) => secondDue(facts) === 'recovery-code' },
  { step: 'passkey', due: (facts) => secondDue(facts) === 'passkey' },
  { step: 'locked', due: (facts) => locked(facts) && passwordWanted(facts) },
  { step: 'password', due: passwordWanted },
  { step: 'enrol-totp', due: mayEnrol },
  { step: 'unmet', due: missing },
  { step: 'recovery-codes', due: (facts) => facts.state.codes !== undefined },
  { step: 'offer-passkey', due: (facts) => facts.state.offer !== undefined },
];

/** Pure: from facts to the step that is due, or `finished`. */
export function nextStep(facts: Facts): Next {
  if (wantsLogin(facts)) return TABLE.find((row) => row.due(facts))?.step ?? 'finished';
  return facts.state.consented ? 'finished' : 'consent';
}
