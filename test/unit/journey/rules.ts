import type { Facts, Next } from '../../../src/journey/next-step.ts';
import type { LevelDemand, Proof } from '../../../src/journey/state.ts';

/**
 * What `next-step.ts` is judged by: the words of the issue and of the journeys (J1, J2, J4, J7), said a second
 * time without any of its helpers and without the ladder.
 */
export interface Rule {
  readonly says: string;
  readonly holds: (situation: Situation, step: Next) => boolean;
}

type Performed = Pick<Proof, 'amr' | 'attested' | 'acr'>;

/** Names of the levels as the configuration has them by default, and what each is worth. */
const WORTH: Readonly<Record<string, number>> = {
  'https://refeds.org/profile/sfa': 1,
  'https://refeds.org/profile/mfa': 2,
  phr: 3,
  phrh: 4,
};

/** Levels of the state, lowest first, which nothing but a provider vouches for; and what each is worth here. */
const STATE = ['low', 'substantial', 'high'].map((level) => `http://eidas.europa.eu/LoA/${level}`);
const WORTH_OF_STATE = [1, 2, 2];

export interface Worth {
  /** By our own levels, lowest 1. */
  readonly own: number;
  /** By those of the state, lowest 0; -1: none. */
  readonly state: number;
}

const includesAny = (amr: readonly string[], methods: readonly string[]): boolean =>
  methods.some((method) => amr.includes(method));
const isKnowledge = ({ amr }: Performed): boolean => amr.includes('pwd');
const isPossession = ({ amr }: Performed): boolean => includesAny(amr, ['otp', 'sms', 'hwk', 'swk']);
const isVerifiedPasskey = ({ amr }: Performed): boolean => includesAny(amr, ['hwk', 'swk']) && amr.includes('mfa');

/** What a provider vouches for is worth what the regulation asks of that level, and something other than what one has. */
export function worthOf(performed: readonly Performed[]): Worth {
  const state = Math.max(-1, ...performed.map(({ acr }) => STATE.indexOf(acr ?? '')));
  const withLevel = state >= 0 && performed.some(isPossession) ? 2 : (WORTH_OF_STATE[state] ?? 0);
  return { own: Math.max(ownOf(performed.filter(({ amr }) => amr.length > 0)), withLevel), state };
}

/** Two factors: something one knows and something one has, or a passkey that verified its user. */
function ownOf(performed: readonly Performed[]): number {
  if (performed.some((one) => isVerifiedPasskey(one) && one.attested)) return 4;
  if (performed.some(isVerifiedPasskey)) return 3;
  if (performed.some(isKnowledge) && performed.some(isPossession)) return 2;
  return performed.length > 0 ? 1 : 0;
}

/** Each demand has to be reached, by any one of the names it gives; a name that no level has never is. */
export const isReached = (demands: readonly Pick<LevelDemand, 'acr'>[], { own, state }: Worth): boolean =>
  demands.every(({ acr }) =>
    acr.some((name) =>
      STATE.includes(name) ? STATE.indexOf(name) <= state : (WORTH[name] ?? Number.POSITIVE_INFINITY) <= own,
    ),
  );

const PASSWORD: Performed = { amr: ['pwd'] };
const CODE: Performed = { amr: ['otp'] };
const MESSAGE: Performed = { amr: ['sms'] };
const PASSKEY: Performed = { amr: ['hwk', 'user', 'mfa'], attested: true };

/** Each page that asks for a proof beside the password: whose it is, and what it would show. */
const SECOND = {
  totp: { factor: 'totp', shows: CODE },
  sms: { factor: 'sms', shows: MESSAGE },
  'recovery-code': { factor: 'recovery-codes', shows: CODE },
  passkey: { factor: 'passkey', shows: PASSKEY },
} as const;
type SecondStep = keyof typeof SECOND;
const isSecond = (step: Next): step is SecondStep => step in SECOND;

/** One state of a journey, with what follows from it in plain words. */
export interface Situation {
  readonly facts: Facts;
  /** Who it is was proven, or is known as they are signed in here. */
  readonly isTold: boolean;
  readonly isProven: boolean;
  /** Everything demanded by request, client and account is reached by the proofs held. */
  readonly isEnough: boolean;
  /** Pages beside the password's that would reach it, for this person in this browser. */
  readonly seconds: readonly SecondStep[];
  /** Somebody came from a provider and has not said yet what is to become of it. */
  readonly isUndecided: boolean;
  /** Providers offered that would reach it, whatever else the person has. */
  readonly providers: readonly string[];
  /** The password, added to what was shown, reaches it. */
  readonly isPasswordMissing: boolean;
  /** An app set up now would reach it, and what was shown is all that the account can show. */
  readonly isAppMissing: boolean;
  /** Everything that this person could show or set up, here, reaches it. */
  readonly isReachable: boolean;
  /** Somebody who came by a provider when the account was made. */
  readonly hasNothingElse: boolean;
  readonly has: (factor: string) => boolean;
}

export function situationOf(facts: Facts): Situation {
  const { state, demand, browser } = facts;
  // To link an identity, only what was proven in this journey and of this account counts.
  const linksIt = state.linkWanted === true;
  const proofs = linksIt
    ? state.proofs.filter(({ factor }) => factor !== 'session' && factor !== 'external')
    : state.proofs;
  const isProven = proofs.length > 0;
  const isTold = isProven || state.known === true;
  const enrolled = isTold ? (state.enrolled ?? []) : [];
  const mostEnrolled = worthOf(enrolled).own;
  // … and as much as the account can show.
  const toLink = Object.keys(WORTH).filter((name) => linksIt && WORTH[name] === mostEnrolled);
  const own = [state.required, ...toLink].filter((name) => isTold && name !== undefined);
  const demands: readonly LevelDemand[] = [
    ...demand.levels,
    ...own.map((name) => ({ source: 'account', acr: [name ?? ''] }) as const),
  ];
  const has = (factor: string): boolean => enrolled.some((one) => one.factor === factor);
  // After a proof, a trusted device is as good as a code where account or organisation ask; where a portal
  // does, if its file says so.
  // Where an identity waits to be linked, it spares nobody anything.
  const isOwn = ({ source }: LevelDemand): boolean => source === 'account' || source === 'organisation';
  const isSpared = (level: LevelDemand): boolean =>
    state.linking === undefined && (isOwn(level) || demand.trustedDeviceSuffices === true);
  const spared = state.trusted ? demands.filter(isSpared) : [];
  const strict = state.trusted ? demands.filter((one) => !isSpared(one)) : demands;
  const reaches = (more: readonly Performed[]): boolean => {
    const all = [...proofs, ...more];
    // What is still to be linked counts for the portal, once whose account it is was shown, and never for the account.
    const held = all.length > 0 && state.linking?.acr !== undefined ? [{ amr: [], acr: state.linking.acr }] : [];
    if (!isReached(strict.filter(isOwn), worthOf(all))) return false;
    if (
      !isReached(
        strict.filter((level) => !isOwn(level)),
        worthOf([...all, ...held]),
      )
    )
      return false;
    return spared.length === 0 || isReached(spared, worthOf(all.length > 0 ? [...all, CODE] : all));
  };
  // A passkey that answered in this journey showed what it can.
  const answered = proofs.some(({ factor }) => factor === 'passkey');
  const isUsable = (step: SecondStep): boolean =>
    has(SECOND[step].factor) && (step !== 'passkey' || (browser.passkeys !== false && !answered));
  const usable = (Object.keys(SECOND) as SecondStep[]).filter(isUsable);
  const isEnough = reaches([]);
  const seconds = isProven && !isEnough ? usable.filter((step) => reaches([SECOND[step].shows])) : [];
  const possible = [...(has('password') ? [PASSWORD] : []), ...usable.map((step) => SECOND[step].shows)];
  const hasNothingElse = isTold && state.enrolled?.length === 0 && facts.externals.length > 0 && !linksIt;
  // Setting one up asks for a fresh proof.
  const couldProve = facts.fresh || has('password') || hasNothingElse;
  const couldSetUp = couldProve && !has('totp') && worthOf([...proofs, ...possible]).own >= mostEnrolled;
  const everything = [...possible, ...(couldSetUp ? [CODE] : [])];
  const words = facts.externals.flatMap(({ acr }) => ['', ...acr]);
  const providers = facts.externals
    .filter(({ acr }) => !linksIt && acr.some((level) => reaches([{ amr: [], acr: level }])))
    .map(({ id }) => id);
  return {
    facts,
    isTold,
    isProven,
    isEnough,
    seconds,
    isPasswordMissing:
      isProven &&
      !isEnough &&
      has('password') &&
      !proofs.some(isKnowledge) &&
      (reaches([PASSWORD]) || reaches(everything)),
    isAppMissing:
      isProven &&
      !isEnough &&
      seconds.length === 0 &&
      !has('totp') &&
      worthOf(proofs).own >= mostEnrolled &&
      reaches([CODE]),
    isUndecided: state.linking !== undefined && !state.linkWanted,
    providers,
    isReachable:
      providers.length > 0 ||
      ((isProven || possible.length > 0) && reaches(everything)) ||
      (!isProven && hasNothingElse && words.some((acr) => reaches([{ amr: [], acr }, CODE]))),
    hasNothingElse,
    has,
  };
}

const isWaiting = ({ facts: { state } }: Situation): boolean => state.codes !== undefined || state.offer !== undefined;

export const RULES: readonly Rule[] = [
  {
    says: 'what is to become of an identity that nobody has linked comes first, and is asked once',
    holds: ({ isUndecided }, step) => !isUndecided || step === 'external',
  },
  {
    says: 'nobody is sent to a provider but who lacks what it vouches for and can show nothing here that would do',
    holds: (s, step) => {
      const { isUndecided, isProven, isEnough, hasNothingElse, seconds, providers } = s;
      const { state, fresh } = s.facts;
      if (step !== 'external' || isUndecided || state.linkWanted) return true;
      if (!isProven) return hasNothingElse;
      if (s.isAppMissing && !fresh) return hasNothingElse;
      return !isEnough && seconds.length === 0 && providers.length > 0 && state.linking === undefined;
    },
  },
  {
    says: 'that an identity can not be linked is said only where what the account can show can not be shown here',
    holds: (s, step) =>
      step !== 'external' ||
      !s.facts.state.linkWanted ||
      s.isUndecided ||
      !s.isReachable ||
      (s.isProven && !s.isEnough && s.seconds.length === 0 && !s.isPasswordMissing && !s.isAppMissing),
  },
  {
    says: 'who it is comes first, and is asked once',
    holds: ({ facts, isUndecided }, step) =>
      isUndecided || (step === 'identify') === (facts.state.username === undefined),
  },
  {
    says: 'nobody gets through below what request, client and account demand, or without a proof',
    holds: (s, step) =>
      step !== 'finished' ||
      (s.facts.state.username !== undefined && s.isProven && s.isEnough && !isWaiting(s) && !s.isUndecided),
  },
  {
    says: 'whoever showed enough is asked for nothing more: what is left to tell is told, then it is over',
    holds: (s, step) => {
      if (s.facts.state.username === undefined || !s.isProven || !s.isEnough || s.isUndecided) return true;
      if (s.facts.state.codes !== undefined) return step === 'recovery-codes';
      return step === (s.facts.state.offer === undefined ? 'finished' : 'offer-passkey');
    },
  },
  {
    says: 'nothing is told or offered before enough was shown',
    holds: (s, step) => (step !== 'recovery-codes' && step !== 'offer-passkey') || (s.isProven && s.isEnough),
  },
  {
    says: 'nobody is asked for what they have not enrolled, or their browser can not do',
    holds: ({ facts: { state, browser }, isTold, has }, step) => {
      if (step === 'passkey') return browser.passkeys !== false && (isTold ? has('passkey') : state.passkey === true);
      if (step === 'password') return !isTold || has('password');
      return !isSecond(step) || has(SECOND[step].factor);
    },
  },
  {
    says: 'an app is set up only after a fresh proof, where it is missing and nothing stronger is enrolled',
    holds: ({ isAppMissing, facts }, step) => step !== 'enrol-totp' || (isAppMissing && facts.fresh),
  },
  {
    says: 'after a first proof, a second factor is asked for only where it is what is missing',
    holds: ({ isProven, seconds }, step) => !isSecond(step) || (isProven ? seconds.includes(step) : step === 'passkey'),
  },
  {
    says: 'after a first proof, the password is asked for only where it is what is missing, or setting up an app is due',
    holds: ({ isProven, seconds, isPasswordMissing, isAppMissing, facts }, step) =>
      step !== 'password' || !isProven || (seconds.length === 0 && isPasswordMissing) || (isAppMissing && !facts.fresh),
  },
  {
    says: 'the way that the person chose is taken where it leads on; else the app comes first',
    holds: ({ seconds, isUndecided, facts: { state } }, step) => {
      if (isUndecided) return true;
      const chosen = seconds.find((way) => way === state.way);
      if (chosen) return step === chosen;
      return seconds.includes('totp') ? step === 'totp' : seconds.length === 0 || isSecond(step);
    },
  },
  {
    says: 'a passkey usable here is offered at once, unless the person prefers a password that leads on',
    holds: ({ isProven, isTold, isReachable, isUndecided, hasNothingElse, facts }, step) => {
      const { state, demand, browser } = facts;
      if (isUndecided || state.username === undefined || isProven || (isTold && !isReachable)) return true;
      // Who has nothing here came by a provider before.
      if (hasNothingElse) return step === 'external';
      if (state.instead === 'password' && isReached(demand.levels, worthOf([PASSWORD, CODE])))
        return step === 'password';
      if (state.passkey !== true || browser.passkeys === false) return step === 'password';
      if (browser.passkeys || !isReached(demand.levels, worthOf([PASSWORD]))) return step === 'passkey';
      return isTold || step === 'password';
    },
  },
  {
    says: 'unmet is never said of a name that was only typed',
    holds: ({ isTold }, step) => step !== 'unmet' || isTold,
  },
  {
    says: 'unmet is said only where nothing that the person has or could set up, here, would do',
    holds: ({ isReachable }, step) => step !== 'unmet' || !isReachable,
  },
  {
    says: 'unmet is said at once to whoever is signed in: they are asked for nothing in vain',
    holds: ({ facts: { state }, isReachable, isUndecided }, step) =>
      !state.known || isReachable || isUndecided || step === (state.linkWanted ? 'external' : 'unmet'),
  },
];
