import type { Accounts } from '../../accounts/index.ts';
import type { Credentials } from '../../credentials/index.ts';
import type { Federation, Offered, UpstreamSessions } from '../../federation/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { Notices } from '../../notifications/index.ts';
import type { Recovery } from '../../recovery/index.ts';
import type { Ladder } from '../assurance.ts';
import type { Attempts } from '../attempts.ts';
import type { Demand, JourneyState, Second } from '../state.ts';

export type StepId =
  | 'identify'
  | 'passkey'
  | 'password'
  | 'locked'
  | 'external'
  | 'totp'
  | 'sms'
  | 'recovery-code'
  | 'enrol-totp'
  | 'recovery-codes'
  | 'offer-passkey'
  | 'consent';

/** Form fields as posted: single strings only, anything else was refused before. */
export type StepForm = Readonly<Record<string, string>>;

/** What a third-party client asks for and has not been granted yet. */
export interface ConsentRequest {
  readonly username: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly resources: readonly { readonly indicator: string; readonly scopes: readonly string[] }[];
  readonly offline: boolean;
}

/** Where the request came from and what the portal asked for; never taken from a form. */
export interface StepContext {
  readonly demand: Demand;
  /** Of the interaction. */
  readonly uid: string;
  /** Prefilled name (`login_hint`), untrusted. */
  readonly loginHint?: string;
  readonly consent?: ConsentRequest;
  /** Ways to what is still missing that the person has, the one on show among them. */
  readonly ways: readonly Second[];
  /** External providers: those that could vouch for what is missing once somebody is known, else all that are offered. */
  readonly externals: readonly Offered[];
  /** Network of the visitor (`addressPrefix`). */
  readonly address: string;
  readonly browser: BrowserAbilities;
  /** Random id of the browser, in a cookie since it was trusted with somebody. */
  readonly device?: string | undefined;
  /** What the browser holds since somebody signed in with it (`credentials/known-devices.ts`). */
  readonly knownDevices?: string | undefined;
  /** For the mail that leads back to this sign-in. */
  readonly origin: { readonly uid: string; readonly clientId: string; readonly language?: string | undefined };
  /** Records something before it is done: what can't be recorded is not done. */
  record(event: StepEvent): Promise<void>;
  /** Seconds a proof may be old when the portal gets its answer (`max_age`). */
  readonly maxAge?: number | undefined;
  /** The portal wants the person to prove who they are whatever was proven before (`prompt=login`). */
  readonly isAskedAnew?: boolean;
}

/** What the browser says it can do: decides which page is shown, never what is granted. */
export interface BrowserAbilities {
  /** `undefined`: it never said. */
  readonly passkeys: boolean | undefined;
  /** A passkey can be made on this device. */
  readonly platform: boolean;
  /** It makes one by itself after a saved password was used (conditional create). */
  readonly automatic: boolean;
  readonly userAgent: string;
}

export interface StepServices {
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  readonly attempts: Attempts;
  readonly notices: Notices;
  readonly recovery: Recovery;
  readonly federation: Federation;
  /** What the session will rest on at external providers (`federation/sessions.ts`). */
  readonly upstreamSessions: Pick<UpstreamSessions, 'remember'>;
  readonly ladder: Ladder;
  /** Seconds for which a proof is fresh enough to change how the account signs in. */
  readonly proofAge: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Model of a step's page; the page adds action, CSRF token, language. */
export type StepView = Readonly<Record<string, unknown>>;

export interface Problem {
  readonly code: string;
  readonly values?: Readonly<Record<string, string | number>>;
  /** Seconds until another try makes sense. */
  readonly wait?: number;
}

/** What a step found out; `undefined` takes a fact back. */
export type Facts = { readonly [Name in keyof JourneyState]?: JourneyState[Name] | undefined };

export type StepOutcome =
  /** The dispatcher stores them and asks the table again. */
  | {
      readonly facts: Facts;
      readonly events?: readonly StepEvent[];
      /** Bookkeeping of a success, written in one go with what the dispatcher stores. */
      readonly settle?: () => Promise<void>;
    }
  /** The same page again, with a sentence. */
  | { readonly problem: Problem; readonly form?: StepForm; readonly events?: readonly StepEvent[] };

/** For the log, the metrics and the audit trail. */
export interface StepEvent {
  readonly event: string;
  readonly accountId?: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** "Not you?": who it was is forgotten, with everything that was proven or chosen for them. */
export const NOBODY: Facts = {
  username: undefined,
  identifier: undefined,
  accountId: undefined,
  generation: undefined,
  lockedUntil: undefined,
  linkAsked: undefined,
  known: undefined,
  passkey: undefined,
  instead: undefined,
  enrolled: undefined,
  required: undefined,
  way: undefined,
  trusted: undefined,
  trust: undefined,
  codes: undefined,
  offer: undefined,
  linking: undefined,
  linkWanted: undefined,
  proofs: [],
};

export interface Step {
  readonly id: StepId;
  /** Names its form may carry; anything else is refused (security-catalogue: mass assignment). */
  readonly fields: readonly string[];
  view(state: JourneyState, context: StepContext, services: StepServices, form?: StepForm): Promise<StepView>;
  /** What the page's script needs to begin: fetched when it does, as it is good for minutes only. */
  begin?(state: JourneyState, form: StepForm, context: StepContext, services: StepServices): Promise<unknown>;
  /** @throws VestibuleError when the step can't be decided; nothing is granted then */
  submit(state: JourneyState, form: StepForm, context: StepContext, services: StepServices): Promise<StepOutcome>;
}
