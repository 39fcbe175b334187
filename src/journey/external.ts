import { may, readIdentifier } from '../accounts/index.ts';
import type { Linking } from '../credentials/index.ts';
import {
  type Identity,
  type Offered,
  refusal,
  TRANSACTION_LIFETIME,
  UpstreamError,
  type UpstreamReason,
} from '../federation/index.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Account, Profile } from '../storage/ports.ts';
import { isTold, provenHere } from './next-step.ts';
import type { JourneyState, Proof } from './state.ts';
import { enrolledOf } from './steps/enrolled.ts';
import { bindingOf } from './steps/external.ts';
import {
  type Facts,
  NOBODY,
  type StepContext,
  type StepEvent,
  type StepForm,
  type StepOutcome,
  type StepServices,
} from './steps/step.ts';

const PREFIX = 'external:';
const PURPOSE = 'sign-in';

/** The provider whose button was pressed, if it is one that stands on the page. */
export function chosenProvider({ alternative = '' }: StepForm, { externals }: StepContext): Offered | undefined {
  if (!alternative.startsWith(PREFIX)) return undefined;
  return externals.find(({ id }) => id === alternative.slice(PREFIX.length));
}

/** The way to an external provider and back, and what its word is worth here. */
export interface ExternalJourney {
  /** @returns where to send the browser @throws VestibuleError `external_failed` (502) */
  begin(provider: Offered, state: JourneyState, context: StepContext): Promise<string>;
  /** @throws VestibuleError `external_failed` (400, 502), `external_expired` (400) */
  finish(provider: string, answer: string, state: JourneyState, context: StepContext): Promise<StepOutcome>;
  /** Makes an account of what the provider says, where the operator lets it. */
  create(state: JourneyState, context: StepContext): Promise<StepOutcome>;
  /** Links what is held to the account once as much was proven as the account can show. */
  link(state: JourneyState, context: StepContext): Promise<{ facts?: Facts; events?: readonly StepEvent[] }>;
}

export function createExternalJourney({ services }: { services: StepServices }): ExternalJourney {
  const { accounts, credentials, federation, upstreamSessions, ladder, notices, clock, random } = services;
  const { external } = credentials;

  /** Switched off since, or taken from this portal: it has no say here any more (security-catalogue: disabled IdP). */
  const isOffered = (provider: string, { origin }: StepContext): boolean =>
    federation.offered(origin.clientId).some(({ id }) => id === provider);

  /** Somebody the identity belongs to. */
  const signIn = async (
    identity: Identity,
    accountId: string,
    state: JourneyState,
    context: StepContext,
  ): Promise<StepOutcome> => {
    const account = await accounts.find(accountId);
    const { provider } = identity;
    const refused = (code: string): StepOutcome => ({
      problem: { code, values: { provider } },
      events: [{ event: 'login.failed', accountId, details: { factor: 'external', provider, reason: code } }],
    });
    if (!account || !may(account, 'eid')) return refused('external_refused');
    // Whoever is signed in, or proved who they are, stays that person.
    if (isTold(state) && state.accountId !== account.id) return refused('external_other_person');
    await Promise.all([
      upstreamSessions.remember(context.uid, account.id, identity),
      state.linking && external.release(bindingOf(context.uid)),
    ]);
    const { id, username, generation } = account;
    const person = isTold(state) ? {} : { ...NOBODY, username, accountId: id, generation };
    return {
      facts: {
        ...person,
        linking: undefined,
        linkWanted: undefined,
        proofs: [...(isTold(state) ? state.proofs : []), proofOf(identity)],
        ...(await enrolledOf(account, context.device, services)),
      },
      events: [{ event: 'login.succeeded', accountId, details: { factor: 'external', provider } }],
    };
  };

  /** @param generation of the account when what links it was proven */
  const linkTo = (
    { accountId, generation }: { accountId: string; generation: number | undefined },
    identity: Identity,
    { record, origin }: StepContext,
  ): Promise<Linking> => {
    const { provider } = identity;
    const name = nameIn(federation.find(provider)?.name ?? provider, origin.language);
    return external.link(accountId, identity, async () => {
      // Signed out everywhere while this was under way: whoever came back may be who was shut out.
      const account = await accounts.find(accountId);
      if (!may(account, 'eid') || account?.generation !== generation)
        throw new VestibuleError('changed_meanwhile', 409);
      await record({ event: 'identity.linked', accountId, details: { provider } });
      return notices.about(accountId, { event: 'identity_linked', values: { provider: name } });
    });
  };

  /**
   * Whom an address stands for, where the operator takes the provider's word for it: both sides have confirmed it, and the
   * account has nothing but a password, at most, that would have to be shown.
   */
  const accountByEmail = async (identity: Identity): Promise<Account | undefined> => {
    const email = federation.confirmedEmail(identity);
    if (email === undefined || !federation.policy(identity.provider)?.automatic_by_email) return undefined;
    const read = readIdentifier(email);
    const account = 'problem' in read ? undefined : await accounts.findByIdentifier(read.identifier);
    if (!account?.emailVerified || !may(account, 'eid')) return undefined;
    // Names that fold alike (straße and strasse, a dotless ı) are other mailboxes, of other people.
    if (asciiFolded(account.email ?? '') !== asciiFolded(email)) return undefined;
    const [enrolled, identities] = await Promise.all([credentials.potential(account.id), external.list(account.id)]);
    const hasOnlyPassword = enrolled.every(({ factor }) => factor === credentials.password.id);
    // An address may have gone to somebody else since whoever has the account linked what they sign in with.
    return hasOnlyPassword && identities.length === 0 ? account : undefined;
  };

  /**
   * Whether the provider must not answer from a session of its own: for whoever is to prove anew who they are, has nothing
   * else to prove it with, or may be about to link. That session may be somebody else's who uses the same computer.
   */
  const isAskedThere = async (state: JourneyState, provider: string): Promise<boolean> => {
    if (!isTold(state) || state.accountId === undefined) return false;
    if (state.proofs.length === 0 || !state.enrolled?.length) return true;
    return !(await external.list(state.accountId)).some((identity) => identity.provider === provider);
  };

  /** Another window may have put another provider's in its place: the rules of one are not those of the other. */
  const heldOf = async (provider: string | undefined, binding: string): Promise<Identity | undefined> => {
    const identity = await external.held(binding);
    return identity?.provider === provider ? identity : undefined;
  };

  const proofOf = ({ acr, authTime }: Identity): Proof => ({
    factor: 'external',
    // What was performed was performed there: only what it is worth is vouched for.
    amr: [],
    ...(acr === undefined ? {} : { acr }),
    at: Math.min(authTime ?? Number.POSITIVE_INFINITY, epochSeconds(clock)),
  });

  /** @returns what the person is told on the page they left, where it is theirs to mend; else it is thrown */
  const failed = async (provider: string, error: unknown, { record }: StepContext): Promise<StepOutcome> => {
    if (!(error instanceof UpstreamError)) throw error;
    const { reason } = error;
    const event = { event: 'login.failed', details: { factor: 'external', provider, reason } };
    const code = SAID_ON_THE_PAGE[reason];
    if (code) return { problem: { code, values: { provider } }, events: [event] };
    await record(event);
    throw refusal(provider, error);
  };

  return {
    async begin({ id, acr }, state, { uid, demand, maxAge, isAskedAnew, origin }) {
      const enough = acr.filter((level) => demand.levels.every((one) => ladder.meets(level, one.acr)));
      const wanted = {
        acr: demand.levels.length > 0 && enough.length > 0 ? enough : undefined,
        maxAge,
        login: isAskedAnew || (await isAskedThere(state, id)) ? true : undefined,
        language: origin.language,
      };
      const on = {
        provider: id,
        purpose: PURPOSE,
        binding: bindingOf(uid),
        resume: `/interaction/${uid}/external/${id}`,
      };
      return federation.begin(on, wanted).catch((error: unknown) => {
        throw error instanceof UpstreamError ? refusal(id, error) : error;
      });
    },

    async finish(provider, answer, state, context) {
      const { uid } = context;
      let identity: Identity;
      try {
        if (!isOffered(provider, context)) throw new UpstreamError('transaction', 'not offered at this portal');
        identity = await federation.redeem(answer, { provider, purpose: PURPOSE, binding: bindingOf(uid) });
      } catch (error) {
        return failed(provider, error, context);
      }
      const accountId = await external.accountOf(identity);
      if (accountId !== undefined) return signIn(identity, accountId, state, context);
      const other = { problem: { code: 'external_other_person', values: { provider } } };
      const events = [{ event: 'identity.unknown', details: { provider } }];
      // Nothing here to prove with that it is their account: only what is linked to it already will do.
      if (isTold(state) && !state.enrolled?.length) return { ...other, events };
      const trusted = isTold(state) ? undefined : await accountByEmail(identity);
      if (trusted && (await linkTo({ ...trusted, accountId: trusted.id }, identity, context)) === 'linked')
        return signIn(identity, trusted.id, state, context);
      // Nobody's yet; so that the end of the session there ends this sign-in, too.
      await upstreamSessions.remember(uid, NOBODYS, identity);
      await external.hold(bindingOf(uid), identity);
      const { acr } = identity;
      const linking = { provider, ...(acr === undefined ? {} : { acr }) };
      // Asked whoever it is: the identity may be somebody else's who uses the same computer.
      return { facts: { linking, linkWanted: undefined }, events };
    },

    async create(state, context) {
      const { linking, language } = state;
      const binding = bindingOf(context.uid);
      // Whoever has an account is not made another.
      if (isTold(state)) return { facts: {} };
      const policy = linking && isOffered(linking.provider, context) ? federation.policy(linking.provider) : undefined;
      const identity = policy?.create_accounts ? await heldOf(linking?.provider, binding) : undefined;
      // Taken before anything is made of it: of two presses one makes an account.
      if (!linking || !identity || !(await external.release(binding))) return { facts: { linking: undefined } };
      const email = federation.confirmedEmail(identity);
      const username = email ?? `${linking.provider}-${random.bytes(5).toString('hex')}`;
      // A profile is told to every portal: not what the provider's file releases to some alone.
      const released = new Set(
        federation.releases.flatMap((one) =>
          one.provider === linking.provider ? Object.values(one.clients).flat() : [],
        ),
      );
      const profile = profileOf(identity.claims, released);
      const person = { username, profile, ...(email === undefined ? {} : { email, emailVerified: true }) };
      const account = await accounts.add(person).catch((error: unknown) => {
        if (error instanceof VestibuleError && error.code === 'username_taken') return undefined;
        throw error;
      });
      if (!account) {
        await external.hold(binding, identity);
        return { problem: { code: 'external_exists' } };
      }
      await context.record({ event: 'people.added', accountId: account.id, details: { provider: linking.provider } });
      if ((await linkTo({ ...account, accountId: account.id }, identity, context)) !== 'linked')
        return { problem: { code: 'external_taken' } };
      const nobody = { uid: context.uid, clientId: context.origin.clientId, proofs: [] };
      return signIn(identity, account.id, language === undefined ? nobody : { ...nobody, language }, context);
    },

    async link(state, context) {
      const { accountId, generation, linking, linkWanted, enrolled = [] } = state;
      const here = provenHere(state.proofs, linkableSince(services));
      if (!linking || !linkWanted || accountId === undefined || here.length === 0) return {};
      // A password alone must not be enough to add a way in to an account that has a second factor.
      if (!ladder.mayChangeFactors(here, enrolled)) return {};
      const { provider } = linking;
      const over = { linking: undefined, linkWanted: undefined };
      const identity = await heldOf(provider, bindingOf(context.uid));
      if (!identity || !(await external.release(bindingOf(context.uid)))) return { facts: over };
      const isThere = isOffered(provider, context);
      const outcome = isThere ? await linkTo({ accountId, generation }, identity, context) : 'not_available';
      if (outcome === 'linked') await upstreamSessions.remember(context.uid, accountId, identity);
      if (outcome === 'linked') return { facts: { ...over, proofs: [...state.proofs, proofOf(identity)] } };
      return {
        facts: { ...over, notice: { code: `external_${outcome}`, provider } },
        events: [{ event: 'identity.refused', accountId, details: { provider, reason: outcome } }],
      };
    },
  };
}

/**
 * Proofs older than that, in seconds since the epoch, add no way in: as long as in the account area, with the way to a
 * provider and back.
 */
export const linkableSince = ({ clock, proofAge }: Pick<StepServices, 'clock' | 'proofAge'>): number =>
  epochSeconds(clock) - proofAge - TRANSACTION_LIFETIME;

/** What the person can do something about. */
const SAID_ON_THE_PAGE: Readonly<Partial<Record<UpstreamReason, string>>> = {
  cancelled: 'external_cancelled',
  level: 'external_level',
};

/** Claims that an account keeps of what the provider says. */
const KEPT = [
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
] as const;

/** Characters of one of them: it stands in tokens, and is read with the account at every request. */
const LONGEST_KEPT = 255;

const profileOf = (claims: Identity['claims'], except: ReadonlySet<string>): Profile =>
  Object.fromEntries(
    KEPT.flatMap((name) => {
      const value = claims[name];
      return typeof value === 'string' && value.length <= LONGEST_KEPT && !except.has(name) ? [[name, value]] : [];
    }),
  );

const asciiFolded = (address: string): string => address.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** In the place of an account: of an identity that is still to be linked. */
const NOBODYS = '';

/** As the person reads it on the pages. */
const nameIn = (name: Offered['name'], language = ''): string =>
  typeof name === 'string' ? name : (new Map(Object.entries(name)).get(language) ?? Object.values(name)[0] ?? '');
