import type { JourneyRecord, JourneyStore } from '../storage/ports.ts';

/** Something the person proved in this journey; written by the server alone. */
export interface Proof {
  /** The factor's id. */
  readonly factor: string;
  readonly amr: readonly string[];
  /** The level an external provider vouches for. */
  readonly acr?: string;
  /** The device is of a model that its manufacturer attested. */
  readonly attested?: true;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Who wants what of this journey. The portal's request is one source; policies add theirs. */
export interface Demand {
  readonly prompt: 'login' | 'consent';
  /** Each must be reached; none: any proof will do. */
  readonly levels: readonly LevelDemand[];
  /** The client lets a trusted device stand in for the second factor it demands. */
  readonly trustedDeviceSuffices?: boolean;
}

/** Levels of assurance, any one of which satisfies who asks for them. */
export interface LevelDemand {
  readonly source: 'request' | 'client' | 'account' | 'organisation';
  readonly acr: readonly string[];
}

/** What is asked for on top of the first proof. */
export type Second = 'totp' | 'sms' | 'passkey' | 'recovery-code';

/** What the server remembers between two pages of one journey. */
export interface JourneyState {
  readonly uid: string;
  readonly clientId: string;
  /** Language chosen on a page of this journey. */
  readonly language?: string;
  /** As typed, for showing it again. */
  readonly username?: string;
  /** As normalised: tries are counted under it when nobody has that name. */
  readonly identifier?: string;
  /** `undefined` with a `username` means: nobody has that name. Pages must not show the difference. */
  readonly accountId?: string;
  /** Of the account when it was named: another one by now voids what was proven (`Account.generation`). */
  readonly generation?: number;
  /** The password was tried too often, from here: when it may be tried again, seconds since the epoch. */
  readonly lockedUntil?: number;
  /** A link to choose a new password was asked for on the way; whether there is such an account is not told. */
  readonly linkAsked?: true;
  /** Signed in here already, and asked again: this may be shown to whoever sits there. */
  readonly known?: true;
  /** The passkey page comes before the password's; for names that nobody has as often as for others. */
  readonly passkey?: boolean;
  /** The person took the way named on the passkey page. */
  readonly instead?: 'password';
  /** What the account has enrolled; known once somebody proved who they are, or was signed in already. */
  readonly enrolled?: readonly { readonly factor: string; readonly amr: readonly string[] }[];
  /** Level that the account itself demands, known as late. */
  readonly required?: string;
  /** The second factor the person chose among several. */
  readonly way?: Second;
  /** This browser was trusted with this account: it stands in for the second factor where that is allowed. */
  readonly trusted?: boolean;
  /** The person asks that it be trusted from now on. */
  readonly trust?: boolean;
  /** Recovery codes are still to be shown: a new list, or how many are left. */
  readonly codes?: 'new' | 'left';
  /** Somebody whom an external provider knows and nobody here: to be linked to the account that is proven. */
  readonly linking?: { readonly provider: string; readonly acr?: string };
  /** What came of the last visit to an external provider, to be said on the next page. */
  readonly notice?: { readonly code: string; readonly provider: string };
  /** They said that they have an account here. */
  readonly linkWanted?: true;
  readonly proofs: readonly Proof[];
  /** Creating a passkey is still to be offered: their first, or one on this device after another's was used. */
  readonly offer?: 'first' | 'this-device';
  readonly consented?: boolean;
}

const isString = (value: unknown): value is string => typeof value === 'string';

/** Reads back what `saveState` wrote; anything of another shape is treated as no state at all. */
function revive(record: JourneyRecord | undefined): JourneyState | undefined {
  const state = record?.state as Partial<JourneyState> | undefined;
  return state && isString(state.uid) && isString(state.clientId) && Array.isArray(state.proofs)
    ? (state as JourneyState)
    : undefined;
}

export interface StoredJourney {
  readonly state: JourneyState;
  /** 0: not stored yet. */
  readonly version: number;
}

export async function loadState(store: JourneyStore, uid: string): Promise<StoredJourney | undefined> {
  const record = await store.find(uid);
  const state = revive(record);
  return record && state ? { state, version: record.version } : undefined;
}

/** @returns false when another request of the same journey was faster: read again and show what is due */
export function saveState(
  store: JourneyStore,
  state: JourneyState,
  version: number,
  expiresAt: number,
): Promise<boolean> {
  return store.save({ uid: state.uid, state: { ...state }, expiresAt }, version);
}
