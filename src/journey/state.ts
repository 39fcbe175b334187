import type { JourneyRecord, JourneyStore } from '../storage/ports.ts';

/** Something the person proved in this journey; written by the server alone. */
export interface Proof {
  /** The factor's id. */
  readonly factor: string;
  readonly amr: readonly string[];
  /** Seconds since the epoch. */
  readonly at: number;
}

/** Who wants what of this journey. The portal's request is one source; policies add theirs. */
export interface Demand {
  readonly prompt: 'login' | 'consent';
}

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
  readonly proofs: readonly Proof[];
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
