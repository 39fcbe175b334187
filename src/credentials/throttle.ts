import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Credential, CredentialStore } from '../storage/ports.ts';

const KIND = 'throttle';
/** Wrong codes before the first pause. */
const FREE = 5;
/** Seconds of the first pause; each wrong code after it doubles the next. */
const FIRST_PAUSE = 60;
const LONGEST_PAUSE = 3600;
/** As many as could be lost to others before one of them has brought the pause. */
const TRIES = 50;

interface Counted {
  readonly failures: number;
  /** Seconds since the epoch. */
  readonly blockedUntil: number;
}

/**
 * Counts wrong codes of one factor of one account: across sessions and browsers, and durably, so that
 * neither a restart nor another visitor begins anew (security-catalogue: factor guessing, counter race).
 */
export interface Throttle {
  /**
   * Counts a try before it is checked. Of parallel tries no more are let through than are left.
   * @returns seconds to wait instead, when there were too many
   */
  take(accountId: string): Promise<{ readonly blockedFor: number } | undefined>;
  /** A right code: what was wrong before is forgotten. */
  forget(accountId: string): Promise<void>;
}

/** @param factor its id */
export function createThrottle(deps: { store: CredentialStore; clock: Clock; factor: string }): Throttle {
  const { store, clock, factor } = deps;

  const read = ({ data }: Credential): Counted => JSON.parse(data) as Counted;
  const pauseAfter = (failures: number): number =>
    failures <= FREE ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - FREE - 1));

  return {
    async take(accountId) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const now = epochSeconds(clock);
        const kept = await store.find(accountId, KIND, factor);
        const counted = kept ? read(kept) : { failures: 0, blockedUntil: 0 };
        if (counted.blockedUntil > now) return { blockedFor: counted.blockedUntil - now };
        const failures = counted.failures + 1;
        const data = JSON.stringify({ failures, blockedUntil: now + pauseAfter(failures) } satisfies Counted);
        const next: Credential = kept
          ? { ...kept, data, updatedAt: now }
          : { accountId, kind: KIND, id: factor, data, version: 1, createdAt: now, updatedAt: now };
        if (kept ? await store.replace(next, kept.version) : await store.insert(next)) return undefined;
      }
      throw new VestibuleError('busy', 503, { retryAfter: 1 });
    },

    async forget(accountId) {
      await store.remove(accountId, KIND, factor);
    },
  };
}
