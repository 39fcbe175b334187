import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Interaction, type InteractionResults, type Provider } from 'oidc-provider';
import type { LevelDemand } from '../journey/index.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { ConsentStore } from '../storage/ports.ts';
import { OF_EVERYBODY } from './claims.ts';
import { type Asked, grantConsent } from './grants.ts';
import { ANOTHER_PERSON, AUTH_TIME, DEMANDED } from './policy.ts';
import { EID_SCOPE, type Releases } from './releases.ts';
import { GENERATION } from './sign-out.ts';

/** An authorization request that waits for a person, as the server remembers it. */
export interface PendingInteraction {
  readonly uid: string;
  readonly clientId: string;
  readonly prompt: 'login' | 'consent';
  /** Levels of assurance demanded by the request and the client's file. */
  readonly levels: readonly LevelDemand[];
  /** What the session was begun with, where only more assurance is missing: absent when all is to be proven anew. */
  readonly session:
    | { readonly amr: readonly string[]; readonly acr: string | undefined; readonly at: number }
    | undefined;
  /** Seconds the proof may be old (`max_age`). */
  readonly maxAge: number | undefined;
  /** `prompt=login`: what was proven before does not count. */
  readonly isAskedAnew: boolean;
  readonly expiresAt: number;
  /** Account already signed in here, unless the portal wants somebody else. */
  readonly accountId: string | undefined;
  /** Request parameters that only help: untrusted text. */
  readonly loginHint: string | undefined;
  readonly uiLocales: string | undefined;
  /** Language chosen on an earlier page of the same request. */
  readonly language: string | undefined;
  /** Scopes, claims and resources not granted yet; all that is requested when the portal asks for the page itself. */
  readonly asked: Asked;
  /** Claims among them that are told as an external provider says, or not at all. */
  readonly confirmed: readonly string[];
  /** Where the protocol goes on. Set once the interaction was answered: a second click follows it. */
  readonly answered: string | undefined;
}

export interface SignIn {
  readonly accountId: string;
  readonly amr: readonly string[];
  readonly acr: string | undefined;
  /** Of the account when it was proven. */
  readonly generation: number;
  /** When it was really performed; seconds since the epoch. */
  readonly at: number;
  /** Language chosen on the way, for the pages that follow. */
  readonly language?: string | undefined;
}

/** What the portal reads in the log of its own. */
const REFUSALS = {
  access_denied: 'the person cancelled',
  unmet_authentication_requirements: 'this person can not authenticate as demanded',
} as const;

export interface Interactions {
  /**
   * The interaction of this browser at this path, proven by its own cookie: a link opened in
   * another browser finds nothing (session fixation, login CSRF).
   * @throws VestibuleError `session_expired` (400)
   */
  find(req: IncomingMessage, res: ServerResponse, uid: string): Promise<PendingInteraction>;
  /** Answers with a sign-in. @returns where to send the browser */
  signIn(pending: PendingInteraction, signIn: SignIn): Promise<string>;
  /** Answers with what the person allowed. @returns where to send the browser */
  consent(pending: PendingInteraction): Promise<string>;
  /** Ends the request with an OAuth error at the portal. @returns where to send the browser */
  refuse(pending: PendingInteraction, error: keyof typeof REFUSALS): Promise<string>;
  /** Whose request an interaction answers, expired ones included: only for an error page's looks and its way back. */
  requestOf(uid: string): Promise<{ clientId: string | undefined; uiLocales: string | undefined }>;
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
/** As the request wrote it, or as a client's file says (`default_max_age`). */
const seconds = (value: unknown): number | undefined =>
  typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : undefined;

export function createInteractions(deps: {
  provider: Provider;
  consents: ConsentStore;
  releases: Releases;
  clock: Clock;
}): Interactions {
  const { provider, clock } = deps;
  /** The library's record belongs to the request that found it; it isn't handed out. */
  const records = new WeakMap<PendingInteraction, Interaction>();

  const answer = async (pending: PendingInteraction, result: InteractionResults): Promise<string> => {
    const record = records.get(pending);
    if (!record) throw new VestibuleError('session_expired', 400);
    // Results of an earlier prompt of the same request are kept for a consent, never for a sign-in.
    record.result = 'consent' in result ? { ...record.lastSubmission, ...result } : result;
    await record.save(record.exp - epochSeconds(clock));
    return record.returnTo;
  };

  return {
    async find(req, res, uid) {
      const record = await provider.interactionDetails(req, res).catch((error: unknown) => {
        throw error instanceof errors.SessionNotFound
          ? new VestibuleError('session_expired', 400, { cause: error })
          : error;
      });
      if (record.uid !== uid) throw new VestibuleError('session_expired', 400);
      const pending = describe(record, deps.releases);
      records.set(pending, record);
      return pending;
    },

    signIn: (pending, { accountId, generation, amr, acr, at, language }) =>
      // `ts` always: without it a later prompt's merge would move `auth_time`.
      answer(pending, {
        login: { accountId, amr: [...amr], ...(acr === undefined ? {} : { acr }), ts: at, remember: true },
        [GENERATION]: generation,
        ...(language === undefined ? {} : { language }),
      }),

    async consent(pending) {
      if (pending.accountId === undefined) throw new VestibuleError('session_expired', 400);
      const grantId = records.get(pending)?.grantId;
      const granted = await grantConsent(
        deps,
        { accountId: pending.accountId, clientId: pending.clientId, ...(grantId ? { grantId } : {}) },
        pending.asked,
      );
      return answer(pending, { consent: { grantId: granted } });
    },

    refuse: (pending, error) => answer(pending, { error, error_description: REFUSALS[error] }),

    async requestOf(uid) {
      const record = await provider.Interaction.find(uid, { ignoreExpiration: true });
      return { clientId: text(record?.params.client_id), uiLocales: text(record?.params.ui_locales) };
    },
  };
}

function describe(record: Interaction, releases: Releases): PendingInteraction {
  const { params, prompt, session } = record;
  const details = prompt.details as Record<string, unknown>;
  const resources = (details.missingResourceScopes ?? {}) as Record<string, unknown>;
  const scopes = strings(details.missingOIDCScope);
  const claims = strings(details.missingOIDCClaims);
  return {
    uid: record.uid,
    clientId: String(params.client_id),
    prompt: prompt.name === 'consent' ? 'consent' : 'login',
    levels: (details[DEMANDED] ?? []) as LevelDemand[],
    session: stepsUp(prompt.reasons) ? sessionIn(record) : undefined,
    maxAge: seconds(details.max_age),
    isAskedAnew: (text(params.prompt) ?? '').split(' ').includes('login'),
    expiresAt: record.exp,
    accountId: prompt.reasons.some((reason) => ANOTHER_PERSON.includes(reason)) ? undefined : session?.accountId,
    loginHint: text(params.login_hint),
    uiLocales: text(params.ui_locales),
    language: text(record.lastSubmission?.language),
    asked: {
      scopes,
      claims,
      resources: Object.fromEntries(Object.entries(resources).map(([indicator, names]) => [indicator, strings(names)])),
    },
    confirmed: confirmedOf({ scopes, claims }, releases.of(String(params.client_id))),
    answered: record.result === undefined ? undefined : record.returnTo,
  };
}

/** A claim that a profile may hold, too, is told as confirmed by a provider only where the scope `eid` says so. */
const confirmedOf = ({ scopes, claims }: Pick<Asked, 'scopes' | 'claims'>, released: readonly string[]): string[] =>
  released.filter((claim) => scopes.includes(EID_SCOPE) || (claims.includes(claim) && !OF_EVERYBODY.has(claim)));

/** Only more assurance is missing: neither a new sign-in nor a younger one, nor another person, was asked for. */
const stepsUp = (reasons: readonly string[]): boolean => reasons.every((reason) => reason === 'acr_unmet');

function sessionIn({ session, prompt }: Interaction): PendingInteraction['session'] {
  const at = (prompt.details as Record<string, unknown>)[AUTH_TIME];
  if (!session?.amr || typeof at !== 'number') return undefined;
  return { amr: session.amr, acr: session.acr, at };
}
