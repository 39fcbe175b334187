import { may } from '../accounts/index.ts';
import { ENROLMENT_LIFETIME } from '../credentials/index.ts';
import type { Offered } from '../federation/index.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { JourneyStore } from '../storage/ports.ts';
import { chosenProvider, createExternalJourney, linkableSince } from './external.ts';
import { externalWays, type Facts, type Next, nextStep, secondWays } from './next-step.ts';
import { type JourneyState, loadState, type Proof, type StoredJourney, saveState } from './state.ts';
import { enrolledOf } from './steps/enrolled.ts';
import { guesserOf } from './steps/guesser.ts';
import { isStepId, stepOf } from './steps/index.ts';
import {
  NOBODY,
  type Problem,
  type StepContext,
  type StepEvent,
  type StepForm,
  type StepId,
  type StepOutcome,
  type StepServices,
  type StepView,
} from './steps/step.ts';

/** The interaction as the protocol side tells it. */
export interface JourneyInput extends Omit<StepContext, 'ways' | 'externals'> {
  readonly clientId: string;
  /** The person already signed in here, who is asked again. */
  readonly signedIn?: SignedIn;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

interface Person {
  readonly accountId: string;
  readonly username: string;
  readonly generation: number;
  readonly minimumAcr?: string | undefined;
}

export interface SignedIn extends Person {
  /** What the session was begun with; absent where the portal wants everything proven anew. */
  readonly session?: { readonly amr: readonly string[]; readonly acr: string | undefined; readonly at: number };
}

export type Showing = {
  readonly step: StepId;
  readonly state: JourneyState;
  readonly view: StepView;
  /** Offered on the page. */
  readonly externals: readonly Offered[];
  readonly problem?: Problem;
};

export type Submitted =
  /** Show (redirect to) the step that is due now. */
  | { readonly go: StepId; readonly events: readonly StepEvent[] }
  /** The same page again. */
  | { readonly again: Showing; readonly events: readonly StepEvent[] }
  | {
      readonly finished: Ended;
      readonly events: readonly StepEvent[];
      /** To be called together with the answer. */
      readonly settle: () => Promise<void>;
    }
  | { readonly refused: Refusal; readonly events: readonly StepEvent[] }
  /** To an external provider. */
  | { readonly leave: string; readonly events: readonly StepEvent[] };

/** OAuth errors the portal is told: the person cancelled, or can't reach what is demanded (RFC 9470 §5). */
export type Refusal = 'access_denied' | 'unmet_authentication_requirements';

/** What is left of a journey that ended. */
export type Ended = Pick<JourneyState, 'accountId' | 'generation' | 'proofs' | 'language' | 'trust'>;

export interface Journeys {
  /** The step that is due, or `finished` when the journey has nothing left to ask. */
  current(input: JourneyInput): Promise<Showing | 'finished' | { readonly refused: Refusal }>;
  /** What the page's script needs to begin; the step to show instead when another one is due by now. */
  begin(step: string, form: StepForm, input: JourneyInput): Promise<{ options: unknown } | { go: StepId }>;
  /** @param step the page the form was on; when another step is due, that one is shown and nothing is evaluated */
  submit(step: string, form: StepForm, input: JourneyInput): Promise<Submitted>;
  /** Goes on with what an external provider answered. @param answer `state` of the transaction */
  returned(provider: string, answer: string, input: JourneyInput): Promise<Submitted>;
  /**
   * Goes on with somebody who has just chosen a new password by a mailed link: the journey knows who it is, and
   * that they know the password. @returns undefined where somebody else is being asked
   */
  adopt(accountId: string, input: JourneyInput): Promise<Submitted | undefined>;
  /** Remembers the language chosen on a page. */
  chooseLanguage(language: string, input: JourneyInput): Promise<void>;
  /** The client a journey belonged to and the language chosen in it, also after it ended: for the way back from an error page. */
  remembered(uid: string): Promise<Pick<JourneyState, 'clientId' | 'language'> | undefined>;
}

/**
 * How long a journey is remembered after its interaction would have expired: for "start again at …" on the page of
 * one that was finished. Of one that was abandoned the interaction itself is remembered, and longer. Seconds.
 */
const AFTERLIFE = 3600;

export function createJourneys(deps: { store: JourneyStore; services: StepServices }): Journeys {
  const { store, services } = deps;
  const { accounts, attempts, credentials, federation, ladder, clock, proofAge } = services;

  const load = async (input: JourneyInput): Promise<StoredJourney> => {
    const { state, version } = (await loadState(store, input.uid)) ?? { state: await first(input), version: 0 };
    if (!(await stillHolds(state))) return { state: { ...state, ...NOBODY } as JourneyState, version };
    // A lock may have been ended by its owner, elsewhere.
    if (state.lockedUntil === undefined) return { state, version };
    const lockedUntil = await attempts.lockedUntil(guesserOf(state, input, services));
    return { state: { ...state, lockedUntil } as JourneyState, version };
  };

  /**
   * Whether what was proven still counts: not for somebody suspended since, and not after the account's owner
   * signed out everywhere because somebody else was in (security-catalogue: incomplete revocation).
   */
  const stillHolds = async ({ accountId, proofs, generation }: JourneyState): Promise<boolean> => {
    if (accountId === undefined || proofs.length === 0) return true;
    const account = await accounts.find(accountId);
    return may(account, 'session') && account?.generation === generation;
  };

  /** Whoever is signed in and asked again is known. */
  const first = async (input: JourneyInput): Promise<JourneyState> => {
    const { uid, clientId, signedIn, demand } = input;
    const nobody = { uid, clientId, proofs: [] };
    if (!signedIn || demand.prompt !== 'login') return nobody;
    const { session, ...person } = signedIn;
    const proofs = session ? [proofOf(session)] : [];
    return { ...nobody, ...(await personIn(input, person)), known: true, proofs };
  };

  /** Somebody known from elsewhere than this journey, and what they sign in with. */
  const personIn = async (input: JourneyInput, { accountId, username, generation, minimumAcr }: Person) => {
    const rest = await enrolledOf({ id: accountId, minimumAcr }, input.device, services);
    const canUse = credentials.passkey.attainable.length > 0;
    const passkey = canUse && rest.enrolled?.some(({ factor }) => factor === 'passkey') === true;
    return { accountId, username, generation, passkey, ...rest } as Pick<JourneyState, 'accountId' | 'username'>;
  };

  /** A step-up asks only for what is missing: what the session was begun with counts as proven. */
  const proofOf = (session: NonNullable<SignedIn['session']>): Proof => ({
    factor: 'session',
    ...ladder.ofSession(session),
    at: session.at,
  });

  const save = (state: JourneyState, version: number, input: JourneyInput): Promise<boolean> =>
    saveState(store, state, version, input.expiresAt + AFTERLIFE);

  const show = async (
    step: StepId,
    state: JourneyState,
    input: JourneyInput,
    problem?: Problem,
    form?: StepForm,
  ): Promise<Showing> => ({
    step,
    state,
    view: { ...(await stepOf(step).view(state, contextOf(state, input), services, form)), ...linkingIn(state) },
    externals: contextOf(state, input).externals,
    ...(problem === undefined ? {} : { problem }),
  });

  const factsOf = (state: JourneyState, { demand, browser }: JourneyInput): Facts => {
    const now = epochSeconds(clock);
    // Whoever proved on the way who they are gets the time to set an app up.
    const fresh = state.proofs.some(
      ({ factor, at }) => now - at <= proofAge + (factor === 'session' ? 0 : ENROLMENT_LIFETIME),
    );
    return {
      state,
      demand,
      browser,
      ladder,
      now,
      fresh,
      linkableSince: linkableSince(services),
      externals: federation.offered(state.clientId),
    };
  };
  const due = (state: JourneyState, input: JourneyInput): Next => nextStep(factsOf(state, input));
  const contextOf = (state: JourneyState, input: JourneyInput): StepContext => {
    const facts = factsOf(state, input);
    const useful = externalWays(facts);
    const isKnown = state.proofs.length > 0;
    // Who links an identity proves the account by what it has here: another identity would not do.
    const offered = state.linkWanted ? [] : federation.offered(state.clientId);
    const externals = offered.filter(({ id }) => !isKnown || useful.includes(id));
    return { ...input, ways: secondWays(facts), externals };
  };
  const externalJourney = createExternalJourney({ services });

  const evaluate = (step: StepId, state: JourneyState, form: StepForm, context: StepContext): Promise<StepOutcome> => {
    if (step === 'external' && form.alternative === 'create') return externalJourney.create(state, context);
    // On each page of the proof: what it asks for may not be at hand, and the sign-in itself needs no link.
    const answering = state.linkWanted && form.alternative === 'back' ? stepOf('external') : stepOf(step);
    return answering.submit(state, form, context, services);
  };

  /** Where a journey stands that needs nothing more of this request. */
  const standing = (state: JourneyState, step: Next): Submitted => {
    if (step === 'finished') return finished(state, []);
    return step === 'unmet' ? { refused: UNMET, events: [] } : { go: step, events: [] };
  };

  /** Stores what was found out and says what is next. */
  const advance = async (
    found: JourneyState,
    { events = [], settle = nothing }: Pick<StepOutcome, 'events'> & { settle?: () => Promise<void> },
    version: number,
    input: JourneyInput,
  ): Promise<Submitted> => {
    const linked = await externalJourney.link(found, contextOf(found, input));
    const after = { ...found, ...linked.facts } as JourneyState;
    const all = [...events, ...(linked.events ?? [])];
    const next = due(after, input);
    // The end is recorded by the interaction itself, once; only what another page needs is written here.
    if (next === 'finished') return finished(after, all, settle);
    const [saved] = await Promise.all([save(after, version, input), settle()]);
    if (saved) return { ...standing(after, next), events: all };
    const { state: others } = await load(input);
    return { ...standing(others, due(others, input)), events: all };
  };

  return {
    async current(input) {
      const { state } = await load(input);
      const step = due(state, input);
      if (step === 'unmet') return { refused: UNMET };
      return step === 'finished' ? step : show(step, state, input, noticeIn(state));
    },

    async begin(wanted, form, input) {
      const { state } = await load(input);
      const step = due(state, input);
      if (step === 'finished' || step === 'unmet') throw new VestibuleError('session_expired', 400);
      const begin = stepOf(step).begin;
      if (wanted !== step || !begin) return { go: step };
      return { options: await begin(state, form, contextOf(state, input), services) };
    },

    async submit(posted, form, input) {
      const { state, version } = await load(input);
      const step = due(state, input);
      // Out of turn, a stale tab, a second click: the step that is due is shown, nothing is evaluated.
      if (!isStepId(posted) || posted !== step) return standing(state, step);
      if ('cancel' in form) return { refused: 'access_denied', events: [] };

      const context = contextOf(state, input);
      const provider = chosenProvider(form, context);
      if (provider) return { leave: await externalJourney.begin(provider, state, context), events: [] };
      const outcome = await evaluate(step, state, form, context);
      if ('problem' in outcome)
        return { again: await show(step, state, input, outcome.problem, outcome.form), events: outcome.events ?? [] };
      const { notice: _said, ...rest } = state;
      return advance({ ...rest, ...outcome.facts } as JourneyState, outcome, version, input);
    },

    async returned(provider, answer, input) {
      const { state, version } = await load(input);
      const outcome = await externalJourney.finish(provider, answer, state, contextOf(state, input));
      if (!('problem' in outcome))
        return advance({ ...state, notice: undefined, ...outcome.facts } as JourneyState, outcome, version, input);
      // Said on the step's own page, which may be loaded again.
      const after = { ...state, notice: { code: outcome.problem.code, provider } };
      await save(after, version, input);
      return { ...standing(after, due(after, input)), events: outcome.events ?? [] };
    },

    async adopt(accountId, input) {
      const { state, version } = await load(input);
      const account = await accounts.find(accountId);
      // Somebody signed in who is asked again was signed out by the new password: their request is over.
      if (!account || !may(account, 'recovery') || input.demand.prompt !== 'login' || state.known) return undefined;
      const proof: Proof = { factor: 'password', amr: credentials.password.amr, at: epochSeconds(clock) };
      const after = { ...state, ...NOBODY, ...(await personIn(input, { ...account, accountId })), proofs: [proof] };
      const events = [{ event: 'login.succeeded', accountId, details: { factor: 'password', by: 'recovery' } }];
      const next = due(after as JourneyState, input);
      if (next === 'finished') return finished(after as JourneyState, events);
      const saved = await save(after as JourneyState, version, input);
      return saved ? { ...standing(after as JourneyState, next), events } : undefined;
    },

    async chooseLanguage(language, input) {
      const { state, version } = await load(input);
      // Losing the race to another page of the same journey only loses a choice of language.
      if (state.language !== language) await save({ ...state, language }, version, input);
    },

    remembered: async (uid) => (await loadState(store, uid))?.state,
  };
}

const UNMET: Refusal = 'unmet_authentication_requirements';

const nothing = async (): Promise<void> => undefined;

/** What the person is proving their account for, to be said on each page of it. */
const linkingIn = ({ linking, linkWanted }: JourneyState): { linking?: string } =>
  linking && linkWanted ? { linking: linking.provider } : {};

const noticeIn = ({ notice }: JourneyState): Problem | undefined =>
  notice && { code: notice.code, values: { provider: notice.provider } };

const finished = (state: JourneyState, events: readonly StepEvent[], settle = nothing): Submitted => ({
  finished: state,
  events,
  settle,
});
