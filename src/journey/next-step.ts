import type { Ladder, Shown } from './assurance.ts';
import type { Demand, JourneyState, LevelDemand, Second } from './state.ts';
import type { StepId } from './steps/step.ts';

export interface Facts {
  readonly state: JourneyState;
  readonly demand: Demand;
  /** Whether the browser says that it can use passkeys; `undefined` when it never said. */
  readonly browser: { readonly passkeys: boolean | undefined };
  /** External providers that the portal's pages offer, and the levels each can vouch for. */
  readonly externals: readonly { readonly id: string; readonly acr: readonly string[] }[];
  /** Seconds since the epoch. */
  readonly now: number;
  /** Whether the last proof is young enough to change how the account signs in. */
  readonly fresh: boolean;
  /** Of proofs that are all older no identity is linked; seconds since the epoch. */
  readonly linkableSince: number;
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
/** Whose journey it is was proven on the way, or is known as they are signed in. */
export const isTold = ({ known, proofs }: JourneyState): boolean => known === true || proofs.length > 0;
/** An identity that nobody has linked is to become theirs. */
const links = ({ state }: Facts): boolean => state.linkWanted === true;
const authenticated = ({ state }: Facts): boolean => state.proofs.length > 0;
const enrolled = ({ state }: Facts, factor: string): boolean =>
  state.enrolled?.some((one) => one.factor === factor) === true;

/** Whether those proofs reach everything that is demanded: by the request, the client, and the account itself. */
export const suffices = ({ ladder, demand }: Pick<Facts, 'ladder' | 'demand'>, proofs: readonly Shown[]): boolean =>
  demand.levels.every((level) => ladder.reaches(proofs, level.acr));

/**
 * To an account a way in is added by what was proven of it here and now alone: neither by a session that somebody left
 * open, nor by another identity (security-catalogue: unsafe linking).
 */
export function provenHere(proofs: JourneyState['proofs'], since: number): JourneyState['proofs'] {
  const here = proofs.filter(({ factor }) => factor !== 'session' && factor !== 'external');
  // Whoever proved the last of it may have left the page since.
  return here.some(({ at }) => at >= since) ? here : [];
}

/** While an identity is to be linked, nothing else counts. */
const judged = (facts: Facts): Facts =>
  links(facts)
    ? { ...facts, state: { ...facts.state, proofs: provenHere(facts.state.proofs, facts.linkableSince) } }
    : facts;

/** What an external provider said of somebody who is still to show whose account that is. */
const heldFor = ({ linking }: JourneyState): Shown[] =>
  linking?.acr === undefined ? [] : [{ amr: [], acr: linking.acr }];

/**
 * What the account demands counts once somebody proved whose it is, or was signed in already. To link an identity asks for
 * all that the account can show: a password alone must not add a way in where there is a second factor.
 */
export function withAccount({ ladder, demand, state }: Pick<Facts, 'ladder' | 'demand' | 'state'>): Demand {
  const { required, linkWanted, enrolled = [] } = state;
  if (!isTold(state)) return demand;
  const own = [required, linkWanted ? ladder.acrOf(enrolled) : undefined].filter((acr) => acr !== undefined);
  return { ...demand, levels: [...demand.levels, ...own.map((acr) => ({ source: 'account' as const, acr: [acr] }))] };
}

/**
 * What is left to be reached. A trusted device stands in for a code where the account, or the organisation,
 * asks for one; where the request or the client does, only if the client's file says so.
 */
function unreached(facts: Facts, proofs: readonly Shown[]): readonly LevelDemand[] {
  const { ladder, state, demand } = facts;
  // It counts for the portal once it is linked; what the account demands is to be proven here.
  const forPortal = proofs.length > 0 ? [...proofs, ...heldFor(state)] : proofs;
  const withDevice = state.trusted && proofs.length > 0 ? [...proofs, APP] : proofs;
  return withAccount(facts).levels.filter((level) => {
    const isAccounts = level.source === 'account' || level.source === 'organisation';
    // A stolen device must not link an identity: what it stands in for is asked for then.
    const isWaived = (isAccounts || demand.trustedDeviceSuffices) && state.linking === undefined;
    if (isWaived && ladder.reaches(withDevice, level.acr)) return false;
    return !ladder.reaches(isAccounts ? proofs : forPortal, level.acr);
  });
}

const missing = (facts: Facts): boolean => unreached(facts, facts.state.proofs).length > 0;
const reachedWith = (facts: Facts, more: readonly Shown[]): boolean =>
  unreached(facts, [...facts.state.proofs, ...more]).length === 0;

/** Where a password would not do, a browser that never said what it can is given the chance to. */
const passkeyUsable = (facts: Facts): boolean =>
  facts.state.passkey === true &&
  !proven(facts, 'passkey') &&
  (facts.browser.passkeys ?? !suffices({ ...facts, demand: withAccount(facts) }, [PASSWORD]));

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
export const secondWays = (facts: Facts): Second[] => secondsOf(judged(facts));

function secondsOf(facts: Facts): Second[] {
  if (!authenticated(facts) || !missing(facts)) return [];
  return SECOND.filter((way) => {
    if (!enrolled(facts, FACTOR_OF[way]) || proven(facts, way)) return false;
    if (way === 'passkey') return passkeyUsable(facts) && reachedWith(facts, [VERIFIED_PASSKEY]);
    return reachedWith(facts, [APP]);
  });
}

const secondDue = (facts: Facts): Second | undefined => {
  const ways = secondsOf(facts);
  return ways.find((way) => way === facts.state.way) ?? ways[0];
};

/** All that this person could still show or set up, here. */
function possible(facts: Facts): Shown[] {
  const { enrolled: all = [], proofs } = facts.state;
  const here = all.filter(({ factor }) => factor !== 'passkey');
  const couldEnrol = !enrolled(facts, 'totp') && facts.ladder.mayChangeFactors([...proofs, ...here], all);
  return [...here, ...(passkeyUsable(facts) ? [VERIFIED_PASSKEY] : []), ...(couldEnrol ? [APP] : [])];
}

/**
 * What is missing may be the password: after a key that was only touched, which is something one has; or before another
 * factor, after a provider that vouches for nothing.
 */
const passwordMissing = (facts: Facts): boolean =>
  authenticated(facts) &&
  missing(facts) &&
  secondsOf(facts).length === 0 &&
  enrolled(facts, 'password') &&
  !facts.state.proofs.some(({ amr }) => amr.includes('pwd')) &&
  (reachedWith(facts, [PASSWORD]) || reachedWith(facts, possible(facts)));

/**
 * Whether an app may be set up on the spot: it would do, there is nothing else to ask for, and what
 * was proven is all that the account could show so far. It is a change to how one signs in: whoever sits at an old
 * session proves again who it is.
 */
const mayEnrol = (facts: Facts): boolean =>
  (facts.fresh || enrolled(facts, 'password') || hasOnlyExternal(facts)) &&
  authenticated(facts) &&
  missing(facts) &&
  secondsOf(facts).length === 0 &&
  !enrolled(facts, 'totp') &&
  reachedWith(facts, [APP]) &&
  facts.ladder.mayChangeFactors(facts.state.proofs, facts.state.enrolled ?? []);

const reproofDue = (facts: Facts): boolean => mayEnrol(facts) && !facts.fresh;

/** The password of somebody who proved something else. */
const passwordWanted = (facts: Facts): boolean =>
  passwordMissing(facts) || (reproofDue(facts) && !hasOnlyExternal(facts));

/** Providers that could vouch for what is missing, or whose word is asked for again. */
export const externalWays = (facts: Facts): readonly string[] => externalsOf(judged(facts));

const externalsOf = (facts: Facts): readonly string[] => {
  if (links(facts)) return [];
  const isAskedAgain = hasOnlyExternal(facts) && reproofDue(facts);
  return facts.externals
    .filter((one) => isAskedAgain || one.acr.some((acr) => reachedWith(facts, [{ amr: [], acr }])))
    .map(({ id }) => id);
};

/** Somebody who has nothing here to prove who they are, but came by a provider before. */
const hasOnlyExternal = (facts: Facts): boolean =>
  facts.state.enrolled?.length === 0 && !links(facts) && facts.externals.length > 0;

/** Nothing that this person has here would do, and a provider would. */
const externalDue = (facts: Facts): boolean =>
  authenticated(facts) &&
  missing(facts) &&
  facts.state.linking === undefined &&
  secondsOf(facts).length === 0 &&
  externalsOf(facts).length > 0;

/** Somebody signed in already who could not reach what is demanded whatever they were asked. */
function hopeless(facts: Facts): boolean {
  if (!facts.state.known || (authenticated(facts) && !missing(facts))) return false;
  if (!authenticated(facts) && facts.state.enrolled?.length === 0) {
    const words = links(facts) ? [] : facts.externals.flatMap(({ acr }) => [{}, ...acr.map((one) => ({ acr: one }))]);
    return !words.some((word) => reachedWith(facts, [{ amr: [], ...word }, APP]));
  }
  return !reachedWith(facts, possible(facts)) && externalsOf(facts).length === 0;
}

/**
 * The login journey, read from top to bottom: the first row that is due is the step to show.
 * A new step is one more row here and one more file in `steps/`.
 */
const TABLE: readonly Row[] = [
  // Whoever comes from a provider that knows them and is nobody's here says first what is to become of it.
  { step: 'external', due: ({ state }) => state.linking !== undefined && !state.linkWanted },
  { step: 'identify', due: (facts) => facts.state.username === undefined },
  // As much as the account can show can't be shown here, a passkey on another device, say: their sign-in goes on without.
  { step: 'external', due: (facts) => links(facts) && hopeless(facts) },
  // Said before anybody types a password for nothing (RFC 9470 §5); of a stranger's name nothing is told.
  { step: 'unmet', due: hopeless },
  { step: 'external', due: (facts) => facts.state.known === true && !authenticated(facts) && hasOnlyExternal(facts) },
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
  { step: 'external', due: reproofDue },
  { step: 'enrol-totp', due: mayEnrol },
  { step: 'external', due: externalDue },
  { step: 'external', due: (facts) => links(facts) && missing(facts) },
  { step: 'unmet', due: missing },
  { step: 'recovery-codes', due: (facts) => facts.state.codes !== undefined },
  { step: 'offer-passkey', due: (facts) => facts.state.offer !== undefined },
];

/** Pure: from facts to the step that is due, or `finished`. */
export function nextStep(facts: Facts): Next {
  const what = judged(facts);
  if (wantsLogin(facts)) return TABLE.find((row) => row.due(what))?.step ?? 'finished';
  return facts.state.consented ? 'finished' : 'consent';
}
